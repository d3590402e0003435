// Forms of the desk screens: fields as data, read back as values, errors beside their fields.
//
// wangge.form({fields, submit, send, note, danger, inline, withdrawn, stale}) → a form element
//   fields   [{name, kind, label, required, options, value, hint, most, list}]; kind: text, words, number, moment, day,
//            choice, select, checks, area, or one that somebody put into wangge.form.KINDS: (field, id) → {node, read()}
//   send     gets the values by name (nothing for empty fields); rejects with what wangge.send rejects with
//   stale    called after a refusal with 409, to load what changed meanwhile
(() => {
  "use strict";
  const wangge = window.wangge;
  if (!wangge) return;
  const { t, h, config } = wangge;
  let made = 0;

  // A refusal in the reader's language, or in the server's own words; nothing answered: that it cannot be reached.
  wangge.sentence = (error) => {
    if (!error?.status) return t(`form.error.${error?.code || "away"}`);
    const known = `form.error.${error.code}`;
    return t(known) === known ? error.message : t(known);
  };

  // --- moments and days are the place's, whatever the browser's own zone is
  const offsetAt = (utc) => {
    const told = Object.fromEntries(
      new Intl.DateTimeFormat("en-GB", {
        timeZone: config.time_zone, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit",
      }).formatToParts(utc).map((part) => [part.type, part.value]),
    );
    return Date.UTC(told.year, told.month - 1, told.day, told.hour, told.minute, told.second) - Math.floor(utc / 1000) * 1000;
  };
  const toMoment = (wangge.toMoment = (text) => {
    const guess = Date.parse(`${text}Z`);
    return new Date(guess - offsetAt(guess - offsetAt(guess))).toISOString();
  });
  const local = (ms) => new Date(ms + offsetAt(ms)).toISOString();
  wangge.localMoment = (ms) => local(ms).slice(0, 16);
  wangge.localDay = (ms) => local(ms).slice(0, 10);

  // --- fields: {name, kind, label, required, options, value, hint, most}; each becomes {node, read()}
  const choice = (field, id) => {
    const group = h("div", { class: "segments", role: "radiogroup", "aria-labelledby": `${id}-label` });
    for (const { value, label } of field.options) {
      const input = h("input", { type: "radio", name: id, value });
      input.checked = value === field.value;
      group.append(h("label", {}, input, label));
    }
    return { node: group, read: () => group.querySelector(":checked")?.value };
  };
  const select = (field, id) => {
    const node = h("select", { id });
    if (!field.value) node.append(h("option", { value: "" }, t("form.choose")));
    for (const { value, label } of field.options) {
      const one = h("option", { value }, label);
      one.selected = value === field.value;
      node.append(one);
    }
    return { node, read: () => node.value || undefined };
  };
  const checks = (field, id) => {
    const group = h("div", { class: "segments checks", role: "group", "aria-labelledby": `${id}-label` });
    for (const { value, label } of field.options) group.append(h("label", {}, h("input", { type: "checkbox", value }), label));
    return { node: group, read: () => [...group.querySelectorAll(":checked")].map((one) => one.value) };
  };
  const written = (field, id) => {
    const many = field.kind === "words";
    const node = many
      ? h("textarea", { id, rows: "2", maxlength: field.most || 1000 })
      : h("input", { id, type: { moment: "datetime-local", day: "date", number: "number" }[field.kind] || "text", min: field.least ?? null, max: field.kind === "number" ? field.largest ?? null : null, maxlength: field.kind === "text" || !field.kind ? field.most || null : null, list: field.list ? `${id}-list` : null, autocomplete: "off" });
    node.value = field.value || "";
    const read = () => {
      const text = node.value.trim();
      if (!text) return undefined;
      return field.kind === "moment" ? toMoment(text) : field.kind === "number" ? Number(text) : text;
    };
    const list = field.list && h("datalist", { id: `${id}-list` }, ...field.list.map((value) => h("option", { value })));
    return { node: list ? h("div", {}, node, list) : node, read };
  };
  // An area by a part of its name or code.
  const found = async (text) => {
    const answer = await fetch(`/api/search?q=${encodeURIComponent(text)}`).catch(() => null);
    return answer?.ok ? answer.json() : [];
  };
  const area = (field, id) => {
    let code;
    const input = h("input", { id, type: "text", autocomplete: "off", role: "combobox", "aria-expanded": "false", "aria-controls": `${id}-list`, placeholder: t("form.area") });
    const list = h("ul", { id: `${id}-list`, role: "listbox", class: "found", hidden: "" });
    let typing = null;
    let options = [];
    const close = () => {
      list.hidden = true;
      input.setAttribute("aria-expanded", "false");
    };
    const take = (one) => {
      code = one.code;
      input.value = config.language === "en" ? wangge.areaName(one.no) : one.path ? `${one.path} ${one.name}` : one.name;
      close();
    };
    input.addEventListener("input", () => {
      code = undefined;
      clearTimeout(typing);
      const text = input.value.trim();
      if (!text) return close();
      typing = setTimeout(async () => {
        options = (await found(text)).slice(0, 7);
        if (input.value.trim() !== text) return;
        list.replaceChildren(...options.map((one) => {
          const item = h("li", { role: "option" }, h("b", {}, config.language === "en" ? wangge.areaName(one.no) : one.name), h("small", {}, one.path || one.code));
          item.addEventListener("mousedown", (event) => (event.preventDefault(), take(one)));
          return item;
        }));
        if (!options.length) list.append(h("li", { class: "none" }, t("form.area.none")));
        list.hidden = false;
        input.setAttribute("aria-expanded", "true");
      }, 150);
    });
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !list.hidden && options.length) {
        event.preventDefault();
        take(options[0]);
      } else if (event.key === "Escape" && !list.hidden) {
        event.stopPropagation();
        close();
      }
    });
    input.addEventListener("blur", () => setTimeout(close, 150));
    return { node: h("div", { class: "picker" }, input, list), read: () => code };
  };
  const KINDS = { choice, select, checks, area };

  // A form; `send(values)` resolves when it was done, and rejects with the server's refusal.
  wangge.form = ({ fields, submit, send, note, danger, inline, withdrawn, stale }) => {
    const id = `form-${++made}`;
    const held = fields.map((field, at) => {
      const one = (KINDS[field.kind] || written)(field, `${id}-${at}`);
      const error = h("p", { class: "error", id: `${id}-${at}-error`, role: "alert" });
      const label = h("label", { for: `${id}-${at}`, id: `${id}-${at}-label` }, field.label, field.required ? null : h("small", {}, t("form.optional")));
      return { ...one, field, error, row: h("div", { class: `field ${field.kind}`, "data-field": field.name }, label, h("div", {}, one.node, field.hint ? h("p", { class: "hint" }, field.hint) : null, error)) };
    });
    const fault = h("p", { class: "error whole", role: "alert" });
    const button = h("button", { type: "submit", class: danger ? "main danger" : "main" }, submit);
    const cancel = inline ? null : h("button", { type: "button", class: "plain" }, t("form.cancel"));
    cancel?.addEventListener("click", () => withdrawn?.());
    const form = h("form", { class: `wg-form ${inline ? "inline" : "open"}`, novalidate: "" }, ...held.map((one) => one.row), fault, h("div", { class: "acts" }, button, cancel, note ? h("small", {}, note) : null));
    form.addEventListener("input", () => form.classList.add("typed"));
    form.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
    });
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      fault.textContent = "";
      const values = {};
      let first = null;
      for (const one of held) {
        const value = one.read();
        const missing = one.field.required && (value === undefined || (Array.isArray(value) && !value.length));
        one.error.textContent = missing ? t("form.missing") : "";
        one.row.classList.toggle("wrong", missing);
        if (missing) first = first || one;
        if (value !== undefined) values[one.field.name] = value;
      }
      if (first) return first.row.querySelector("input,textarea,select")?.focus();
      button.disabled = true;
      form.classList.add("sending");
      try {
        await send(values);
      } catch (error) {
        refuse(error, held, fault);
        if (error.status === 409) stale?.();
      } finally {
        button.disabled = false;
        form.classList.remove("sending");
      }
    });
    return form;
  };
  const refuse = (error, held, fault) => {
    if (error instanceof Error) throw error;
    let placed = false;
    for (const detail of error.details || []) {
      const name = String(detail.field ?? detail.where ?? "").split(".").filter((part) => part !== "body")[0];
      const one = held.find((other) => other.field.name === name);
      if (!one) continue;
      const expected = detail.expected ?? detail.message ?? "";
      one.error.textContent = t("form.expected", { expected: Array.isArray(expected) ? expected.join(", ") : expected });
      one.row.classList.add("wrong");
      placed = true;
    }
    if (!placed) fault.textContent = wangge.sentence(error);
  };

  // --- a dialog in the middle: `form(close)` makes what stands in it; close(sentence) says what was done (event "said")
  wangge.dialog = (title, lead, form) => {
    const close = h("button", { type: "button", class: "close", "aria-label": t("form.cancel") }, "\u00d7");
    const dialog = h("dialog", { class: "wg-dialog", "aria-label": title }, h("h2", {}, title), lead ? h("p", { class: "lead" }, lead) : null, form((sentence) => {
      dialog.close();
      if (sentence) wangge.emit("said", sentence);
    }), close);
    close.addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
    dialog.querySelector("input,select,textarea")?.focus();
  };

  wangge.form.KINDS = KINDS;
})();
