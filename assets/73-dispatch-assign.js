// Assigning: to a candidate at once, or with note, deadline and joint holders; whistle, transfer, onward; recall; undo.
(() => {
  "use strict";
  const desk = window.wangge?.desk;
  if (!desk || desk.pane === "map") return;
  const wangge = window.wangge;
  const { t, h, on, config } = wangge;
  const { text, button } = desk;
  const HELD = new Set(["dispatched", "transferred", "signed", "in_progress"]);
  const OPEN = new Set(["reported", "accepted", "returned", "reopened", ...HELD]);

  // --- what goes with an assignment: shown before sending, kept until it was done or the ticket was left
  let form = null; // {id, note, due, joint} elements of the chosen ticket
  const options = () => {
    const place = desk.places?.options;
    if (!place) return;
    const note = h("textarea", { rows: "2", maxlength: "1000", "aria-label": t("dispatch.note"), placeholder: t("dispatch.note.hint") });
    const due = h("input", { type: "datetime-local", "aria-label": t("dispatch.due") });
    const joint = h("div", { class: "joint", role: "group", "aria-label": t("dispatch.joint") });
    for (const one of config.departments) joint.append(h("label", {}, h("input", { type: "checkbox", value: one.code }), one.name));
    const told = text("span", {}, "");
    const box = h("details", {}, h("summary", {}, text("b", {}, t("dispatch.options")), told), h("div", {}, h("label", {}, text("span", {}, t("dispatch.note")), note), h("label", {}, text("span", {}, t("dispatch.due")), due), h("div", {}, text("span", {}, t("dispatch.joint")), joint)));
    form = { id: desk.chosen, note, due, joint };
    const tell = () => {
      const given = carried();
      const words = [given.note && `\u201c${given.note}\u201d`, given.due_at && t("dispatch.limit", { at: desk.moment(Date.parse(given.due_at)) }), given.joint && t("dispatch.joint.n", { n: given.joint.length })].filter(Boolean);
      told.textContent = words.join(" \u00b7 ") || t("dispatch.options.none");
      box.classList.toggle("set", words.length > 0);
    };
    box.addEventListener("input", tell);
    tell();
    place.replaceChildren(box);
  };
  const carried = () => {
    if (!form || form.id !== desk.chosen) return {};
    const joint = [...form.joint.querySelectorAll(":checked")].map((one) => ({ kind: "department", code: one.value }));
    return { ...(form.note.value.trim() ? { note: form.note.value.trim() } : {}), ...(form.due.value ? { due_at: wangge.toMoment(form.due.value) } : {}), ...(joint.length ? { joint } : {}) };
  };

  // A whistle has a deadline of its own.
  const given = (via) => {
    const { due_at, ...rest } = carried();
    return via === "whistle" || !due_at ? rest : { ...rest, due_at };
  };

  // --- the assignment; a refusal says who and when, and what was typed stays
  const version = () => desk.card?.ticket.version ?? desk.row(desk.chosen)?.version;
  let sending = null;
  const assign = async (to, who, more = {}) => {
    const id = desk.chosen;
    if (id == null || sending === id || version() == null) return false;
    const via = more.via || (HELD.has(desk.card?.ticket.status) ? "transfer" : "dispatch");
    if (via === "transfer" && !more.note && !carried().note) return wants();
    sending = id;
    mark(true);
    try {
      const done = await desk.command(`/api/dispatch/tickets/${id}/assign`, { version: version(), to, ...given(via), ...more, via });
      undoable = { id, version: done.ticket.version, until: done.undo_until };
      const seconds = Math.max(5, Math.round((done.undo_until - desk.now()) / 1000));
      desk.toast(t("dispatch.assigned", { who, number: done.ticket.number ?? id }), { act: desk.undo, label: t("dispatch.undo"), seconds });
      if (desk.chosen === id) {
        form = null;
        desk.mineBefore = null; // the assignment gave the claim up
        desk.next();
      }
      desk.reload();
      return true;
    } catch (error) {
      refused(error, id);
      return false;
    } finally {
      if (sending === id) sending = null;
      mark(false);
    }
  };
  // Who has it already is told why it goes to somebody else.
  const wants = () => {
    const box = desk.places.options.querySelector("details");
    box.open = true;
    box.querySelector("textarea").focus();
    desk.toast(t("dispatch.reassign.why"), { bad: true });
    return false;
  };
  desk.held = () => HELD.has(desk.card?.ticket.status);
  const mark = (on) => document.querySelectorAll("#ticket [data-assign],#ticket .acts button").forEach((one) => (one.disabled = on));
  const refused = (error, id) => {
    const told = error.details?.[0] || {};
    desk.toast(error.code === "unanswered" ? t("dispatch.unanswered") : t("dispatch.conflict", { why: desk.refusal(error) }), { bad: true, seconds: 20 });
    if (desk.chosen !== id) return;
    if (error.code === "claimed") wangge.emit("desk:claim", (desk.claim = { mine: false, ...told }));
    if (error.status === 409) desk.read();
    desk.reload();
  };
  desk.assignTo = (one) => assign({ kind: one.kind, code: one.code }, desk.who(one), { via: one.kind === "department" && HELD.has(desk.card?.ticket.status) ? "transfer" : undefined });
  desk.assignMeant = () => {
    const one = desk.candidates?.rows[desk.candidate];
    one ? desk.assignTo(one) : desk.toast(t(`dispatch.candidates.${desk.candidates ? "none" : "wait"}`), { bad: true, seconds: 4 });
  };

  // --- undo: the last assignment, or that of many
  let undoable = null;
  desk.remember = (undo) => (undoable = undo);
  desk.undo = async () => {
    const last = undoable;
    if (!last) return desk.toast(t("dispatch.undo.none"), { seconds: 4 });
    undoable = null;
    try {
      if (last.act) return await last.act();
      const done = await desk.command(`/api/dispatch/tickets/${last.id}/undo`, { version: last.version });
      desk.toast(t("dispatch.undone", { status: desk.status(done.ticket.status) }));
      desk.choose(last.id, { by: "undo" });
    } catch (error) {
      const again = !error.status && { act: desk.undo, label: t("dispatch.undo") }; // no answer came: once more does it once
      if (again) undoable ??= last;
      const words = error.code === "unanswered" ? t("dispatch.undo.unanswered") : t("dispatch.undo.refused", { why: wangge.sentence(error) });
      desk.toast(words, { bad: true, ...again });
    }
    desk.reload();
  };

  // --- the other ways: in place of the candidates, as long as one of them is open
  let way = null;
  const department = () => ({ name: "department", kind: "select", label: t("dispatch.department"), required: true, options: config.departments.map((one) => ({ value: one.code, label: one.name })) });
  const WAYS = {
    whistle: () => ({
      fields: [department(), { name: "note", kind: "words", label: t("dispatch.because"), required: true, most: 1000 }],
      send: ({ department: code, ...more }) => assign({ kind: "department", code }, desk.named(config.departments, code), { ...more, via: "whistle" }),
    }),
    transfer: () => ({
      fields: [department(), { name: "note", kind: "words", label: t("dispatch.because"), required: true, most: 1000 }],
      send: ({ department: code, ...more }) => assign({ kind: "department", code }, desk.named(config.departments, code), { ...more, via: HELD.has(desk.card?.ticket.status) ? "transfer" : "dispatch" }),
    }),
    onward: () => ({
      fields: [
        { name: "onward", kind: "choice", label: t("dispatch.onward.to"), required: true, value: "12345", options: ["12345", "mediation"].map((value) => ({ value, label: t(`dispatch.onward.${value}`) })) },
        { name: "note", kind: "words", label: t("dispatch.because"), required: true, most: 1000 },
      ],
      send: ({ onward, ...more }) => assign(undefined, t(`dispatch.onward.${onward}`), { ...more, onward, via: "onward" }),
    }),
    recall: () => ({
      danger: true,
      fields: [{ name: "reason", kind: "words", label: t("dispatch.because"), required: true, most: 1000 }],
      send: async (values) => {
        const id = desk.chosen;
        try {
          await desk.command(`/api/dispatch/tickets/${id}/recall`, { version: version(), ...values });
          desk.toast(t("dispatch.recalled"));
          if (desk.chosen === id) await desk.read();
        } catch (error) {
          refused(error, id);
          return false;
        }
        desk.reload();
        return true;
      },
    }),
  };
  desk.way = (name) => {
    const place = desk.places?.acts;
    if (!place || desk.chosen == null || !desk.card) return;
    if (!ways().includes(name)) return desk.toast(t("dispatch.way.not_now", { way: t(`dispatch.way.${name}`), status: desk.status(desk.card.ticket.status) }), { seconds: 4 });
    way = name;
    const id = desk.chosen;
    const { send, ...told } = WAYS[name]();
    const made = wangge.form({
      ...told,
      submit: t(`dispatch.way.${name}`),
      note: t(`dispatch.way.${name}.note`),
      withdrawn: () => acts(true),
      send: async (values) => {
        if ((await send(values)) && desk.chosen === id) acts(true);
      },
    });
    place.replaceChildren(h("div", { class: "way-form" }, text("h3", {}, t(`dispatch.way.${name}`)), made));
    made.querySelector("select,textarea,input")?.focus();
  };
  const ways = () => {
    const status = desk.card?.ticket.status;
    if (!OPEN.has(status)) return [];
    return HELD.has(status) ? ["whistle", "transfer", "recall"] : ["whistle", "transfer", "onward"];
  };
  const acts = (anew = false) => {
    const place = desk.places?.acts;
    if (!place || (way && !anew)) return; // what is being typed stays
    way = null;
    const key = { whistle: "W", transfer: "T", onward: "N", recall: "R" };
    place.replaceChildren(...ways().map((name) => button([t(`dispatch.way.${name}`), key[name] ? h("kbd", {}, key[name]) : ""], { "data-way": name }, () => desk.way(name))), button(t("dispatch.more_commands"), { class: "last" }, () => document.getElementById("whole")?.click()));
  };
  on("desk:pane", () => {
    way = null;
    options();
    acts(true);
  });
  on("desk:card", (error) => error || acts());
})();
