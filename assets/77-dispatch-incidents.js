// Incidents: several tickets of one cause, gathered, assigned and closed together, with a perimeter and what lies in it.
(() => {
  "use strict";
  const desk = window.wangge?.desk;
  if (!desk || desk.pane === "map") return;
  const wangge = window.wangge;
  const { t, h, on, config } = wangge;
  const { text, button } = desk;

  const latest = desk.latest();
  let shown = null; // id of the one that is open
  const perimeter = (shape, tickets) => {
    desk.perimeter = shape || null;
    desk.gathered = tickets || null;
    wangge.emit("desk:perimeter");
  };
  const fail = (error, code = "in_incident") => (error.code === code ? t("dispatch.incident.already", { title: error.details?.[0]?.title ?? error.details?.[0]?.incident ?? "" }) : desk.refusal(error));
  const busy = async (act, done) => {
    try {
      const answer = await act();
      done?.(answer);
      desk.reload?.();
      return answer;
    } catch (error) {
      desk.toast(fail(error), { bad: true });
      return null;
    }
  };
  // Minutes and metres in the unit that one reads.
  const said = ({ key, args }) => ({ key, args: { ...args, span: args.minutes == null ? "" : desk.span(args.minutes * 60), far: args.metres == null ? "" : desk.distance(args.metres) } });
  const title = (one) => one.title || wangge.categoryName(one.category) || one.number;

  // --- all of them, and what might be one
  const list = async (place) => {
    const mine = latest.next();
    shown = null;
    perimeter(null);
    const body = h("div", { class: "body" }, ...Array.from({ length: 5 }, () => h("div", { class: "wait" })));
    place.replaceChildren(desk.head(t("dispatch.incidents"), t("dispatch.incidents.lead")), body, h("footer", {}, button(t("dispatch.incident.new"), { class: "main" }, () => make({ tickets: [...desk.picked.keys()] }))));
    try {
      const [open, maybe] = await Promise.all([desk.ask(desk.url("/api/incidents", { state: "open", within: config.within })), desk.ask(desk.url("/api/incidents/suggestions", { within: config.within })).catch(() => ({ rows: [] }))]);
      if (!latest.is(mine)) return;
      badge(open);
      const rows = open.rows.map((one) =>
        h("div", { class: "one" }, button(one.title, { class: "link" }, () => open_one(place, one.id)), text("p", {}, [desk.area(one.area_no, one.area), t("dispatch.incident.count", { n: one.tickets, open: one.open }), t("dispatch.incident.unassigned", { n: one.unassigned }), desk.moment(one.opened_at)].join(" \u00b7 ")), h("div", { class: "do" }, button(t("dispatch.incident.open"), {}, () => open_one(place, one.id)))),
      );
      const hints = maybe.rows.map((one) =>
        h("div", { class: `one${one.burst ? " burst" : ""}` }, text("b", {}, `${one.burst ? "\u25b2 " : ""}${title(one)}`), text("p", {}, one.why.map((why) => desk.reason(said(why), "incident.why")).filter(Boolean).join(" \u00b7 ")), h("div", { class: "do" }, button(t("dispatch.incident.gather"), {}, () => make({ tickets: one.tickets.map((ticket) => ticket.id), title: title(one) })))),
      );
      body.replaceChildren(
        text("h3", {}, t("dispatch.incidents.open", { n: rows.length })), ...(rows.length ? rows : [text("p", { class: "none" }, t("dispatch.incidents.none"))]),
        h("h3", {}, t("dispatch.incidents.maybe"), text("small", {}, t("dispatch.incidents.maybe.hint"))), ...(hints.length ? hints : [text("p", { class: "none" }, t("dispatch.incidents.maybe.none"))]),
      );
    } catch (error) {
      if (latest.is(mine)) body.replaceChildren(text("p", { class: "note" }, wangge.sentence(error)), button(t("dispatch.again"), {}, () => list(place)));
    }
  };
  const badge = (open) => desk.badge("incidents", open.rows.length);

  const make = (given) =>
    wangge.dialog(t("dispatch.incident.new"), t("dispatch.incident.new.lead", { n: given.tickets.length }), (close) =>
      wangge.form({
        submit: t("dispatch.incident.new"),
        fields: [{ name: "title", kind: "text", label: t("dispatch.incident.title"), required: true, most: 120, value: given.title }],
        withdrawn: () => close(),
        send: async (values) => {
          const made = await wangge.post("/api/incidents", { ...values, tickets: given.tickets }).catch((error) => {
            throw { ...error, message: fail(error), code: "told" };
          });
          close(t("dispatch.incident.made"));
          desk.pick?.([...desk.picked.values()], false);
          desk.reload();
          desk.open("incidents", { id: made.id });
        },
      }),
    );

  // --- one of them
  const about = (range) => (range?.about == null ? "\u2013" : t("dispatch.about", { n: wangge.int(Math.round(range.about)) }));
  const tile = (words, value, hint) => h("div", { title: hint || null }, text("b", {}, value), text("span", {}, words));
  const open_one = async (place, id) => {
    const mine = latest.next();
    shown = id;
    try {
      const one = await desk.ask(`/api/incidents/${id}`);
      if (!latest.is(mine)) return;
      draw(place, one);
    } catch (error) {
      if (latest.is(mine)) place.replaceChildren(desk.head(t("dispatch.incidents")), h("div", { class: "body" }, text("p", { class: "note" }, wangge.sentence(error)), button(t("dispatch.incident.all"), {}, () => list(place))));
    }
  };
  const draw = (place, one) => {
    const again = () => shown === one.id && open_one(place, one.id);
    const change = (changes) => busy(() => wangge.send("PATCH", `/api/incidents/${one.id}`, { version: one.version, ...changes }), again);
    perimeter(one.perimeter || one.outline, one.tickets);
    const { figures } = one;
    const tickets = one.tickets.map((ticket) =>
      h("div", { class: "one" }, button(title(ticket), { class: "link" }, () => (desk.close(), desk.choose(ticket.id, { by: "incident" }))), text("p", {}, [desk.status(ticket.status), desk.area(ticket.area_no, ticket.area), ticket.holder && (typeof ticket.holder === "string" ? ticket.holder : ticket.holder.name)].filter(Boolean).join(" \u00b7 ")), one.closed_at ? h("span") : h("div", { class: "do" }, button(t("dispatch.incident.remove"), { class: "plain" }, () => change({ remove: [ticket.id] })))),
    );
    const near = one.near.map((ticket) => h("div", { class: "one" }, text("b", {}, title(ticket)), text("p", {}, [desk.status(ticket.status), desk.area(ticket.area_no, ticket.area)].filter(Boolean).join(" \u00b7 ")), h("div", { class: "do" }, button(t("dispatch.incident.add"), {}, () => change({ add: [ticket.id] })))));
    const posts = one.posts.slice(0, 8).map((post) => h("div", { class: "one" }, text("b", {}, [desk.named(config.posts, post.role), post.name].filter(Boolean).join(" ")), text("p", {}, [desk.area(post.area_no, post.area), post.on_duty ? t("dispatch.incident.on_duty") : null].filter(Boolean).join(" \u00b7 ")), post.phone ? h("div", { class: "do" }, h("a", { href: `tel:${post.phone.replace(/[^\d+]/g, "")}` }, post.phone)) : h("span")));
    const draw_it = button(one.drawn ? t("dispatch.incident.redraw") : t("dispatch.incident.draw"), {}, () => desk.draw((ring) => change({ perimeter: { type: "Polygon", coordinates: [[...ring, ring[0]]] } })));
    const history = one.history.map((event) => h("div", { class: "one" }, text("b", {}, t(`dispatch.incident.did.${event.kind}`)), text("p", {}, [desk.moment(event.at), event.by, event.words].filter(Boolean).join(" \u00b7 "))));
    const body = h("div", { class: "body" },
      h("div", { class: "tiles" }, tile(t("dispatch.incident.grids"), wangge.int(figures.grids.touched), t("dispatch.incident.grids.hint", { whole: figures.grids.whole })), tile(t("dispatch.incident.households"), about(figures.households)), tile(t("dispatch.incident.people"), about(figures.people)), tile(t("dispatch.incident.workers"), wangge.int(one.workers))),
      text("p", { class: "note" }, t(one.drawn ? "dispatch.incident.inside.drawn" : "dispatch.incident.inside.around")),
      h("div", { class: "pair" }, desk.pane === "both" && !one.closed_at ? draw_it : null, one.drawn && !one.closed_at ? button(t("dispatch.incident.undraw"), {}, () => change({ perimeter: null })) : null, button(t("dispatch.incident.seen"), {}, () => view(one)), button(t("dispatch.incident.export"), {}, () => wangge.save(`/api/incidents/${one.id}/export?lang=${config.language}`))),
      text("h3", {}, t("dispatch.incident.list", { n: tickets.length })), ...tickets,
      ...(near.length ? [text("h3", {}, t("dispatch.incident.near", { n: near.length })), ...near] : []),
      h("h3", {}, t("dispatch.incident.posts", { n: one.posts.length }), text("small", {}, t("dispatch.incident.stations", { n: one.stations.length }))), ...posts,
      text("h3", {}, t("dispatch.incident.history")), ...history,
    );
    const lead = [desk.area(one.area_no, one.area), t("dispatch.incident.opened", { at: desk.moment(one.opened_at), by: one.opened_by }), one.closed_at ? t("dispatch.incident.closed_at", { at: desk.moment(one.closed_at) }) : null].filter(Boolean).join(" \u00b7 ");
    place.replaceChildren(
      desk.head(one.title, lead), body,
      h("footer", {}, ...(one.closed_at ? [] : [button(t("dispatch.incident.assign"), { class: "main" }, () => assign(place, one)), button(t("dispatch.incident.close"), {}, () => close_it(place, one))]), button(t("dispatch.incident.all"), {}, () => list(place))),
    );
  };
  const view = (one) => {
    const spots = one.tickets.filter((ticket) => ticket.lon != null).map((ticket) => [ticket.lat, ticket.lon]);
    const shape = one.perimeter || one.outline;
    if (shape) for (const part of shape.type === "MultiPolygon" ? shape.coordinates : [shape.coordinates]) spots.push(...part[0].map(([lon, lat]) => [lat, lon]));
    if (!spots.length || !wangge.map?.main) return;
    wangge.map.main.atHome = false;
    wangge.map.main.go(L.latLngBounds(spots).pad(0.2), { maxZoom: 15.5 });
  };
  const told = (answer) => {
    const bad = answer.rows.filter((row) => !row.ok);
    const words = bad.length ? `${t("dispatch.incident.partly", { n: answer.rows.length - bad.length, bad: bad.length })} ${bad.slice(0, 3).map((row) => desk.refusal({ status: 409, ...row })).join(" ")}` : t("dispatch.incident.done", { n: answer.rows.length });
    desk.toast(words, { bad: bad.length > 0 });
  };
  const assign = (place, one) =>
    wangge.dialog(t("dispatch.incident.assign"), t("dispatch.incident.assign.lead", { n: one.tickets.length }), (close) =>
      wangge.form({
        submit: t("dispatch.assign"),
        fields: [{ name: "department", kind: "select", label: t("dispatch.department"), required: true, options: config.departments.map((part) => ({ value: part.code, label: part.name })) }, { name: "note", kind: "words", label: t("dispatch.note"), required: true, most: 1000 }],
        withdrawn: () => close(),
        send: async ({ department, note }) => {
          const answer = await desk.command(`/api/incidents/${one.id}/assign`, { to: { kind: "department", code: department }, note });
          close();
          told(answer);
          desk.reload();
          open_one(place, one.id);
        },
      }),
    );
  const close_it = (place, one) =>
    wangge.dialog(t("dispatch.incident.close"), t("dispatch.incident.close.lead", { n: one.tickets.length }), (close) =>
      wangge.form({
        submit: t("dispatch.incident.close"),
        danger: true,
        fields: [{ name: "result", kind: "words", label: t("dispatch.incident.result"), required: true, most: 1000 }],
        withdrawn: () => close(),
        send: async (values) => {
          const answer = await desk.command(`/api/incidents/${one.id}/close`, { version: one.version, ...values });
          close();
          told(answer);
          desk.reload();
          open_one(place, one.id);
        },
      }),
    );

  desk.panel("incidents", (place, given) => {
    if (given?.tickets) make({ tickets: given.tickets.map((one) => one.id) });
    given?.id ? open_one(place, given.id) : list(place);
  });
  on("desk:closed", (name) => {
    if (name !== "incidents") return;
    latest.next();
    shown = null;
    perimeter(null);
  });
  const count = () => desk.ask(desk.url("/api/incidents", { state: "open", within: config.within })).then(badge, () => {});
  on("mounted", count);
  wangge.live?.on("snapshot", count); // after a gap anything may have changed
  wangge.live?.on("desks", (news) => {
    if (!news.some(([name]) => name === "incident")) return;
    count();
    const place = document.getElementById("panel");
    if (desk.opened() !== "incidents" || document.querySelector("dialog[open]")) return;
    if (shown == null) list(place);
    else if (news.some(([name, id]) => name === "incident" && id === shown)) open_one(place, shown);
  });
})();
