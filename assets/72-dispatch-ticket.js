// The chosen ticket: its clock, what was said, where it stands, whose it is, and who can take it.
(() => {
  "use strict";
  const desk = window.wangge?.desk;
  if (!desk || desk.pane === "map") return;
  const wangge = window.wangge;
  const { t, h, on, config } = wangge;
  const { text, button } = desk;
  const english = config.language === "en";
  const named = (one) => (one ? (english ? one.name_en : one.name) || one.name : "");

  const pane = () => document.getElementById("ticket");
  const place = {}; // name → the element of that part
  const PARTS = ["head", "chips", "said", "facts", "stages", "holders", "claim", "options", "candidates", "acts"];
  let whole = false; // everything of it, with all commands, instead of the decision

  // --- the clock: against the stage's limit, else the ticket's
  const countdown = (left_s) => {
    const s = Math.abs(Math.round(left_s));
    if (s >= 10 * 3600) return desk.span(s);
    const two = (n) => String(n).padStart(2, "0");
    return s >= 3600 ? `${Math.floor(s / 3600)}:${two(Math.floor((s % 3600) / 60))}:${two(s % 60)}` : `${Math.floor(s / 60)}:${two(s % 60)}`;
  };
  const clock = () => {
    const node = place.clock;
    const row = desk.row(desk.chosen);
    const ticket = desk.card?.ticket;
    if (!node || !(row || ticket)) return;
    const due = row ? desk.dueOf(row) : ticket.due_at;
    const stage = row?.stage ? t(`queue.stage.${row.stage}`) : "";
    if (due == null || ticket?.closed_at != null) return node.replaceChildren(text("b", { class: "quiet" }, ticket?.closed_at != null ? t("dispatch.ended") : t("dispatch.no_limit")));
    const left = (due - desk.now()) / 1000;
    const mark = desk.mark(due);
    node.className = `clock ${mark}`;
    const words = t(left < 0 ? "dispatch.clock.over" : "dispatch.clock.left", { stage });
    node.replaceChildren(text("b", {}, `${mark === "other" ? "" : `${desk.SIGN[mark]} `}${countdown(left)}`), text("span", {}, `${words} \u00b7 ${t("dispatch.limit", { at: desk.moment(due) })}`));
  };
  setInterval(() => !document.hidden && clock(), 1000);

  // --- parts; each is drawn anew only by what it depends on, so that nothing that is being typed is lost
  const head = () => {
    const row = desk.row(desk.chosen);
    const ticket = desk.card?.ticket || row;
    place.clock = h("div", { class: "clock" });
    const title = ticket ? desk.title(ticket) : "\u00a0";
    const toggle = button(t(whole ? "dispatch.view.decide" : "dispatch.view.whole"), { class: "link", id: "whole" }, () => show(!whole));
    place.head.replaceChildren(h("div", {}, text("h2", {}, title), h("p", {}, text("span", {}, ticket?.number ?? ""), toggle)), place.clock);
    clock();
  };
  const chip = (words, style) => text("span", { class: style || null }, words);
  const chips = () => {
    const ticket = desk.card?.ticket || desk.row(desk.chosen);
    if (!ticket) return place.chips.replaceChildren();
    const made = [];
    if (ticket.severity) made.push(chip(desk.named(config.severities, ticket.severity), `strong s-${ticket.severity}`));
    made.push(chip(desk.status(ticket.status), "state"), chip(desk.named(config.channels, ticket.channel)));
    const own = wangge.categoryName(ticket.category);
    const over = wangge.className(ticket.category);
    made.push(chip(own === over ? own : `${over} / ${own}`));
    if (ticket.supervised_at) made.push(chip(t("ticket.card.supervised"), "strong"));
    if (ticket.escalation) made.push(chip(t("ticket.card.escalation", { n: ticket.escalation }), "strong"));
    if (ticket.redos) made.push(chip(t("ticket.card.redos", { n: ticket.redos })));
    if (ticket.transfers) made.push(chip(t("ticket.card.transfers", { n: ticket.transfers })));
    place.chips.replaceChildren(...made);
  };
  const said = () => {
    const words = desk.card?.ticket.description;
    place.said.replaceChildren(words ? text("p", {}, words) : text("p", { class: "none" }, desk.card ? t("ticket.card.nothing_said") : "\u00a0"));
  };
  const fact = (name, value) => (value ? [text("dt", {}, name), h("dd", {}, value)] : []);
  const facts = () => {
    const { card } = desk;
    if (!card) return place.facts.replaceChildren();
    const { ticket, spot } = card;
    const where = ticket.path.filter((step) => step.no !== config.root.no).map((step) => (english ? wangge.areaName(step.no) : step.name));
    const short = [...new Set(where)].slice(english ? -2 : -3);
    const alike = spot ? (spot.tickets ? t("dispatch.alike", { m: spot.radius_m, n: spot.tickets, k: spot.same_kind }) : t("dispatch.alike.none", { m: spot.radius_m })) : null;
    const rough = ticket.location && ticket.location !== "exact" ? t(`ticket.card.located.${ticket.location}`) : null;
    const reasons = (desk.row(desk.chosen)?.reasons || []).map((one) => desk.reason(one, "queue.reason"));
    place.facts.replaceChildren(
      ...fact(t("dispatch.fact.why"), reasons.join(" \u00b7 ")),
      ...fact(t("dispatch.fact.place"), ticket.address && short.length && !english ? `${ticket.address}\uff08${short.at(-1)}\uff09` : [short.join(english ? ", " : " \u203a "), ticket.address].filter(Boolean).join(" \u00b7 ")),
      ...fact("", rough && text("span", { class: "none" }, rough)),
      ...fact(t("dispatch.fact.alike"), alike),
    );
  };
  const stages = () => {
    const told = desk.card?.stages?.stages || [];
    place.stages.hidden = !told.length;
    place.stages.classList.toggle("many", told.length > 6);
    place.stages.replaceChildren(
      ...told.map((one) =>
        h("li", { class: `${one.standing}${one.late ? " late" : ""}`, "aria-current": one.standing === "current" ? "step" : null, title: [named(one), desk.moment(one.at ?? one.due), one.by].filter(Boolean).join(" \u00b7 ") },
          h("i"), text("span", {}, named(one)), text("time", {}, one.at ? desk.moment(one.at) : one.due ? t("dispatch.limit", { at: desk.moment(one.due) }) : "")),
      ),
    );
  };
  const holders = () => {
    const told = desk.card?.holders || [];
    place.holders.hidden = !told.length;
    place.holders.replaceChildren(
      ...told.map((one) => {
        const who = one.kind === "department" ? desk.named(config.departments, one.code) : one.name || one.code;
        const how = one.refused_at ? t("ticket.card.refused", { reason: one.reason || "" }) : one.responded_at ? t("ticket.card.responded", { at: desk.moment(one.responded_at) }) : one.respond_due ? t("ticket.card.waits") : "";
        const phone = one.phone ? h("a", { href: `tel:${one.phone.replace(/[^\d+]/g, "")}` }, one.phone) : null;
        return h("li", {}, text("em", {}, t(`ticket.card.${one.part}`)), text("b", {}, who), phone, text("small", { class: one.refused_at ? "late" : null }, how));
      }),
    );
  };
  const claim = () => place.claim?.replaceChildren(desk.claimLine());

  // --- the whole pane
  const build = () => {
    const node = pane();
    if (!node) return;
    if (desk.chosen == null) {
      wangge.ticketCard.clear(node.querySelector(".whole"));
      node.className = "empty";
      return node.replaceChildren(h("div", { class: "nothing" }, text("b", {}, t("dispatch.choose")), text("p", {}, t("dispatch.choose.how"))));
    }
    node.className = "";
    for (const name of PARTS) place[name] = h({ facts: "dl", stages: "ol", holders: "ul", head: "header" }[name] || "div", { class: `part ${name}` });
    const rest = PARTS.filter((name) => !["head", "acts"].includes(name)).map((name) => place[name]);
    place.decide = h("div", { class: "decide" }, ...rest);
    place.whole = h("div", { class: "whole", hidden: "" });
    wangge.ticketCard.clear(node.querySelector(".whole"));
    node.replaceChildren(place.head, place.decide, place.whole, place.acts);
    desk.places = place;
    show(whole);
    draw();
    wangge.emit("desk:pane", place);
  };
  const draw = () => [head, chips, said, facts, stages, holders, claim].forEach((one) => one());
  const show = (all) => {
    whole = all;
    place.decide.hidden = place.acts.hidden = all;
    place.whole.hidden = !all;
    wangge.ticketCard.clear(place.whole);
    place.whole.replaceChildren();
    if (all) wangge.ticketCard.show(place.whole, desk.chosen, { closed: () => show(false), changed: () => desk.reload?.() });
    head();
  };
  const failed = (error) => {
    if (desk.card && !error?.status) return; // what is known of it stays; how old the screen is stands above
    if (error?.status === 404) place.said.replaceChildren(text("p", { class: "none" }, t("ticket.card.gone")));
    else place.said.replaceChildren(text("p", { class: "none" }, wangge.sentence(error)), button(t("dispatch.again"), { class: "link" }, () => desk.read()));
  };
  on("desk:chosen", () => {
    whole = false;
    build();
  });
  on("desk:card", (error) => place.head && desk.chosen != null && (error ? failed(error) : draw()));
  on("desk:claim", claim);
  on("desk:rows", () => place.head && desk.chosen != null && (clock(), desk.card || (head(), chips())));
  on("mounted", build);

  wangge.live?.on("snapshot", () => desk.card && desk.read()); // after a gap anything may have changed
  // What happens to it elsewhere comes by itself: signed, refused, arrived, done.
  let told = 0;
  wangge.live?.on("tickets", (news) => {
    const one = news.find((item) => item.id === desk.chosen);
    if (!one || one.version <= (desk.card?.ticket.version ?? 0)) return;
    if (one.kind && told !== one.version && ["sign", "refuse", "start", "handle", "send_back", "respond"].includes(one.kind)) {
      told = one.version;
      desk.toast(t(`dispatch.news.${one.kind}`, { number: one.number ?? one.id }));
    }
    desk.read();
  });
})();
