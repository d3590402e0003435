// The order in which a worker with several tickets best walks them: legs in metres and minutes, drawn on the map.
(() => {
  "use strict";
  const desk = window.wangge?.desk;
  if (!desk || desk.pane === "map") return;
  const wangge = window.wangge;
  const { t, h, on } = wangge;
  const { text, button } = desk;
  const latest = desk.latest();

  const path = (points) => {
    desk.path = points;
    wangge.emit("desk:lines");
  };
  const minutes = (value) => t("dispatch.minutes", { n: Math.max(1, Math.round(value)) });
  desk.round = (one) => desk.open("round", one);
  desk.panel("round", async (place, one) => {
    const mine = latest.next();
    const body = h("div", { class: "body" }, ...Array.from({ length: 4 }, () => h("div", { class: "wait" })));
    place.replaceChildren(desk.head(t("dispatch.round", { name: one.name || one.code })), body);
    try {
      const told = await desk.ask(`/api/dispatch/workers/${encodeURIComponent(one.code)}/round`);
      if (!latest.is(mine) || desk.opened() !== "round") return;
      const lead = t("dispatch.round.lead", { way: desk.distance(told.distance_m), time: minutes(told.minutes), given: desk.distance(told.as_given_m) });
      place.firstChild.replaceWith(desk.head(t("dispatch.round", { name: told.worker.name || told.worker.code }), told.stops.length ? lead : t("dispatch.round.none")));
      const stops = told.stops.map((stop, n) => {
        const go = button(`${n + 1}  ${stop.ticket.title || stop.ticket.number}`, { class: "link" }, () => (desk.close(), desk.choose(stop.ticket.id, { by: "round" })));
        const says = [`${desk.distance(stop.leg.distance_m)}, ${minutes(stop.leg.minutes)}`, desk.status(stop.ticket.status), stop.ticket.due_at ? t("dispatch.limit", { at: desk.moment(stop.ticket.due_at) }) : null, stop.late ? t("dispatch.round.late") : null];
        return h("div", { class: "one" }, go, text("p", { class: stop.late ? "late" : null }, says.filter(Boolean).join(" \u00b7 ")));
      });
      const nowhere = told.without_place.map((ticket) => h("div", { class: "one" }, text("b", {}, ticket.title || ticket.number), text("p", {}, t("dispatch.round.nowhere"))));
      body.replaceChildren(...stops, ...nowhere, text("p", { class: "note" }, t("dispatch.round.note", { factor: told.factor })));
      path([told.worker, ...told.stops.map((stop) => stop.ticket)].filter((spot) => spot.lon != null));
    } catch (error) {
      if (latest.is(mine)) body.replaceChildren(text("p", { class: "note" }, wangge.sentence(error)), button(t("dispatch.again"), {}, () => desk.round(one)));
    }
  });
  on("desk:closed", (name) => {
    if (name !== "round") return;
    latest.next();
    path(null);
  });
})();
