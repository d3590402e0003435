// Who can take the chosen ticket: ranked, with the reasons in words and figures, and who is not on the list and why.
(() => {
  "use strict";
  const desk = window.wangge?.desk;
  if (!desk || desk.pane === "map") return;
  const wangge = window.wangge;
  const { t, h, on, config } = wangge;
  const { text, button } = desk;
  const STALE_S = 60;
  const SPREAD_MS = 1000;

  let unfolded = null; // key of the candidate whose score is open
  const english = config.language === "en";
  const named = (one) => (one ? (english && one.name_en) || one.name : null);
  const name = (one) => (one.kind === "department" ? desk.named(config.departments, one.code) : one.name || one.code);
  const tag = (one) => (one.kind === "worker" ? [one.role && t(`dispatch.role.${one.role}`), named(one.trade)] : [t(`dispatch.kind.${one.kind}`), named(one.role_words)]).filter(Boolean).join(" \u00b7 ");
  desk.who = name;
  const seen_s = (one) => one.position_age_s + Math.max(0, desk.now() - desk.candidates.got_at) / 1000; // it ages here, too
  const aged = (one) => (one.position_age_s == null ? null : text("span", { class: seen_s(one) > STALE_S ? "stale" : null }, t("dispatch.seen", { ago: wangge.ago(seen_s(one)) })));

  const figures = (one) => {
    const way = one.distance_m == null ? text("span", { class: "none" }, t("dispatch.no_position")) : text("span", {}, desk.distance(one.distance_m));
    const by = desk.candidates?.method === "roads" && one.by ? t(`dispatch.by.${one.by}`) : null; // a straight line is only a guess there
    const time = one.minutes == null ? h("span") : h("span", { title: by }, t("dispatch.minutes", { n: Math.max(1, Math.round(one.minutes)) }), by && one.by === "straight" ? text("small", {}, ` ${by}`) : "");
    const load = one.load == null ? h("span") : text("span", { title: t("dispatch.capacity", { n: one.capacity }) }, t("dispatch.load", { n: one.load, of: one.capacity }));
    return h("div", { class: "figures" }, way, time, load, aged(one) || h("span"));
  };
  const score = (one) =>
    h(
      "table",
      { class: "score" },
      h("caption", {}, t("dispatch.score", { n: one.score })),
      h("tbody", {}, ...one.parts.map((part) => h("tr", {}, text("th", { scope: "row" }, t(`dispatch.part.${part.name}`)), h("td", {}, h("i", { style: `--share:${part.of ? Math.max(0, part.points) / part.of : 0}` })), text("td", {}, part.of == null ? part.points : `${part.points} / ${part.of}`)))),
    );
  // Where somebody belongs, in the page's language.
  const placed = (reason, one) => (reason.args?.area ? { ...reason, args: { ...reason.args, area: one.kind === "department" ? name(one) : desk.area(one.area_no, reason.args.area) } } : reason);
  const away = (one) => (one.kind === "worker" && config.rights.includes("leaves") ? button(t("dispatch.leave.enter"), { class: "link" }, () => desk.open("leaves", one)) : null);
  const more = (one) => h("p", { class: "more" }, ...[one.kind === "worker" && one.load > 1 ? button(t("dispatch.round.show", { n: one.load }), { class: "link" }, () => desk.round(one)) : null, away(one)].filter(Boolean));
  const item = (one, n) => {
    const why = one.reasons.map((reason) => desk.reason(placed(reason, one), "dispatch.reason")).filter(Boolean);
    const open = unfolded === one.key;
    const fold = button(open ? t("dispatch.score.hide") : t("dispatch.score.show"), { class: "link why", "aria-expanded": String(open) }, () => {
      unfolded = open ? null : one.key;
      draw();
    });
    const send = button(t(desk.held() ? "dispatch.reassign" : "dispatch.assign"), { class: n === desk.candidate ? "main" : "", "data-assign": n }, () => desk.assignTo(one));
    const node = h(
      "li",
      { class: n === desk.candidate ? "meant" : null, "data-candidate": n, "aria-current": n === desk.candidate ? "true" : null },
      h("span", { class: `no${one.position_age_s != null && seen_s(one) > STALE_S ? " stale" : ""}` }, String(n + 1)),
      h("div", { class: "who" }, h("p", {}, text("b", {}, name(one)), text("small", {}, tag(one)), text("span", { title: why.join("\uff1b") }, why.join("\uff1b"))), figures(one), open ? score(one) : null, open ? more(one) : null),
      h("div", { class: "do" }, send, fold),
    );
    node.addEventListener("click", (event) => event.target.closest("button,table") || desk.mean(n));
    return node;
  };
  // Why the obvious person is not on the list.
  const missing = (told) => {
    const counts = Object.entries(told.left_out_counts || {}).filter(([, n]) => n);
    if (!counts.length) return text("span", {}, t("dispatch.left_out.none"));
    const sum = counts.reduce((all, [, n]) => all + n, 0);
    const words = counts.map(([why, n]) => t("dispatch.left_out.of", { n, why: t(`dispatch.left_out.why.${why}`) })).join(" \u00b7 ");
    const rows = (told.left_out || []).map((one) => h("li", {}, text("b", {}, one.name || one.key), text("span", {}, desk.reason({ key: one.why, args: one.args }, "dispatch.reason"))));
    return h("details", {}, text("summary", {}, t("dispatch.left_out.sum", { n: sum, words })), h("ul", {}, ...rows));
  };
  const method = (told) => t(`dispatch.method.${told.method}`, { factor: told.factor });

  const draw = (error) => {
    const place = desk.places?.candidates;
    if (!place) return;
    const told = desk.candidates;
    const old = error && told ? text("span", { class: "old", role: "status" }, t("dispatch.candidates.old", { at: wangge.time(told.got_at) })) : null;
    const title = h("h3", {}, t("dispatch.candidates"), old, button(t("dispatch.weights"), { class: "link" }, () => desk.weights?.()));
    if (error && told?.id !== desk.chosen) return place.replaceChildren(title, text("p", { class: "none" }, wangge.sentence(error)), button(t("dispatch.again"), { class: "link" }, () => desk.rank()));
    if (!told) return place.replaceChildren(title, h("ol", { class: "ranked loading", "aria-busy": "true" }, ...Array.from({ length: 5 }, () => h("li", {}, h("span", { class: "no" }), h("div", { class: "who" }, h("i"), h("i"))))));
    const list = told.rows.length ? h("ol", { class: "ranked" }, ...told.rows.map(item)) : text("p", { class: "none" }, t("dispatch.candidates.none"));
    const scroll = desk.places.decide.scrollTop;
    const focused = document.activeElement?.dataset?.assign;
    const open = place.querySelector(".left-out details")?.open;
    place.replaceChildren(title, list, h("div", { class: "left-out" }, missing(told), text("small", {}, method(told))));
    if (open) place.querySelector(".left-out details")?.setAttribute("open", "");
    if (focused != null) place.querySelector(`[data-assign="${focused}"]`)?.focus({ preventScroll: true });
    desk.places.decide.scrollTop = scroll;
  };
  on("desk:pane", () => ((unfolded = null), draw()));
  on("desk:candidates", draw);
  on("desk:candidate", () => draw());
  on("desk:card", (error) => error || draw()); // held already: the buttons say so
  // Positions and loads change by themselves: ranked anew while one looks, never under the pointer.
  const anew = () => {
    if (document.hidden || desk.chosen == null || !desk.candidates || desk.places?.candidates.matches(":hover")) return;
    desk.rank();
  };
  setInterval(anew, 15000);
  // Other weights mean another order at every desk; they don't all ask in the same moment.
  wangge.live?.on("desks", (news) => news.some(([name]) => name === "weights") && setTimeout(anew, Math.random() * SPREAD_MS));
})();
