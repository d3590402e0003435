// The dialogs of the admin screen: drawn from config.forms, sent to the tab's callback, errors next to their fields.
(() => {
  "use strict";
  const wangge = window.wangge;
  if (!wangge || wangge.config.screen !== "admin") return;
  const { t, h, config, admin } = wangge;
  const TYPING_MS = 150;
  let made = 0;

  // --- what can be picked by a part of its name
  const names = config.names || {};
  const areaOf = (found) => {
    if (config.language !== "en") return { value: found.code, label: found.name, hint: found.path };
    const above = [1e6, 1e3].map((stride) => Math.floor(found.no / stride) * stride).filter((no) => no !== found.no && names[no]);
    return { value: found.code, label: names[found.no] || wangge.gridName(found.name, ""), hint: above.map((no) => names[no]).join(" \u00b7 ") };
  };
  const finders = {
    area: async (text) => {
      const answer = await fetch(`/api/search?q=${encodeURIComponent(text)}`);
      return answer.ok ? (await answer.json()).slice(0, 8).map(areaOf) : [];
    },
    worker: (text) =>
      new Promise((resolve) => {
        finders.waiting = { text, resolve };
        window.dash_clientside.set_props("devices-find", { data: { text, lang: config.language, at: Date.now() } });
      }),
  };
  finders.areas = finders.area;
  window.dash_clientside.wanggeAdmin.found = (answer) => {
    if (answer && finders.waiting?.text === answer.text) finders.waiting.resolve(answer.found);
    return window.dash_clientside.no_update;
  };

  // A field in which one types and picks: the pattern "combobox with a list" of WAI-ARIA.
  const picker = (field, id, given, describe) => {
    const many = field.kind === "areas";
    let picked = [...(given || [])];
    const list = h("ul", { role: "listbox", id: `${id}-list`, "aria-label": field.label });
    const input = h("input", {
      id, type: "text", role: "combobox", autocomplete: "off", spellcheck: "false", "aria-expanded": "false",
      "aria-controls": `${id}-list`, "aria-autocomplete": "list", "aria-describedby": describe, placeholder: t(`admin.pick.${field.kind}`),
    });
    const chips = h("div", { class: "chips" });
    list.hidden = true;
    let options = [];
    let at = -1;
    const draw = () => {
      chips.replaceChildren(
        ...picked.map((one) => {
          const remove = h("button", { type: "button", "aria-label": t("admin.pick.remove", { name: one.label }) }, "\u00d7");
          remove.addEventListener("click", () => {
            picked = picked.filter((other) => other.value !== one.value);
            draw();
            input.focus();
          });
          return h("span", {}, one.label, one.hint ? h("small", {}, one.hint) : null, remove);
        }),
      );
      chips.hidden = !picked.length;
      input.hidden = !many && picked.length > 0;
    };
    const close = () => {
      list.hidden = true;
      at = -1;
      input.setAttribute("aria-expanded", "false");
      input.removeAttribute("aria-activedescendant");
    };
    const mark = (next) => {
      at = next;
      [...list.children].forEach((option, i) => option.setAttribute("aria-selected", String(i === at)));
      if (at >= 0) input.setAttribute("aria-activedescendant", `${id}-${at}`);
      list.children[at]?.scrollIntoView({ block: "nearest" });
    };
    const take = (one) => {
      if (!picked.some((other) => other.value === one.value)) picked = many ? [...picked, one] : [one];
      input.value = "";
      close();
      draw();
      const next = many ? input : chips.querySelector("button");
      next?.focus();
    };
    const open = (found, text) => {
      options = found.filter((one) => !picked.some((other) => other.value === one.value));
      list.replaceChildren(
        ...options.map((one, i) => {
          const option = h("li", { role: "option", id: `${id}-${i}`, "aria-selected": "false" },
            h("b", {}, one.label), h("small", {}, [one.hint, one.note].filter(Boolean).join(" \u00b7 ")));
          option.addEventListener("mousedown", (event) => (event.preventDefault(), take(one)));
          return option;
        }),
      );
      if (!options.length) list.append(h("li", { class: "none" }, t("admin.pick.none", { text })));
      list.hidden = false;
      input.setAttribute("aria-expanded", "true");
      mark(options.length ? 0 : -1);
    };
    let typing = null;
    input.addEventListener("input", () => {
      clearTimeout(typing);
      const text = input.value.trim();
      if (!text) return close();
      typing = setTimeout(async () => {
        const found = await finders[field.kind](text);
        if (input.value.trim() === text && input.isConnected) open(found, text);
      }, TYPING_MS);
    });
    input.addEventListener("keydown", (event) => {
      if (event.key === "Backspace" && !input.value && many && picked.length) {
        picked.pop();
        draw();
      } else if (!list.hidden && (event.key === "ArrowDown" || event.key === "ArrowUp") && options.length) {
        event.preventDefault();
        mark((at + (event.key === "ArrowDown" ? 1 : options.length - 1)) % options.length);
      } else if (event.key === "Enter" && (!list.hidden || input.value.trim())) {
        event.preventDefault();
        if (options[at] && !list.hidden) take(options[at]);
      } else if (event.key === "Escape" && !list.hidden) {
        event.preventDefault();
        event.stopPropagation();
        close();
      }
    });
    input.addEventListener("blur", () => setTimeout(close, 100));
    draw();
    return {
      node: h("div", { class: "picker" }, chips, input, list),
      value: () => (many ? picked.map((one) => one.value) : (picked[0] || {}).value || ""),
      focus: () => (input.hidden ? chips.querySelector("button") : input).focus(),
    };
  };

  // --- the other kinds of field
  const text = (field, id, given, describe) => {
    const input = h("input", {
      id, type: "text", maxlength: field.most, autocomplete: "off", "aria-describedby": describe,
      class: field.kind === "code" ? "code" : null, autocapitalize: field.kind === "code" ? "characters" : field.plain ? "none" : null,
      spellcheck: field.plain || field.kind === "code" ? "false" : null, placeholder: field.kind === "code" ? "XXXX-XXXX" : null,
    });
    input.value = given ?? field.value ?? "";
    return { node: input, value: () => input.value, focus: () => input.focus() };
  };
  const choice = (field, id, given, describe) => {
    const select = h("select", { id, "aria-describedby": describe });
    select.append(h("option", { value: "", disabled: "", selected: "" }, t("admin.pick.choose")));
    for (const one of field.options) select.append(h("option", { value: one.value }, one.label));
    const told = h("p", { class: "hint" });
    const tell = () => (told.textContent = (field.options.find((one) => one.value === select.value) || {}).hint || "");
    select.value = given ?? field.value ?? "";
    select.addEventListener("change", tell);
    tell();
    return { node: h("div", {}, select, told), value: () => select.value, focus: () => select.focus() };
  };
  const radio = (field, id, given) => {
    const set = h("div", { class: "segments", role: "radiogroup", "aria-labelledby": `${id}-label` });
    const chosen = given ?? field.value;
    for (const one of field.options) {
      const input = h("input", { type: "radio", name: id, value: one.value });
      input.checked = one.value === chosen;
      set.append(h("label", {}, input, h("span", {}, one.label)));
    }
    return { node: set, value: () => set.querySelector("input:checked")?.value ?? "", focus: () => set.querySelector("input:checked, input").focus() };
  };
  const KINDS = { text, code: text, choice, radio, areas: picker, area: picker, worker: picker };

  // --- a dialog
  const place = () => document.getElementById("dialogs");
  const dialog = (title, lead, ...children) => {
    const id = `dialog-${++made}`;
    const body = h("dialog", { "aria-labelledby": `${id}-title`, ...(lead ? { "aria-describedby": `${id}-lead` } : {}) },
      h("h2", { id: `${id}-title` }, title), lead ? h("p", { id: `${id}-lead`, class: "lead" }, lead) : null, ...children);
    const opener = document.activeElement;
    body.addEventListener("close", () => {
      body.remove();
      const back = opener?.isConnected ? opener : document.getElementById("side").querySelector("button") || document.getElementById("side");
      back?.focus();
    });
    place().append(body);
    body.showModal();
    return body;
  };

  const open = (name) => {
    const form = config.forms[name];
    const row = name.endsWith("_add") || name === "wall_pair" ? null : admin.chosen();
    const about = row ? row.name : "";
    const drawn = form.fields.map((field) => {
      const id = `field-${++made}`;
      const control = KINDS[field.kind](field, id, row?.edit[field.name], `${id}-error ${id}-hint`);
      const error = h("p", { class: "error", id: `${id}-error`, role: "alert" });
      const label = h("label", { for: field.kind === "radio" ? null : id, id: `${id}-label` }, field.label);
      return { field, control, error, node: h("div", { class: "field" }, label, control.node, field.hint ? h("p", { class: "hint", id: `${id}-hint` }, field.hint) : null, error) };
    });
    const overall = h("p", { class: "error", role: "alert" });
    const cancel = h("button", { type: "button" }, t("admin.cancel"));
    const submit = h("button", { type: "submit", class: form.danger ? "danger main" : "main" }, form.submit);
    const body = h("form", { novalidate: "", autocomplete: "off" }, ...drawn.map((one) => one.node), overall, h("div", { class: "acts" }, cancel, submit));
    const box = dialog(form.title, form.lead.replace("{name}", about), body);
    cancel.addEventListener("click", () => box.close());
    (drawn[0] ? drawn[0].control : form.danger ? cancel : submit).focus();
    body.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (submit.disabled) return;
      overall.textContent = "";
      const values = {};
      let first = null;
      for (const { field, control, error, node } of drawn) {
        const value = control.value();
        values[field.name] = typeof value === "string" ? value.trim() : value;
        const missing = field.required && !(Array.isArray(value) ? value.length : values[field.name]);
        error.textContent = missing ? t("admin.error.missing") : "";
        node.classList.toggle("wrong", missing);
        if (missing && !first) first = control;
      }
      if (first) return first.focus();
      submit.disabled = true;
      const told = about || values.name || values.screen || values.label || values.client || "";
      const answer = await admin.ask({ ...(row ? row.edit : {}), ...values, do: name, about: told });
      submit.disabled = false;
      if (!answer.ok) {
        for (const { field, control, error, node } of drawn) {
          error.textContent = answer.errors[field.name] || "";
          node.classList.toggle("wrong", !!answer.errors[field.name]);
          if (answer.errors[field.name] && !first) first = control;
        }
        const shown = drawn.map(({ field }) => field.name);
        overall.textContent = Object.entries(answer.errors).filter(([field]) => !shown.includes(field)).map(([, told]) => told).join(" ");
        (first || submit).focus();
        return;
      }
      box.close();
      if (answer.select) admin.choose(answer.select);
      admin.load();
      if (answer.secret) reveal(answer.secret);
      admin.say(answer.say);
    });
  };

  // --- a secret, shown once
  const reveal = (secret) => {
    const value = h("output", { class: "secret", tabindex: "0", "aria-label": secret.title }, secret.value);
    const copy = h("button", { type: "button" }, t("admin.copy"));
    copy.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(secret.value);
      } catch {
        // Without HTTPS there is no clipboard to write to: choose the text and ask the old way.
        getSelection().selectAllChildren(value);
        document.execCommand("copy");
      }
      copy.textContent = t("admin.copied");
    });
    const list = h("dl", {});
    for (const [label, told] of secret.facts) list.append(h("dt", {}, label), h("dd", {}, told));
    const keep = h("button", { type: "button", class: "main" }, t("admin.kept"));
    const box = dialog(
      secret.title, secret.lead,
      h("div", { class: secret.qr ? "told qr" : "told" },
        secret.qr ? h("img", { src: secret.qr, alt: t("admin.secret.qr"), width: "168", height: "168" }) : null,
        h("div", {}, h("div", { class: "once" }, value, copy), list)),
      h("div", { class: "acts" }, keep),
    );
    box.addEventListener("cancel", (event) => event.preventDefault()); // Escape would lose it
    keep.addEventListener("click", () => box.close());
    copy.focus();
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-form]");
    if (button && config.forms[button.dataset.form]) open(button.dataset.form);
  });
})();
