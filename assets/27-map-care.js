// The card of a person owed care: masked, opened for a reason while the minutes run, visits written down; and its entry.
(() => {
  "use strict";
  const wangge = window.wangge;
  const map = wangge?.map;
  if (!map || !map.spec("visits")) return;
  const { config, t, h } = wangge;
  const { text, button } = map.dom;
  const { BODY, MORE, SOURCE, renew, row, list, word, made, element } = map.cards;
  const may = (right) => config.rights.includes(right);
  const OUTCOMES = ["ok", "absent", "needs_help"];
  const SHORTEST_REASON = 5;
  const LONGEST = 200;

  const days = new Intl.DateTimeFormat(config.language === "en" ? "en-GB" : "zh-CN", { timeZone: "UTC", year: "numeric", month: "2-digit", day: "2-digit" });
  const day = (iso) => (iso ? days.format(new Date(`${iso}T00:00:00Z`)) : null);
  const today = () => new Intl.DateTimeFormat("sv-SE", { timeZone: config.time_zone }).format(wangge.now ? wangge.now() : Date.now());
  const categories = config.care || [];

  // --- forms: a label over each field, errors beside it and read out
  let serial = 0;
  const field = (name, words, input) => {
    const id = `wg-field-${(serial += 1)}`;
    input.id = id;
    input.name = name;
    input.setAttribute("aria-describedby", `${id}-error`);
    return h("p", { class: "wg-field", "data-field": name }, text("label", { for: id }, words), input, h("small", { id: `${id}-error`, class: "wg-error", role: "alert" }));
  };
  const clean = (form) => {
    for (const error of form.querySelectorAll(".wg-error")) error.textContent = "";
    for (const input of form.querySelectorAll("[aria-invalid]")) input.removeAttribute("aria-invalid");
  };
  // Says what is wrong beside the fields that the answer names, else below the form; the first gets the focus.
  const complain = (form, error) => {
    const general = form.querySelector(".wg-form-error");
    let first = null;
    for (const { where, message } of error.details || []) {
      const name = String(where).replace(/^body\./, "").split(".")[0];
      const box = form.querySelector(`[data-field="${CSS.escape(name)}"]`);
      if (!box) continue;
      const key = `care.error.field.${name}`;
      box.querySelector(".wg-error").textContent = t(key) === key ? message : t(key);
      const input = box.querySelector("input,select,textarea");
      input?.setAttribute("aria-invalid", "true");
      first = first || input;
    }
    const key = `care.error.${error.code}`;
    general.textContent = t(key) === key ? t("care.error.other", { message: error.message || "" }) : t(key);
    (first || general).focus();
  };
  const require = (form, name, good) => {
    if (good) return true;
    complain(form, { code: "invalid", details: [{ where: name, message: "" }] });
    return false;
  };
  const form = (label, parts, save, send, cancel) => {
    const done = button(save, { class: "wg-primary", type: "submit" }, () => {});
    const box = h("form", { class: "wg-form", "aria-label": label, novalidate: "" }, ...parts, h("p", { class: "wg-error wg-form-error", role: "alert", tabindex: "-1" }), h("div", { class: "wg-form-actions" }, button(t("care.open.cancel"), {}, cancel), done));
    box.addEventListener("submit", async (event) => {
      event.preventDefault();
      clean(box);
      if (done.disabled) return;
      done.disabled = true;
      try {
        await send(box);
      } catch (error) {
        if (!error.code) console.error(error);
        if (box.isConnected) complain(box, error.code ? error : { code: "other", message: String(error.message || error) });
      } finally {
        done.disabled = false;
      }
    });
    box.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      cancel();
    });
    return box;
  };

  // --- the time that is left of an opened record: at its end what was shown goes, whatever the network does
  let clock = 0;
  const countdown = (card) => {
    const left = h("b", { role: "timer", "aria-live": "off" });
    const ends = Date.now() + (card.open_until - card.as_of);
    const tick = () => {
      const seconds = Math.ceil((ends - Date.now()) / 1000);
      if (!left.isConnected || seconds <= 0) {
        clearInterval(clock);
        if (left.isConnected) close(card);
        return;
      }
      left.textContent = t("care.open.left", { left: `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}` });
    };
    clearInterval(clock);
    clock = setInterval(tick, 1000);
    requestAnimationFrame(tick);
    return h("p", { class: "wg-opened" }, left, text("span", {}, t("care.open.because", { reason: card.reason })));
  };
  const close = async (card) => {
    const body = element()?.querySelector(".wg-card-body");
    const within = element()?.contains(document.activeElement);
    const title = element()?.querySelector("h3");
    if (title) title.textContent = `${card.name.slice(0, 1)}**`;
    element()?.setAttribute("aria-label", title?.textContent || "");
    element()?.querySelector("footer")?.remove();
    body?.replaceChildren(text("p", { class: "wg-said" }, t("care.closed")));
    try {
      const fresh = await map.fetch(SOURCE.care(card.id), { retry: false });
      renew("care", card.id, { ...fresh, said: t("care.closed") });
      if (!within) return;
      element()?.focus({ preventScroll: true });
    } catch (error) {
      console.error(error);
    }
  };

  // --- the card
  SOURCE.care = (id) => `/api/care/${id}`;
  const MARK = { overdue: ["\u2665 ", "late"], due: ["\u2661 ", "soon"], later: ["", ""], ended: ["", ""] };
  BODY.care = (card) => {
    const opened = card.open_until != null;
    const ask = (make) => () => {
      const box = element();
      const asked = make(card);
      box.querySelector(".wg-card-body").append(asked);
      box.querySelector("footer").hidden = true;
      asked.scrollIntoView({ block: "nearest" });
      asked.querySelector("textarea,select,input")?.focus();
    };
    const [sign, style] = MARK[card.state];
    const phone = opened && card.phone ? h("a", { href: `tel:${card.phone.replace(/[^\d+]/g, "")}` }, card.phone) : card.phone;
    const contacts = card.contacts.map((one) => {
      const reach = opened && one.phone ? h("a", { href: `tel:${one.phone.replace(/[^\d+]/g, "")}` }, one.phone) : one.phone;
      return h("li", {}, text("span", {}, word(one.role)), text("b", {}, one.name), h("span", {}, reach || "\u2013"));
    });
    const visits = card.visits.map((visit) =>
      h("li", {}, text("span", {}, t(`care.outcome.${visit.outcome}`)), text("time", {}, day(visit.visited_on)), visit.note ? text("p", {}, visit.note) : null),
    );
    const here = map.visitsAt(card.id);
    const next = here.length > 1 ? here[(here.indexOf(card.id) + 1) % here.length] : null;
    const over = card.state === "ended";
    const late = card.state === "overdue" ? Math.round((Date.parse(today()) - Date.parse(card.next_visit_on)) / 86400000) : 0;
    return {
      kicker: t("care.kicker", { code: card.code }),
      title: card.name,
      parts: [
        card.said ? text("p", { class: "wg-status", role: "status" }, card.said) : null,
        opened ? countdown(card) : null,
        list(
          row(t("care.category"), word(card.category)),
          row(t("care.state"), sign + (late > 0 ? t("care.state.overdue_by", { n: late }) : t(`care.state.${card.state}`)), style),
          row(t("care.next"), over ? null : day(card.next_visit_on)),
          row(t("care.last"), day(card.last_visit_on) || t("care.never")),
          row(t("care.plan"), t("care.plan.days", { n: card.every_days })),
          row(t("care.phone"), phone || t("care.none")),
          opened ? row(t("care.building"), card.building || t("care.none")) : null,
          opened ? row(t("care.id_number"), card.id_number || t("care.none")) : null,
        ),
        h("section", {}, text("h4", {}, t("care.contacts")), contacts.length ? h("ul", { class: "wg-contacts" }, ...contacts) : text("p", {}, t("care.no_contacts"))),
        h("section", {}, text("h4", {}, t("care.visits")), visits.length ? h("ol", { class: "wg-steps wg-visits" }, ...visits) : text("p", {}, t("care.no_visits"))),
        opened ? null : text("p", { class: "wg-hint" }, t("care.masked")),
        made(card),
      ],
      actions: [
        may("care.open") && !opened ? button(t("care.open"), {}, ask(openForm)) : null,
        may("care.open") && !over ? button(t("care.visit"), { class: "wg-primary" }, ask(visitForm)) : null,
        next ? button(t("care.next_here", { n: here.indexOf(card.id) + 1, count: here.length }), {}, () => map.open("care", next)) : null,
      ],
    };
  };
  const putAway = (card) => () => {
    const box = element();
    box?.querySelector(".wg-form")?.remove();
    const footer = box?.querySelector("footer");
    if (footer) footer.hidden = false;
    footer?.querySelector("button")?.focus();
  };
  const area = (attributes) => h("textarea", { rows: "2", maxlength: LONGEST, autocomplete: "off", ...attributes });

  const openForm = (card) => {
    const reason = area({ required: "" });
    const send = async (box) => {
      if (!require(box, "reason", reason.value.trim().length >= SHORTEST_REASON)) return;
      const fresh = await wangge.post(`${SOURCE.care(card.id)}/open`, { reason: reason.value });
      renew("care", card.id, fresh);
      element()?.focus({ preventScroll: true });
    };
    return form(t("care.open"), [field("reason", t("care.open.reason"), reason)], t("care.open.do", { n: card.open_minutes }), send, putAway(card));
  };

  const visitForm = (card) => {
    const outcome = h("select", {}, ...OUTCOMES.map((one) => text("option", { value: one }, t(`care.outcome.${one}`))));
    const visited = h("input", { type: "date", value: today(), max: today(), min: card.started_on });
    const note = area({});
    const send = async (box) => {
      if (!require(box, "visited_on", visited.value && visited.value <= today())) return;
      const fresh = await wangge.post(`${SOURCE.care(card.id)}/visits`, { outcome: outcome.value, visited_on: visited.value, note: note.value.trim() || null });
      const said = outcome.value === "absent" ? "care.visit.absent" : "care.visit.saved";
      renew("care", card.id, { ...fresh, said: t(said, { day: day(fresh.next_visit_on) }) });
      wangge.emit("care:changed");
      element()?.focus({ preventScroll: true });
    };
    const parts = [field("outcome", t("care.visit.outcome"), outcome), field("visited_on", t("care.visit.day"), visited), field("note", t("care.visit.note"), note)];
    return form(t("care.visit"), parts, t("care.visit.save"), send, putAway(card));
  };

  map.care = { form, field, require, day, may, area, MARK, SHORTEST_REASON };

  // --- entry of a record, from the card of its grid
  MORE.area.push((card) => (card.level === "grid" && may("care.edit") ? button(t("care.add"), {}, () => entry(card)) : null));
  const entry = (grid) => {
    const before = document.activeElement;
    const input = (attributes) => h("input", { type: "text", autocomplete: "off", maxlength: LONGEST, ...attributes });
    const category = h("select", {}, text("option", { value: "" }, t("care.field.choose")), ...categories.map((one) => text("option", { value: one.code }, one.name)));
    const inputs = {
      name: input({ maxlength: 60 }),
      category,
      phone: input({ type: "tel", maxlength: 40 }),
      id_number: input({ maxlength: 18 }),
      building: input({}),
      every_days: input({ type: "number", min: 1, max: 366, value: 30 }),
      last_visit_on: input({ type: "date", max: today() }),
    };
    const contacts = (config.contacts || []).slice(0, 5).map((role) => {
      const name = input({ "aria-label": `${t("care.field.contact", { role: role.name })} ${t("care.field.contact.name")}`, placeholder: t("care.field.contact.name"), maxlength: 40 });
      const phone = input({ type: "tel", "aria-label": `${t("care.field.contact", { role: role.name })} ${t("care.field.contact.phone")}`, placeholder: t("care.field.contact.phone"), maxlength: 40 });
      return { role: role.code, name, phone, box: h("div", { class: "wg-contact" }, text("span", {}, role.name), name, phone) };
    });
    const value = (name) => inputs[name].value.trim() || null;
    const send = async (box) => {
      if (!require(box, "name", value("name")) || !require(box, "category", value("category"))) return;
      const every = Number(inputs.every_days.value);
      if (!require(box, "every_days", Number.isInteger(every) && every >= 1 && every <= 366)) return;
      const made = await wangge.post("/api/care", {
        ...Object.fromEntries(["name", "category", "phone", "id_number", "building", "last_visit_on"].map((name) => [name, value(name)])),
        every_days: every,
        area: grid.code,
        contacts: contacts.filter((one) => one.name.value.trim() || one.phone.value.trim()).map((one) => ({ role: one.role, name: one.name.value.trim(), phone: one.phone.value.trim() })),
      });
      dialog.close();
      wangge.emit("care:changed");
      map.open("care", made.id);
    };
    const parts = Object.entries(inputs).map(([name, node]) => field(name, t(`care.field.${name}`), node));
    if (contacts.length) parts.push(h("fieldset", { "data-field": "contacts" }, text("legend", {}, t("care.contacts")), ...contacts.map((one) => one.box), h("small", { class: "wg-error", role: "alert" })));
    parts.push(text("p", { class: "wg-hint" }, t("care.add.seal")));
    const heading = text("h3", { id: "wg-entry-title" }, t("care.add.title", { grid: map.nameOf(grid.id) || grid.name }));
    const dialog = h("dialog", { class: "wg-dialog", "aria-labelledby": "wg-entry-title" }, heading, form(t("care.add"), parts, t("care.add.save"), send, () => dialog.close()));
    dialog.addEventListener("close", () => {
      dialog.remove(); // and with it everything that was typed
      if (before && document.contains(before)) before.focus({ preventScroll: true });
    });
    map.main.frame.append(dialog);
    L.DomEvent.disableClickPropagation(dialog);
    L.DomEvent.disableScrollPropagation(dialog);
    dialog.showModal();
    inputs.name.focus();
  };
})();
