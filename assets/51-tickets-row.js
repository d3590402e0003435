// A row of the list of tickets: words of its codes, place and times, how it stands with its deadline, and its cells.
(() => {
  "use strict";
  const wangge = window.wangge;
  const list = wangge?.list;
  if (!list) return;
  const { t, h, config } = wangge;
  const { language } = config;
  const SOON_MS = 2 * 3600000; // as on the map
  const TICK_MS = 20000; // deadlines come nearer without any news

  // --- words of codes, places and times
  const named = (rows) => new Map((rows || []).map((one) => [one.code, one.name]));
  const names = {
    category: named(config.categories), channel: named(config.channels), department: named(config.departments),
    severity: named(config.severities), supervision: named(config.supervisions),
  };
  list.name = (kind, code) => (code == null ? "" : kind === "status" ? config.statuses[code] ?? code : names[kind]?.get(code) ?? code);
  list.now = () => (wangge.now ? wangge.now() : Date.now());
  const parts = new Intl.DateTimeFormat(language === "en" ? "en-GB" : language, {
    timeZone: config.time_zone, month: language === "en" ? "short" : "2-digit", day: language === "en" ? "numeric" : "2-digit", hour: "2-digit", minute: "2-digit", hourCycle: "h23",
  });
  list.at = (ms) => (ms == null ? "" : parts.format(ms));
  const span = (ms) => {
    const minutes = Math.max(1, Math.round(Math.abs(ms) / 60000));
    if (minutes < 60) return t("list.span.minutes", { n: minutes });
    if (minutes < 48 * 60) return t("list.span.hours", { n: Math.round(minutes / 60) });
    return t("list.span.days", { n: Math.round(minutes / 1440) });
  };
  const town = (no) => Math.floor(no / 1e6) * 1e6;
  const community = (no) => Math.floor(no / 1e3) * 1e3;
  list.place = ({ area }) => {
    const steps = [...new Set([town(area.no), community(area.no)])].map((no) => config.names[no]).filter(Boolean);
    const grid = area.level === "grid" ? wangge.gridName(area.name, config.names[community(area.no)] || "") : null;
    const [first, ...rest] = [...steps, grid].filter(Boolean);
    return { first: first || area.name, rest: rest.join(" ") };
  };

  // How it stands with its deadline: words, a share of the time used, and a kind that has a shape of its own.
  list.due = (row) => {
    const now = list.now();
    if (row.closed_at != null) {
      const ended = row.handled_at ?? row.closed_at;
      if (row.due_at == null) return { kind: "ended", text: list.at(row.closed_at), share: null };
      return ended > row.due_at
        ? { kind: "ended", text: t("list.was_late", { span: span(ended - row.due_at) }), share: null }
        : { kind: "ended", text: t("list.in_time"), share: null };
    }
    if (row.status === "suspended") return { kind: "paused", text: row.suspended_until ? t("list.paused_until", { at: list.at(row.suspended_until) }) : t("list.paused"), share: null };
    if (row.due_at == null) return { kind: "none", text: t("list.no_deadline"), share: null };
    const left = row.due_at - now;
    if (left < 0) return { kind: "late", text: t("list.over", { span: span(left) }), share: null };
    const from = row.dispatched_at ?? row.reported_at;
    const share = Math.min(1, Math.max(0, (now - from) / Math.max(1, row.due_at - from)));
    return { kind: left < SOON_MS ? "soon" : "calm", text: t("list.left", { span: span(left) }), share };
  };
  const SHAPE = { late: "\u25b2", soon: "\u25c6", paused: "\u275a\u275a" };

  // --- one row
  const chip = (word, kind) => h("span", { class: `chip ${kind || ""}` }, word);
  const CELLS = {
    due(row) {
      const { kind, text, share } = list.due(row);
      const words = h("b", { class: kind }, h("i", { "aria-hidden": "true" }, SHAPE[kind] || ""), text);
      const bar = share == null ? null : h("span", { class: `used ${kind}`, "aria-hidden": "true" }, h("i", { style: `transform:scaleX(${share.toFixed(3)})` }));
      return { nodes: [words, bar], title: row.due_at ? t("list.due_at", { at: list.at(row.due_at) }) : null };
    },
    matter(row) {
      const marks = [
        row.supervised_at ? chip(row.supervision ? list.name("supervision", row.supervision) : t("list.flag.supervised"), "strong") : null,
        row.escalation ? chip(t("list.mark.escalated", { n: row.escalation })) : null,
        row.redos ? chip(t("list.mark.redos", { n: row.redos })) : null,
        row.pictures ? chip(t("list.mark.pictures", { n: row.pictures })) : null,
      ];
      const title = row.title || list.name("category", row.category);
      return { nodes: [h("b", {}, title), ...marks, h("small", {}, row.number)], title: `${title}\n${row.number}${row.address ? `\n${row.address}` : ""}` };
    },
    category: (row) => ({ nodes: [list.name("category", row.category)], title: wangge.className(row.category) }),
    place(row) {
      const { first, rest } = list.place(row);
      return { nodes: [first, rest ? h("small", {}, rest) : null], title: [first, rest, row.address].filter(Boolean).join(" \u00b7 ") };
    },
    status: (row) => ({ nodes: [list.name("status", row.status)] }),
    severity: (row) => ({ nodes: [row.severity && row.severity !== config.severities[0]?.code ? h("span", { class: "box" }, list.name("severity", row.severity)) : null] }),
    channel: (row) => ({ nodes: [list.name("channel", row.channel)] }),
    holder: (row) => ({ nodes: [row.department ? list.name("department", row.department) : "", row.worker ? h("small", {}, row.worker) : null] }),
    reported: (row) => ({ nodes: [list.at(row.reported_at)] }),
  };
  const fill = (node, row) => {
    for (const [name, make] of Object.entries(CELLS)) {
      const cell = node.querySelector(`td.${name}`);
      const { nodes, title } = make(row);
      cell.replaceChildren(...nodes.filter((one) => one != null && one !== ""));
      if (title) cell.title = title;
    }
    node.classList.toggle("ended", row.closed_at != null);
    node.querySelector("input").setAttribute("aria-label", t("list.pick", { number: row.number }));
  };
  list.drawn = (row) => {
    const pick = h("input", { type: "checkbox", tabindex: "-1" });
    pick.checked = Boolean(list.picked?.has(row.id));
    const node = h("tr", { "data-id": row.id, role: "row", tabindex: "-1" }, h("td", { class: "pick" }, pick), ...Object.keys(CELLS).map((name) => h("td", { class: name })));
    fill(node, row);
    return node;
  };
  list.nodeOf = (id) => list.el("rows").querySelector(`tr[data-id="${id}"]`);
  // A row that is shown gets what is new of it, where it stands.
  list.renew = (row, mark = true) => {
    const known = list.rows.get(row.id);
    if (!known || known.version > row.version) return;
    const changed = known.version !== row.version;
    list.rows.set(row.id, { ...known, ...row });
    const node = list.nodeOf(row.id);
    if (!node) return;
    fill(node, list.rows.get(row.id));
    if (mark && changed) {
      node.classList.remove("changed");
      void node.offsetWidth; // the mark begins anew
      node.classList.add("changed");
    }
    if (list.picked?.has(row.id)) list.picked.set(row.id, list.rows.get(row.id));
  };

  wangge.on("mounted", () =>
    setInterval(() => {
      for (const [id, row] of list.rows) if (row.closed_at == null) fill(list.nodeOf(id), row);
    }, TICK_MS),
  );
})();
