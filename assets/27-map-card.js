// Cards: what a click tells of an area, ticket, worker, station or post; Escape closes and the focus goes back.
(() => {
  "use strict";
  const wangge = window.wangge;
  const map = wangge?.map;
  if (!map) return;
  const { config, t, h } = wangge;
  const { text, button } = map.dom;
  const english = config.language === "en";
  const IDLE_MS = 90000; // on a wall nobody closes a card
  const STEPS = ["reported_at", "dispatched_at", "signed_at", "handled_at", "closed_at"];

  const word = (named) => (named && typeof named === "object" ? (english ? named.name_en : named.name) || named.name : named);
  const date = new Intl.DateTimeFormat(english ? "en-GB" : "zh-CN", { timeZone: config.time_zone, month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const moment = (ms) => (ms == null ? null : date.format(ms));
  const now = () => (wangge.now ? wangge.now() : Date.now());
  const count = (value) => (value == null ? "\u2013" : typeof value === "string" ? value : wangge.int(value));
  const row = (name, value, style) => {
    if (value == null || value === "") return null;
    const cell = h("dd", style ? { class: style } : {});
    cell.append(value);
    return [text("dt", {}, name), cell];
  };
  const list = (...rows) => h("dl", {}, ...rows.filter(Boolean).flat());
  const figure = (name, value, style) => h("div", { class: style || null }, text("b", {}, value), text("span", {}, name));
  const category = (code) => {
    const own = wangge.categoryName(code);
    const whole = wangge.className(code);
    return own === whole ? own : `${whole} / ${own}`;
  };
  const channel = (code) => config.channels.find((one) => one.code === code)?.name || code;
  // Who is on duty in an area and above it, and how to reach them; on a wall only which posts are held.
  const duty = (card) => {
    const turns = card.on_duty || [];
    if (!turns.length) return h("section", { class: "wg-duty" }, text("h4", {}, t("map.card.on_duty")), text("p", { class: "wg-none" }, t("map.card.nobody_on_duty")));
    const rows = turns.map((turn) => {
      const where = turn.area_no === card.id ? null : map.nameOf(turn.area_no) || turn.area;
      const until = wangge.time(turn.until).slice(0, 5);
      const who = turn.name ? text("b", {}, turn.name) : null;
      const instead = turn.substitute_for ? text("small", {}, t("map.card.stands_in", { name: turn.substitute_for })) : null;
      const reach = turn.phone ? h("a", { href: `tel:${turn.phone.replace(/[^\d+]/g, "")}`, "aria-label": t("map.card.call", { name: turn.name, phone: turn.phone }) }, turn.phone) : null;
      return h("li", {}, h("span", {}, text("em", {}, word(turn.role)), where ? text("small", {}, where) : null), h("span", {}, who, instead, reach, text("time", {}, t("map.card.until", { at: until }))));
    });
    return h("section", { class: "wg-duty" }, text("h4", {}, t("map.card.on_duty")), h("ul", {}, ...rows));
  };
  const made = (card) => (card.generated ? text("p", { class: "wg-generated" }, t("map.generated")) : null);

  // The areas that hold it, each a step to go to.
  const path = (card) => {
    const steps = (card.path || []).filter((step) => step.no !== config.root.no && step.no !== (card.kind === "area" ? card.id : null));
    if (!steps.length) return null;
    return h("nav", { "aria-label": t("map.card.path") }, ...steps.map((step) => button(map.nameOf(step.no) || step.name, {}, () => go(step.no))));
  };
  const go = (no) => {
    map.fit(no, { maxZoom: 16 });
    map.open("area", no);
  };

  const MORE = { area: [] }; // further actions on a card, from other scripts
  const SOURCE = {}; // kind → address of its cards, if it is not /api/cards
  const BODY = {
    area(card) {
      const late = card.overdue ? `\u25b2 ${wangge.int(card.overdue)}` : "0";
      const soon = card.due_soon ? `\u25c6 ${wangge.int(card.due_soon)}` : "0";
      const kind = card.grid_kind ? t(`map.kind.${card.grid_kind}`) : t("map.card.grids", { n: card.grids, count: wangge.int(card.grids) });
      const most = Math.max(1, ...card.frequent.map((one) => one.tickets));
      const frequent = card.frequent.map((one) =>
        h("li", {}, text("span", {}, english ? one.name_en : one.name), h("i", { style: `--share:${one.tickets / most}` }), text("b", {}, wangge.int(one.tickets))),
      );
      const patrol = card.last_patrol_at ? t("map.card.ago", { ago: wangge.ago((now() - card.last_patrol_at) / 1000), at: moment(card.last_patrol_at) }) : t("map.card.no_patrol");
      return {
        kicker: [levelName(card.level), card.code].join(" "),
        title: english ? map.nameOf(card.id) || card.name : card.name,
        parts: [
          h("div", { class: "wg-figures" }, figure(t("map.card.open"), wangge.int(card.open)), figure(t("map.card.overdue"), late, card.overdue ? "late" : ""), figure(t("map.card.due_soon"), soon, card.due_soon ? "soon" : "")),
          list(
            row(t("map.card.today"), t("map.card.today_of", { reported: wangge.int(card.reported_today), closed: wangge.int(card.closed_today) })),
            row(t("map.card.per_1000"), card.per_1000 == null ? null : card.per_1000.toFixed(1)),
            row(t("map.card.kind"), kind),
            row(t("map.card.people"), card.population == null ? null : t("map.card.people_of", { households: count(card.households), population: count(card.population) })),
            row(t("map.card.patrol"), patrol),
            row(t("map.card.staff"), t("map.card.staff_of", { workers: count(card.workers), posts: count(card.posts), stations: count(card.stations) })),
            row(t("map.card.care"), t("map.card.care_of", { count: count(card.care) })),
          ),
          duty(card),
          frequent.length ? h("section", {}, text("h4", {}, t("map.card.frequent", { n: card.frequent_days })), h("ul", { class: "wg-bars" }, ...frequent)) : null,
          made(card),
        ],
        actions: [
          button(t("map.card.zoom"), {}, () => map.fit(card.id, { maxZoom: 17 })),
          ...MORE.area.map((make) => make(card)),
          config.screen === "area" && card.id !== config.area.no ? button(t("map.card.enter"), { class: "wg-primary" }, () => wangge.emit("map:select", { no: card.id, level: card.level, code: card.code, name: card.name })) : null,
        ],
      };
    },
    ticket(card) {
      const left = card.due_at == null ? null : (card.due_at - now()) / 1000;
      const open = card.closed_at == null;
      const mark = open ? map.ticketMark(card, now()) : "other";
      const due = left == null ? null : open ? `${moment(card.due_at)} ${t(left < 0 ? "map.tip.late_by" : "map.tip.due_in", { span: wangge.span(Math.abs(left)) })}` : moment(card.due_at);
      const sign = { late: "\u25b2 ", soon: "\u25c6 ", other: "" }[mark];
      const steps = STEPS.filter((name) => card[name]).map((name) => h("li", {}, text("span", {}, t(`map.step.${name}`)), text("time", {}, moment(card[name]))));
      return {
        kicker: t("map.card.ticket", { number: card.id }),
        title: card.title || category(card.category),
        parts: [
          list(
            row(t("map.card.status"), config.statuses?.[card.status] || card.status),
            row(t("map.card.due"), due == null ? null : `${sign}${due}`, mark),
            row(t("map.card.category"), category(card.category)),
            row(t("map.card.channel"), channel(card.channel)),
            row(t("map.card.worker"), card.worker),
            row(t("map.card.address"), card.address),
            row(t("map.card.satisfaction"), card.satisfaction ? t(`map.satisfaction.${card.satisfaction}`) : null),
          ),
          wangge.clockPart(card.clock),
          card.description ? text("p", { class: "wg-said" }, card.description) : null,
          h("section", {}, text("h4", {}, t("map.card.course")), h("ol", { class: "wg-steps" }, ...steps)),
          made(card),
        ],
      };
    },
    worker(card) {
      const age = map.workers.ageOf(card.id);
      return {
        kicker: t("map.card.worker_of", { kind: t(`map.worker.${card.worker_kind}`) }),
        title: card.name || card.code,
        parts: [
          list(
            row(t("map.card.code"), card.name ? card.code : null),
            row(t("map.card.phone"), card.phone),
            row(t("map.card.shift"), `${card.shift_from}\u2013${card.shift_to}`),
            row(t("map.card.position"), age == null ? t("map.card.off_shift") : t("map.tip.seen", { ago: wangge.ago(age) })),
            row(t("map.card.open"), wangge.int(card.open_tickets)),
          ),
          made(card),
        ],
      };
    },
    post(card) {
      const reach = card.phone ? h("a", { href: `tel:${card.phone}` }, card.phone) : null;
      return {
        kicker: t("map.card.post"),
        title: word(card.role),
        parts: [
          list(row(t("map.card.duty"), word(card.duty)), row(t("map.card.holder"), card.name), row(t("map.card.phone"), reach)),
          card.name ? null : text("p", { class: "wg-hint" }, t("map.card.no_names")),
          made(card),
        ],
      };
    },
    station(card) {
      return {
        kicker: word(card.site_kind),
        title: card.name,
        parts: [map.player(card), list(row(t("map.card.code"), card.id)), made(card)],
      };
    },
  };
  const levelName = (level) => (level === config.root.level ? "" : config.levels?.[level] || "");

  let shown = null; // {kind, id, box, before}
  let asked = 0;
  let idle = 0;
  map.open = async (kind, id) => {
    const view = map.main;
    if (!view || !BODY[kind]) return;
    const turn = (asked += 1);
    const before = shown ? shown.before : document.activeElement;
    const people = config.screen !== "wall" && config.rights.includes("people") && kind !== "station" ? 1 : null;
    try {
      const card = await map.fetch(SOURCE[kind] ? SOURCE[kind](id) : map.url(`/api/cards/${kind}/${id}`, { people }), { retry: false });
      if (turn === asked) show(view, kind, id, BODY[kind](card), path(card), before);
    } catch (error) {
      const gone = error.final;
      if (turn === asked) show(view, kind, id, { kicker: "", title: t(gone ? "map.card.gone" : "map.card.away"), parts: [] }, null, before);
    }
  };
  // Shows a card again with what an action on it answered.
  const renew = (kind, id, card) => {
    if (shown?.kind === kind && shown.id === id && map.main) show(map.main, kind, id, BODY[kind](card), path(card), shown.before);
  };
  map.cards = { BODY, MORE, SOURCE, renew, row, list, word, made, element: () => shown?.box };
  const show = (view, kind, id, { kicker, title, parts, actions = [] }, steps, before) => {
    take();
    const close = button("\u00d7", { class: "wg-close", "aria-label": t("map.close") }, () => map.close());
    const box = h(
      "article",
      { class: `wg-card wg-card-${kind}`, tabindex: "-1", "aria-label": title },
      h("header", {}, text("small", {}, kicker), text("h3", {}, title), steps, close),
      h("div", { class: "wg-card-body" }, ...parts.filter(Boolean)),
      actions.filter(Boolean).length ? h("footer", {}, ...actions.filter(Boolean)) : null,
    );
    shown = { kind, id, box, before };
    L.DomEvent.disableClickPropagation(box);
    L.DomEvent.disableScrollPropagation(box);
    view.frame.append(box);
    view.frame.classList.add("wg-has-card");
    if (before !== document.body) box.focus({ preventScroll: true });
    if (kind === "area") map.select(id);
    map.set("card", `${kind}:${id}`);
    box.addEventListener("wangge:played", () => clearTimeout(idle));
    clearTimeout(idle);
    if (config.screen === "wall") idle = setTimeout(() => map.close(), IDLE_MS);
  };
  const take = () => {
    if (!shown) return false;
    map.stopPlayer?.();
    shown.box.remove();
    return true;
  };
  map.close = () => {
    asked += 1;
    if (!take()) return false;
    const { before } = shown;
    shown = null;
    map.main?.frame.classList.remove("wg-has-card");
    map.select(null);
    map.set("card", null);
    if (before && document.contains(before)) before.focus({ preventScroll: true });
    return true;
  };
  // A station whose state changes while its card is open is told so.
  wangge.live?.on("stations", (rows) => {
    if (shown?.kind === "station" && rows.some(([id]) => id === shown.id)) map.open("station", shown.id);
  });
  wangge.on("map:ready", () => {
    const [kind, id] = (map.state.card || "").split(":");
    if (BODY[kind] && id) map.open(kind, /^\d{20}$/.test(id) ? id : Number(id));
  });
})();
