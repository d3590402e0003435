// What stands above the list: groups of states, flags, filters by list and day, the search field, kept filters, export.
(() => {
  "use strict";
  const wangge = window.wangge;
  const list = wangge?.list;
  if (!list) return;
  const { t, h, on, config } = wangge;
  const { el } = list;
  const SEARCH_MS = 350; // after the last letter
  const FIND_MS = 200;

  const button = (word, attributes, act) => {
    const node = h("button", { type: "button", ...attributes }, word);
    node.addEventListener("click", act);
    return node;
  };

  // --- groups of states and flags
  const groups = h("div", { class: "segments", role: "group", "aria-label": t("list.filter.status") });
  for (const name of config.list.groups)
    groups.append(button(t(`list.group.${name}`), { "data-group": name }, () => list.change({ status: name === "open" ? null : name, sort: null })));
  const flags = h("div", { class: "flags", role: "group", "aria-label": t("list.filter.flag") });
  for (const name of config.list.flags)
    flags.append(
      button(t(`list.flag.${name}`), { class: `toggle ${name}`, "data-flag": name }, () => {
        const now = new Set(list.several("flag"));
        now.has(name) ? now.delete(name) : now.add(name);
        list.change({ flag: [...now] });
      }),
    );

  // --- a menu: a button that opens a box below it; one is open at a time
  const menus = new Set();
  const menu = (name, word, make) => {
    const box = h("div", { class: "box-of-menu" });
    const summary = h("summary", {}, h("span", {}, word));
    const node = h("details", { class: "menu", "data-menu": name }, summary, box);
    node.addEventListener("toggle", () => {
      if (!node.open) return;
      for (const other of menus) if (other !== node) other.open = false;
      make(box, node);
      (box.querySelector("input,button") || box).focus?.();
    });
    menus.add(node);
    return node;
  };
  const close = () => {
    let any = false;
    for (const node of menus) {
      if (!node.open) continue;
      node.open = false;
      node.querySelector("summary").focus();
      any = true;
    }
    return any;
  };
  list.closeMenus = close;
  document.addEventListener("click", (event) => {
    for (const node of menus) if (node.open && !node.contains(event.target)) node.open = false;
  });

  // Codes to be chosen, several at once; a class of categories stands above its subclasses.
  const choices = (name, options) => (box) => {
    const chosen = new Set(list.several(name));
    const rows = options.map(({ code, name: word, parent }) => {
      const input = h("input", { type: "checkbox", value: code });
      input.checked = chosen.has(code);
      return h("label", { class: parent ? "below" : null, "data-word": word.toLowerCase() }, input, word);
    });
    const find = options.length > 12 ? h("input", { type: "search", placeholder: t("list.find"), "aria-label": t("list.find") }) : null;
    find?.addEventListener("input", () => {
      const sought = find.value.trim().toLowerCase();
      for (const row of rows) row.hidden = !row.dataset.word.includes(sought);
    });
    const body = h("div", { class: "options" }, ...rows);
    body.addEventListener("change", () => list.change({ [name]: [...body.querySelectorAll(":checked")].map((one) => one.value) }));
    box.replaceChildren(...[find, body].filter(Boolean));
  };
  const day = (name) => {
    const input = h("input", { type: "date", "aria-label": t(`list.filter.${name}`) });
    input.value = list.asked(name);
    input.addEventListener("change", () => list.change({ [name]: input.value }));
    return h("label", { class: "day" }, h("span", {}, t(`list.day.${name.endsWith("until") ? "until" : "since"}`)), input);
  };
  const days = (names) => (box) => box.replaceChildren(...names.map(day));
  const areas = (box, node) => {
    const input = h("input", { type: "search", placeholder: t("list.area.find"), "aria-label": t("list.area.find") });
    const body = h("div", { class: "options" });
    let waiting = 0;
    const look = async () => {
      const q = input.value.trim();
      if (!q) return body.replaceChildren(list.asked("area") ? button(t("list.area.all"), { class: "plain" }, () => (list.change({ area: null }), (node.open = false))) : "");
      const answer = await fetch(`/api/search?${new URLSearchParams({ q })}`).catch(() => null);
      const found = answer?.ok ? await answer.json() : [];
      if (input.value.trim() !== q) return;
      if (!found.length) return body.replaceChildren(h("p", {}, t("list.area.none")));
      body.replaceChildren(
        ...found.map((one) =>
          button(one.name, { class: "plain", title: one.code }, () => {
            areaNames.set(one.code, one.name);
            list.change({ area: one.code });
            node.open = false;
          }),
        ),
      );
    };
    input.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(look, FIND_MS);
    });
    box.replaceChildren(input, body);
    look();
  };
  const areaNames = new Map([[config.area.code, config.names[config.area.no] ?? config.area.name]]);
  const words = { area: (code) => areaNames.get(code) ?? code, located: (code) => t(`list.located.${code}`), worker: (code) => code };
  const MENUS = [
    ["area", areas],
    ["category", choices("category", config.categories)],
    ["channel", choices("channel", config.channels)],
    ["severity", choices("severity", config.severities)],
    ["department", choices("department", config.departments)],
    ["located", choices("located", config.list.located.map((code) => ({ code, name: t(`list.located.${code}`) })))],
    ["reported", days(["since", "until"])],
    ["closed", days(["closed_since", "closed_until"])],
  ];
  const more = h("div", { class: "menus" }, ...MENUS.map(([name, make]) => menu(name, t(`list.filter.${name}`), make)));

  // What is set in a menu stands on it; a chip takes it away again.
  const chips = h("div", { class: "chips" });
  const setOf = (name) => {
    if (name === "reported" || name === "closed") {
      const [since, until] = name === "reported" ? ["since", "until"] : ["closed_since", "closed_until"];
      if (!list.asked(since) && !list.asked(until)) return null;
      return { word: `${t(`list.filter.${name}`)} ${list.asked(since) || "\u2026"} \u2013 ${list.asked(until) || "\u2026"}`, clear: { [since]: null, [until]: null } };
    }
    const codes = list.several(name);
    if (!codes.length) return null;
    const word = words[name] || ((code) => list.name(name, code));
    const told = codes.slice(0, 2).map(word).join(t("list.and"));
    return { word: codes.length > 2 ? t("list.several", { first: told, n: codes.length - 2 }) : told, clear: { [name]: null } };
  };
  const show = () => {
    const status = list.asked("status") || "open";
    for (const one of groups.children) one.setAttribute("aria-pressed", String(one.dataset.group === status));
    const set = new Set(list.several("flag"));
    for (const one of flags.children) one.setAttribute("aria-pressed", String(set.has(one.dataset.flag)));
    const shown = [...MENUS.map(([name]) => [name, setOf(name)]), ["worker", setOf("worker")]].filter(([, one]) => one);
    if (!config.list.groups.includes(status))
      shown.unshift(["status", { word: list.several("status").map((code) => (config.list.states[code] ? t(`list.group.${code}`) : list.name("status", code))).join(t("list.and")), clear: { status: null } }]);
    for (const node of menus) node.querySelector("summary").classList.toggle("set", shown.some(([name]) => name === node.dataset.menu));
    chips.replaceChildren(
      ...shown.map(([, { word, clear }]) => button(word, { class: "chip-set", "aria-label": t("list.clear", { filter: word }) }, () => list.change(clear))),
      ...(shown.length > 1 ? [button(t("list.reset"), { class: "plain" }, list.reset)] : []),
    );
    chips.hidden = !shown.length;
    const search = el("search");
    if (search && document.activeElement !== search) search.value = list.asked("q");
  };
  on("list:asked", show);
  on("list:address", show);

  // --- the search field
  const tools = () => {
    const search = h("input", { type: "search", id: "search", placeholder: t("list.search"), "aria-label": t("list.search"), autocomplete: "off", maxlength: "100" });
    let waiting = 0;
    let composing = false; // while Chinese is put together its letters are no words yet
    const look = () => {
      clearTimeout(waiting);
      const q = search.value.trim();
      if (!composing && q !== list.asked("q")) list.change({ q });
    };
    search.addEventListener("compositionstart", () => (composing = true));
    search.addEventListener("compositionend", () => ((composing = false), (waiting = setTimeout(look, SEARCH_MS))));
    search.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(look, SEARCH_MS);
    });
    search.addEventListener("keydown", (event) => {
      if (event.key === "Enter") look();
      if (event.key === "Escape") search.blur();
    });
    const field = h("label", { class: "field" }, search, h("kbd", { "aria-hidden": "true" }, "/"));
    const taken = config.rights.includes("export") ? button(t("list.export"), { id: "export" }, exported) : null;
    el("tools").replaceChildren(...[field, menu("kept", t("list.kept"), kept), taken].filter(Boolean));
  };

  // --- kept filters
  const kept = async (box, node) => {
    box.replaceChildren(h("p", {}, t("page.loading")));
    let found = [];
    try {
      found = await wangge.send("GET", "/api/ticket-filters");
    } catch (error) {
      return box.replaceChildren(h("p", { role: "alert" }, error.message));
    }
    const rows = found.map((one) => {
      const open = button(one.name, { class: "plain" }, () => {
        node.open = false;
        const next = Object.fromEntries(list.FILTERS.map((name) => [name, one.query[name] ?? null]));
        list.change(next);
      });
      const whose = one.own ? (one.area ? t("list.kept.shared") : "") : t("list.kept.by", { name: one.owner });
      const drop = one.own ? button("\u00d7", { class: "drop", "aria-label": t("list.kept.delete", { name: one.name }) }, async (event) => {
        event.stopPropagation();
        await wangge.send("DELETE", `/api/ticket-filters/${one.id}`).catch((error) => list.toast(error.message, { bad: true }));
        kept(box, node);
      }) : null;
      return h("div", { class: "kept" }, open, whose ? h("small", {}, whose) : null, drop);
    });
    const name = h("input", { type: "text", maxlength: "60", placeholder: t("list.kept.name"), "aria-label": t("list.kept.name"), required: "" });
    const share = h("input", { type: "checkbox" });
    const home = config.names[config.area.no] ?? config.area.name;
    const form = h("form", {}, h("h3", {}, t("list.kept.add")), name, h("label", {}, share, t("list.kept.share", { area: home })), h("button", { class: "main" }, t("list.kept.keep")));
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      try {
        const filters = list.filters();
        if (!list.asked("area")) delete filters.area;
        if (!list.asked("sort")) delete filters.sort;
        await wangge.post("/api/ticket-filters", { name: name.value.trim(), filters, share: share.checked ? config.area.code : null });
        list.toast(t("list.kept.done", { name: name.value.trim() }));
        node.open = false;
      } catch (error) {
        list.toast(error.message, { bad: true });
      }
    });
    box.replaceChildren(...(rows.length ? rows : [h("p", {}, t("list.kept.none"))]), form);
  };

  // --- export
  const exported = async (event) => {
    const taken = event.currentTarget;
    taken.disabled = true;
    list.toast(t("list.export.making"));
    try {
      const answer = await wangge.post("/api/tickets/export", { filters: list.filters(), lang: config.language }, wangge.FILE_S);
      const file = /filename="([^"]+)"/.exec(answer.headers.get("content-disposition") || "")?.[1] || "tickets.xlsx";
      const url = URL.createObjectURL(await answer.blob());
      h("a", { href: url, download: file }).click();
      setTimeout(() => URL.revokeObjectURL(url), 10000);
      list.toast(t("list.export.done", { file }));
    } catch (error) {
      const many = error.details?.[0]?.field === "filters";
      list.toast(many ? t("list.export.too_many") : error.message, { bad: true });
    } finally {
      taken.disabled = false;
    }
  };

  on("mounted", () => {
    tools();
    el("filters").replaceChildren(groups, flags, more, chips);
    show();
  });
})();
