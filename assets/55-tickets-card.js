// The card of one ticket at a desk: its clock, steps, people, pictures and past, and every command that may be given.
//
// wangge.ticketCard.show(container, id, {changed(ticket), closed()}) fills an element; .clear(container) lets go of it.
(() => {
  "use strict";
  const wangge = window.wangge;
  if (!wangge?.form) return;
  const { t, h, config } = wangge;
  const english = config.language === "en";
  const MAIN = ["accept", "dispatch", "sign", "start", "handle", "close", "verify", "resume", "conclude", "respond", "unmerge"];
  const HEAVY = ["reject", "cancel", "merge", "redo", "reopen", "send_back", "recall", "refuse"];
  const UNDO_S = 60;
  const TOLD = ["worker", "department", "severity", "nature", "risk", "category", "due_at", "supervision", "registered_no"];
  const BY_PROGRAM = { system: "board.by.system", generator: "board.by.generator", import: "board.by.import" };
  const STAMPS = new Set(["due_at"]);

  const date = new Intl.DateTimeFormat(english ? "en-GB" : "zh-CN", { timeZone: config.time_zone, month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const at = (ms) => (ms == null ? "" : date.format(typeof ms === "string" ? Date.parse(ms) : ms));
  const named = (one) => (one ? (english ? one.name_en : one.name) || one.name : null);
  const listed = (list, code) => (list || []).find((one) => one.code === code)?.name ?? code;
  const text = (tag, attributes, words) => h(tag, attributes, String(words));
  const button = (words, attributes, act) => {
    const made = text("button", { type: "button", ...attributes }, words);
    made.addEventListener("click", act);
    return made;
  };
  const section = (title, ...children) => {
    const inside = children.flat().filter(Boolean);
    return inside.length ? h("section", {}, text("h4", {}, title), ...inside) : null;
  };
  const row = (name, value, style) => (value == null || value === "" ? [] : [text("dt", {}, name), h("dd", { class: style || null }, value)]);
  const commandWord = (code, own) => named(own) || config.commands?.[code] || t(`command.${code}`);
  const option = (one) => ({ value: one.value, label: named(one) || t(`ticket.option.${one.value}`) });
  const fieldValue = (name, value) => {
    if (value == null || value === "") return t("ticket.card.none");
    if (STAMPS.has(name)) return at(value);
    const lists = { department: config.departments, severity: config.severities, supervision: config.supervisions };
    return name === "category" ? wangge.categoryName?.(value) ?? value : listed(lists[name], value);
  };

  // --- fields that only tickets have
  const pick = (field) => {
    const node = h("select", { "aria-label": field.label }, h("option", { value: "" }, t("form.choose")));
    for (const kind of ["department", "worker"]) {
      const group = h("optgroup", { label: t(`ticket.field.${kind}`) });
      for (const one of field.options) if (one.value.startsWith(`${kind}:`)) group.append(h("option", { value: one.value }, one.label));
      if (group.children.length) node.append(group);
    }
    const read = () => {
      const [kind, ...code] = node.value.split(":");
      return node.value ? { kind, code: code.join(":") } : undefined;
    };
    return { node, read };
  };
  const rows = (make, least) => {
    const place = h("div", { class: "rows-in" });
    const held = [];
    const add = () => {
      const one = make();
      held.push(one);
      place.append(one.node);
    };
    for (let n = 0; n < least; n += 1) add();
    const more = button(t("ticket.card.add"), { class: "plain" }, () => held.length < 20 && add());
    return { node: h("div", {}, place, more), read: () => held.map((one) => one.read()).filter((value) => value !== undefined) };
  };
  const node = () => {
    const name = h("input", { type: "text", maxlength: "100", placeholder: t("ticket.card.node_name"), "aria-label": t("ticket.card.node_name") });
    const due = h("input", { type: "datetime-local", "aria-label": t("ticket.card.node_due") });
    return { node: h("div", {}, name, due), read: () => (name.value.trim() && due.value ? { name: name.value.trim(), due: wangge.toMoment(due.value) } : undefined) };
  };
  const pictures = () => {
    const input = h("input", { type: "file", accept: "image/jpeg,image/png,image/webp,image/heic", multiple: "", "aria-label": t("ticket.card.upload") });
    const told = h("p", { class: "hint", role: "status" });
    const thumbs = h("div", { class: "thumbs" });
    const ids = [];
    input.addEventListener("change", async () => {
      const files = [...input.files].slice(0, 10 - ids.length);
      input.value = "";
      told.textContent = t("ticket.card.uploading", { n: files.length });
      try {
        for (const file of files) {
          const answer = await wangge.post("/api/pictures", file);
          ids.push(answer.id);
          thumbs.append(h("img", { src: answer.thumbnail_url, alt: "" }));
        }
        told.textContent = "";
      } catch (error) {
        told.textContent = error?.details?.[0]?.expected ? t("form.expected", { expected: error.details[0].expected }) : wangge.sentence(error);
      }
    });
    return { node: h("div", {}, input, thumbs, told), read: () => (ids.length ? [...ids] : undefined) };
  };
  wangge.form.KINDS.nodes = () => rows(node, 2);
  wangge.form.KINDS.pictures = pictures;
  wangge.form.KINDS.callee = pick;
  wangge.form.KINDS.callees = (field) => rows(() => pick(field), 1);

  const VALUES = { tier: Number, node: Number, passed: (value) => value === "true" };
  const order = (values) => Object.fromEntries(Object.entries(values).map(([name, value]) => [name, VALUES[name] ? VALUES[name](value) : value]));

  // --- the parts of a card
  const clockPart = ({ ticket, clock }, now) => {
    const open = ticket.closed_at == null;
    if (!clock || ticket.due_at == null) return h("div", { class: "tc-clock" }, text("b", {}, t("ticket.card.no_deadline")));
    const left = (ticket.due_at - now) / 1000;
    const state = clock.state;
    const words = state === "paused" ? t("ticket.card.paused") : !open ? t(state === "missed" ? "ticket.card.missed" : "ticket.card.met") : left < 0 ? t("ticket.card.late", { span: wangge.span(-left) }) : t("ticket.card.left", { span: wangge.span(left) });
    const style = open && left < 0 && state !== "paused" ? "late" : open && (state === "soon" || state === "due") ? "soon" : "";
    const sign = { late: "\u25b2 ", soon: "\u25c6 " }[style] || "";
    const notes = [t("ticket.card.due", { at: at(ticket.due_at) })];
    if (clock.provisional) notes.push(t("ticket.card.provisional"));
    if (ticket.dispatched_at && !ticket.signed_at && open && clock.unsigned_s != null) notes.push(t("ticket.card.unsigned", { span: wangge.span(clock.unsigned_s) }));
    if (ticket.respond_due) notes.push(t("ticket.card.respond", { at: at(ticket.respond_due) }));
    if (ticket.suspended_until) notes.push(t("ticket.card.suspended", { at: at(ticket.suspended_until) }));
    return h(
      "div",
      { class: `tc-clock ${style}` },
      text("b", {}, sign + words),
      h("i", { class: "bar", style: `--share:${Math.min(1, clock.share)}` }),
      text("span", {}, notes.join(" \u00b7 ")),
      wangge.clockPart(clock),
    );
  };
  const stagesPart = ({ stages }) =>
    h(
      "ol",
      { class: stages.stages.length > 7 ? "tc-stages many" : "tc-stages", "aria-label": named(stages.way) },
      ...stages.stages.map((one) => {
        const when = one.at ? at(one.at) : one.due ? at(one.due) : "";
        return h("li", { class: `${one.standing}${one.late ? " late" : ""}`, title: [named(one), when, one.by].filter(Boolean).join(" \u00b7 "), "aria-current": one.standing === "current" ? "step" : null }, h("i"), text("span", {}, named(one)), text("time", {}, one.at ? at(one.at) : ""));
      }),
    );
  const chips = ({ ticket }) => {
    const told = [text("span", { class: "state" }, config.statuses?.[ticket.status] || ticket.status)];
    const chip = (words, style) => told.push(text("span", { class: style || null }, words));
    if (ticket.severity) chip(listed(config.severities, ticket.severity));
    if (ticket.supervised_at) chip([t("ticket.card.supervised"), ticket.supervision ? listed(config.supervisions, ticket.supervision) : null].filter(Boolean).join(" \u00b7 "), "strong");
    if (ticket.escalation) chip(t("ticket.card.escalation", { n: ticket.escalation }), "strong");
    if (ticket.redos) chip(t("ticket.card.redos", { n: ticket.redos }));
    if (ticket.transfers) chip(t("ticket.card.transfers", { n: ticket.transfers }));
    if (ticket.registered_no) chip(t("ticket.card.registered", { no: ticket.registered_no }));
    if (ticket.merged_into) chip(t("ticket.card.merged", { id: ticket.merged_into }));
    return h("div", { class: "tc-chips" }, ...told);
  };
  const saidPart = ({ ticket }) => {
    const place = ticket.path.filter((step) => step.no !== config.root.no).map((step) => (english ? wangge.areaName(step.no) : step.name)).join(" \u203a ");
    return section(
      t("ticket.card.said"),
      ticket.description ? text("p", { class: "said" }, ticket.description) : text("p", { class: "none" }, t("ticket.card.nothing_said")),
      h("dl", {}, ...row(t("ticket.card.place"), [place, ticket.address].filter(Boolean).join(" \u00b7 ")), ...row("", t(`ticket.card.located.${ticket.location}`), "quiet"),
        ...row(t("ticket.card.category"), wangge.categoryName?.(ticket.category) ?? ticket.category), ...row(t("ticket.card.channel"), listed(config.channels, ticket.channel)),
        ...row(t("ticket.card.source_id"), ticket.source_id), ...row(t("ticket.card.reported"), at(ticket.reported_at))),
    );
  };
  const peoplePart = ({ ticket, holders }) => {
    if (!holders.length) return section(t("ticket.card.people"), text("p", { class: "none" }, t("ticket.card.nobody")));
    const items = holders.map((one) => {
      const who = one.kind === "department" ? listed(config.departments, one.code) : one.name || one.code;
      const how = one.refused_at ? t("ticket.card.refused", { reason: one.reason || "" }) : one.responded_at ? t("ticket.card.responded", { at: at(one.responded_at) }) : one.respond_due ? t("ticket.card.waits") : "";
      const phone = one.phone ? h("a", { href: `tel:${one.phone.replace(/[^\d+]/g, "")}` }, one.phone) : null;
      return h("li", {}, text("em", {}, t(`ticket.card.${one.part}`)), text("b", {}, who), phone, text("small", { class: one.refused_at ? "late" : null }, how));
    });
    const nodes = ticket.nodes.map((one, n) => h("li", { class: one.done_at ? "done" : null }, text("em", {}, n + 1), text("b", {}, one.name), text("small", {}, one.done_at ? `\u2713 ${at(one.done_at)}` : at(one.due))));
    return h("div", { class: "tc-both" }, section(t("ticket.card.people"), h("ul", { class: "people" }, ...items)), nodes.length ? section(t("ticket.card.nodes"), h("ul", { class: "people" }, ...nodes)) : null);
  };
  const picturesPart = ({ pictures: shown }) =>
    section(t("ticket.card.pictures"), shown.length ? h("div", { class: "thumbs" }, ...shown.map((one) => h("a", { href: `/api/pictures/${one.id}`, target: "_blank", rel: "noopener", title: t("ticket.card.picture_by", { by: one.sent_by, at: at(one.sent_at) }) }, h("img", { src: `/api/pictures/${one.id}/thumb`, alt: t("ticket.card.pictures"), loading: "lazy" })))) : []);
  const spotPart = ({ spot }, open) => {
    if (!spot) return null;
    if (!spot.tickets) return section(t("ticket.card.spot"), text("p", { class: "none" }, t("ticket.card.spot_none", { m: spot.radius_m })));
    const items = spot.latest.map((one) => h("li", {}, text("time", {}, at(one.reported_at)), button(wangge.categoryName?.(one.category) ?? one.category, { class: "link" }, () => open(one.id)), text("small", {}, config.statuses?.[one.status] || one.status)));
    return section(t("ticket.card.spot"), text("p", { class: "lead" }, t("ticket.card.spot_of", { m: spot.radius_m, n: spot.tickets, k: spot.same_kind })), h("ul", { class: "spot" }, ...items));
  };
  const coursePart = ({ history }) => {
    const items = [...history].reverse().map((one) => {
      const data = one.data || {};
      const word = one.kind === "tick" ? t(`ticket.moment.${data.moment}`) : commandWord(one.kind);
      const source = one.source ? t(`ticket.source.${one.source.split(":")[0]}`) : null;
      const said = [data.reason, data.result, data.decision, data.question, data.comment, data.finding, one.note].filter(Boolean);
      const changed = TOLD.filter((name) => one.before && one.after && name in one.after && one.before[name] !== one.after[name]).map((name) =>
        t("ticket.card.changes", { field: name === "due_at" ? t("ticket.card.due", { at: "" }).trim() : t(`ticket.field.${name}`), before: fieldValue(name, one.before[name]), after: fieldValue(name, one.after[name]) }),
      );
      return h("li", { class: one.kind === "tick" ? "tick" : null }, h("i"), h("p", {}, text("b", {}, word), text("span", {}, [BY_PROGRAM[one.actor] ? t(BY_PROGRAM[one.actor]) : one.actor, source].filter(Boolean).join(" \u00b7 ")), text("time", {}, at(one.at))), ...said.map((words) => text("p", { class: "said" }, words)), changed.length ? text("small", {}, changed.join("\uff1b")) : null);
    });
    return section(t("ticket.card.course"), h("ol", { class: "tc-course" }, ...items));
  };
  const duplicatesPart = (found, card, merge, open) => {
    if (!found.length) return section(t("ticket.card.duplicates"), text("p", { class: "none" }, t("ticket.card.no_duplicates")));
    const items = found.map((one) =>
      h("li", {}, h("p", {}, button(one.title || wangge.categoryName?.(one.category) || one.number, { class: "link" }, () => open(one.id)), text("b", {}, t("ticket.card.likeness", { n: one.likeness }))),
        text("small", {}, [config.statuses?.[one.status] || one.status, one.distance_m == null ? null : t("ticket.card.metres", { n: Math.round(one.distance_m) }), at(Date.parse(one.reported_at)), ...one.reasons.map((why) => why.text)].filter(Boolean).join(" \u00b7 ")),
        merge ? button(t("ticket.card.merge_into"), { class: "plain" }, () => merge(one.id)) : null),
    );
    return section(t("ticket.card.duplicates"), h("ul", { class: "tc-alike" }, ...items));
  };
  const voicesPart = (voices) =>
    voices.length < 2 ? null : section(t("ticket.card.voices"), h("ul", { class: "tc-voices" }, ...voices.map((one) => h("li", {}, h("p", {}, text("b", {}, listed(config.channels, one.channel)), text("time", {}, at(Date.parse(one.reported_at)))), text("p", { class: "said" }, [one.title, one.description].filter(Boolean).join("\uff1a"))))));

  // --- one shown card
  const shown = new WeakMap(); // container → its state
  const ask = async (url) => {
    const answer = await fetch(url);
    if (answer.status === 401) wangge.signIn();
    if (!answer.ok) throw { status: answer.status };
    return answer.json();
  };
  const load = async (state) => {
    const turn = (state.turn += 1);
    try {
      const card = await ask(`/api/tickets/${state.id}/card`);
      if (turn !== state.turn) return;
      state.ahead = card.as_of - Date.now();
      state.card = card;
      draw(state);
      state.told.changed?.(card.ticket);
      extras(state, turn);
    } catch (error) {
      if (turn !== state.turn) return;
      const gone = error?.status === 404 || error?.status === 403;
      if (state.card && !gone) return say(state, t("ticket.card.away")); // what is shown stays
      state.body.replaceChildren(gone ? text("p", { class: "none" }, t("ticket.card.gone")) : button(t("ticket.card.away"), { class: "plain" }, () => load(state)));
    }
  };
  const extras = async (state, turn) => {
    const may = state.card.commands.some((one) => one.command === "merge");
    const lang = `lang=${encodeURIComponent(config.language)}`;
    const [alike, voices] = await Promise.all([
      may ? ask(`/api/tickets/${state.id}/duplicates?${lang}`).catch(() => []) : null,
      config.rights.includes("people") ? ask(`/api/tickets/${state.id}/voices`).catch(() => []) : [],
    ]);
    if (turn !== state.turn) return;
    const merge = may ? (into) => openForm(state, state.card.commands.find((one) => one.command === "merge"), { into: String(into) }) : null;
    state.extra.replaceChildren(...[alike && duplicatesPart(alike, state.card, merge, (id) => wangge.ticketCard.show(state.container, id, state.told)), voicesPart(voices)].filter(Boolean));
  };
  const openForm = (state, command, values = {}) => {
    const word = commandWord(command.command, command.word);
    const fields = command.fields.map((one) => ({ ...one, label: t(`ticket.field.${one.name}`), options: one.options.map(option), value: values[one.name] })).filter((one) => !["choice", "select", "checks"].includes(one.kind) || one.options.length);
    const form = wangge.form({
      fields, submit: t("ticket.card.send", { command: word }), danger: HEAVY.includes(command.command),
      send: (given) => send(state, command, order(given)),
      withdrawn: () => closeForm(state),
      stale: () => load(state),
    });
    state.form = { command: command.command, form };
    state.place.replaceChildren(text("h4", {}, word), form);
    state.bar.querySelectorAll("button").forEach((one) => one.setAttribute("aria-expanded", String(one.dataset.command === command.command)));
    state.place.scrollIntoView({ block: "nearest" });
    form.querySelector("input,select,textarea")?.focus();
    return form;
  };
  const closeForm = (state) => {
    state.form = null;
    state.place.replaceChildren();
    state.bar.querySelectorAll("button").forEach((one) => one.removeAttribute("aria-expanded"));
  };
  const send = async (state, command, values) => {
    const asked = state.card.ticket.version;
    const own = state.form;
    if (command.command !== "undo" && values.into !== undefined) values.into = Number(values.into);
    try {
      await wangge.post(`/api/tickets/${state.id}/${command.command}`, { version: asked, ...values });
    } catch (error) {
      const last = error?.code === "stale_version" ? error.details?.[0]?.last : null;
      if (last != null) error.message = t("ticket.card.stale", { last });
      if (last != null) throw { ...error, code: "told" };
      throw error;
    }
    if (state.form === own) closeForm(state); // not one that was opened while this was on its way
    say(state, command.command === "undo" ? t("ticket.card.undone") : t("ticket.card.done", { command: commandWord(command.command, command.word) }));
    await load(state);
  };
  const say = (state, words) => {
    state.said = { words, at: Date.now() };
    drawSaid(state);
  };
  const drawSaid = (state) => {
    clearTimeout(state.timer);
    const undo = state.card?.commands.find((one) => one.command === "undo");
    const last = state.card?.history.at(-1);
    const left = undo && last ? Math.ceil(UNDO_S - (Date.now() + (state.ahead || 0) - last.at) / 1000) : 0;
    const fresh = state.said && Date.now() - state.said.at < 8000;
    state.toast.replaceChildren(...[fresh ? text("span", {}, state.said.words) : null, left > 0 ? button(t("ticket.card.undo_for", { n: left }), { class: "plain" }, () => send(state, undo, {}).catch((error) => say(state, error.message || wangge.sentence(error)))) : null].filter(Boolean));
    state.toast.hidden = !state.toast.children.length;
    if (!state.toast.hidden) state.timer = setTimeout(() => drawSaid(state), 1000);
  };
  const draw = (state) => {
    const { card } = state;
    const { ticket } = card;
    const now = Date.now() + state.ahead;
    const given = card.commands.filter((one) => one.command !== "undo");
    const first = MAIN.map((code) => given.find((one) => one.command === code)).find(Boolean) || null;
    const make = (one, style) => button(commandWord(one.command, one.word), { class: style || null, "data-command": one.command }, () => openForm(state, one));
    const rest = given.filter((one) => one !== first);
    const few = rest.filter((one) => MAIN.includes(one.command) || ["whistle", "transfer", "supervise", "remark"].includes(one.command)).slice(0, 3);
    const more = rest.filter((one) => !few.includes(one));
    const menu = more.length ? h("details", { class: "more" }, text("summary", {}, t("ticket.card.more")), h("div", {}, ...more.map((one) => make(one)))) : null;
    state.bar.replaceChildren(...[first && make(first, "main"), ...few.map((one) => make(one)), menu, given.length ? null : text("p", { class: "none" }, t("ticket.card.only_look"))].filter(Boolean));
    menu?.addEventListener("click", (event) => event.target.closest("button") && menu.removeAttribute("open"));
    if (state.form) state.bar.querySelector(`[data-command="${state.form.command}"]`)?.setAttribute("aria-expanded", "true");
    const title = ticket.title || wangge.categoryName?.(ticket.category) || ticket.category;
    state.head.replaceChildren(text("small", {}, t("ticket.card.number", { number: ticket.number })), text("h3", {}, title), chips(card), button("\u00d7", { class: "close", "aria-label": t("ticket.card.close") }, () => state.told.closed?.()));
    const open = (id) => wangge.ticketCard.show(state.container, id, state.told);
    state.body.replaceChildren(...[clockPart(card, now), stagesPart(card), card.stages.assumed ? text("p", { class: "generated" }, named(card.stages.assumed)) : null].filter(Boolean));
    state.rest.replaceChildren(...[saidPart(card), peoplePart(card), picturesPart(card), state.extra, spotPart(card, open), coursePart(card), ticket.generated ? text("p", { class: "generated" }, t("ticket.card.generated")) : null].filter(Boolean));
    drawSaid(state);
  };
  wangge.ticketCard = {
    show(container, id, told = {}) {
      wangge.ticketCard.clear(container);
      const part = (name, tag = "div") => h(tag, { class: `tc-${name}` });
      const state = { id, told, container, turn: 0, head: part("head", "header"), toast: h("div", { class: "tc-toast", role: "status", hidden: "" }), body: part("body"), bar: part("bar"), place: part("form"), rest: part("rest"), extra: part("extra") };
      state.body.append(text("p", { class: "none" }, t("ticket.card.loading")));
      container.classList.add("ticket-card");
      container.replaceChildren(state.head, state.body, state.bar, state.toast, state.place, state.rest);
      shown.set(container, state);
      state.stop = wangge.live?.on("tickets", (news) => {
        if (!container.isConnected) return wangge.ticketCard.clear(container);
        if (news.some((one) => one.id === id && one.version > (state.card?.ticket.version ?? 0))) load(state);
      });
      state.tick = setInterval(() => {
        if (!container.isConnected) return wangge.ticketCard.clear(container);
        if (state.card && !document.hidden) state.body.firstChild?.replaceWith(clockPart(state.card, Date.now() + state.ahead));
      }, 30000);
      load(state);
    },
    clear(container) {
      const state = container && shown.get(container);
      if (!state) return;
      state.turn += 1;
      state.stop?.();
      clearInterval(state.tick);
      clearTimeout(state.timer);
      shown.delete(container);
    },
  };
})();
