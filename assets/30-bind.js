// Fills elements that name a figure (data-bind, data-format) from the live feed, and says how old the figures are.
(() => {
  "use strict";
  const wangge = window.wangge;
  if (!wangge) return;
  const { t, h } = wangge;
  let figures = null;
  // What the server's clock is ahead of ours, so that ages and the clock do not depend on a screen's own clock.
  let ahead_ms = 0;
  wangge.now = () => Date.now() + ahead_ms;

  const at = (path, from) => path.split(".").reduce((value, name) => (value == null ? value : value[name]), from);
  const weekday = (days) => wangge.weekday(figures.at - days * 86400000);

  // A figure rolls once from what it showed to what it is; several changes in a row roll on from where it stands.
  const ROLL_MS = 600;
  const rolling = new Map();
  const roll = (node, value, text) => {
    const from = node._value;
    node._value = value;
    if (from === undefined || from === value || wangge.still.matches || document.hidden || rolling.size > 60) {
      rolling.delete(node);
      node.textContent = text(value);
      return;
    }
    const start = performance.now();
    let shown = null;
    const step = (moment) => {
      if (rolling.get(node) !== step) return;
      const share = Math.min(1, (moment - start) / ROLL_MS);
      const eased = 1 - (1 - share) ** 3;
      const words = text(share < 1 ? Math.round(from + (value - from) * eased) : value);
      if (words !== shown) node.textContent = shown = words; // the page is laid out and painted only for another figure
      if (share < 1) requestAnimationFrame(step);
      else rolling.delete(node);
    };
    rolling.set(node, step);
    requestAnimationFrame(step);
  };
  wangge.roll = roll;

  // Text with <b> around what it marks with *stars*, so that translations decide the order.
  const marked = (node, text) => {
    const parts = text.split("*").map((part, i) => (i % 2 ? h("b", {}, part) : part));
    node.replaceChildren(...parts.filter((part) => part !== ""));
  };
  wangge.marked = marked;

  const change = (node, key, { now, before }, params) =>
    marked(node, t(key, { before: wangge.int(before), change: wangge.signed(now - before), ...params }));

  const formats = {
    int: (node, value) => roll(node, value, wangge.int),
    pct: (node, { n, d }) => {
      const few = d < 30;
      node.classList.toggle("few", few);
      node.textContent = wangge.pct(n, d) ?? "\u2013";
      node.closest(".value")?.classList.toggle("none", d === 0);
    },
    "than-last-week": (node, value) => change(node, "than.last_week", value, { day: weekday(7) }),
    "due-soon": (node, { soon }) => {
      const mark = h("span", { class: soon ? "soon" : "" }, `\u25c6 ${wangge.int(soon)}`);
      node.replaceChildren(mark, ` ${t("due_soon", { n: soon })}`);
    },
    overdue: (node, value) => {
      const of = wangge.pct(value.now, at("open.now", figures));
      change(node, of === null ? "overdue.none" : "overdue.foot", value, { of });
    },
    "on-time": (node, { n, d, overdue }) =>
      marked(node, d ? t("on_time.foot", { share: wangge.share(n, d), overdue: wangge.int(overdue) }) : t("none.closed")),
    closure: (node, { n, d }) => marked(node, d ? t("closure.foot", { share: wangge.share(n, d) }) : t("none.reported")),
    share: (node, { n, d }) => (node.textContent = wangge.share(n, d)),
    "last-weekday": (node) => (node.textContent = t("trend.last_week", { day: weekday(7) })),
    "tick-is": (node) => (node.textContent = t("matters.tick", { day: weekday(7) })),
  };

  const show = () => {
    if (!figures) return;
    for (const node of document.querySelectorAll("[data-bind]")) {
      const value = at(node.dataset.bind, figures);
      if (value !== undefined) formats[node.dataset.format](node, value);
    }
    document.documentElement.dataset.filled = "";
    wangge.emit("figures:shown", figures);
  };
  wangge.figures = () => figures;
  const take = (fresh) => {
    if (!fresh) return;
    figures = fresh;
    show();
  };
  wangge.on("mounted", show);

  // --- how old it is
  let state = { mode: "connecting", age_s: null, since: null };
  const badge = () => {
    const node = document.getElementById("fresh");
    if (!node) return;
    const mode = state.mode;
    document.documentElement.dataset.live = mode;
    node.dataset.mode = mode;
    const age = state.age_s == null ? null : Math.round(state.age_s);
    const first = {
      live: () => t("fresh.live"),
      late: () => t("fresh.late", { n: age }),
      stale: () => (state.since ? t("fresh.stale", { at: wangge.minute(state.since) }) : t("fresh.none")),
      connecting: () => t("fresh.connecting"),
    }[mode]();
    const second = {
      live: () => (age == null ? "" : t("fresh.age", { n: Math.max(age, 0) })),
      late: () => t("fresh.waiting"),
      stale: () => t("fresh.reconnecting"),
      connecting: () => "",
    }[mode]();
    const [, strong, rest] = node.children;
    if (strong.textContent !== first) strong.textContent = first;
    if (rest.textContent !== second) rest.textContent = second;
  };

  const tick = () => {
    const clock = document.getElementById("clock");
    if (clock) {
      const now = wangge.now();
      clock.textContent = wangge.time(now);
      document.getElementById("date").textContent = wangge.date(now);
    }
    badge();
    setTimeout(tick, 1000 - (wangge.now() % 1000));
  };

  const listen = () => {
    const { live } = wangge;
    live.on("figures", take);
    live.on("snapshot", (snapshot) => {
      if (snapshot.now) ahead_ms = toMs(snapshot.now) - Date.now();
    });
    live.on("state", (now) => {
      state = now || live.state;
      badge();
    });
    if (live.state) state = live.state;
  };
  const toMs = (moment) => (typeof moment === "number" ? moment : Date.parse(moment));

  const start = () => {
    if (wangge.live) {
      listen();
      wangge.live.start({ within: wangge.config.within });
    }
    tick();
  };
  addEventListener("DOMContentLoaded", start);
})();
