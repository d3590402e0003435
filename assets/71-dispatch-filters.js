// What the queue is narrowed to: words, town, channel, category, state, the map's extent and a ring drawn on it.
(() => {
  "use strict";
  const desk = window.wangge?.desk;
  if (!desk || desk.pane === "map") return;
  const wangge = window.wangge;
  const { t, h, on, config } = wangge;
  const { text, button } = desk;
  const SELECTS = ["town", "channel", "category", "status"];
  const TYPED_MS = 220;

  const word = (name, code, facet) => {
    if (name === "town") return facet?.name || code;
    if (name === "channel") return desk.named(config.channels, code);
    if (name === "category") return wangge.categoryName(code);
    return desk.status(code);
  };
  // The most first; a town with its name in the page's language.
  const facets = (got, name) => {
    const rows = Object.entries(got?.facets?.[name] || {}).map(([code, n]) => ({ code, n, name: name === "town" ? desk.area(got.town_numbers?.[code], got.towns?.[code]) : null }));
    return rows.sort((a, b) => b.n - a.n);
  };

  let search, box, chips; // prettier-ignore
  const selects = {};
  const known = {}; // name → Map code → facet, so that a chip can tell its word when the queue is empty
  desk.clear = () => desk.set({ view: false, lasso: null, ...Object.fromEntries(desk.FILTERS.map((name) => [name, ""])) });

  const build = (place) => {
    search = h("input", { type: "search", id: "search", placeholder: t("dispatch.search"), "aria-label": t("dispatch.search"), autocomplete: "off", spellcheck: "false" });
    search.value = desk.asked.q;
    let timer = 0;
    search.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(() => desk.set({ q: search.value.trim() }), TYPED_MS);
    });
    search.addEventListener("keydown", (event) => {
      if (event.key === "Escape") {
        if (search.value) desk.set({ q: (search.value = "") });
        search.blur();
        event.stopPropagation();
      } else if (event.key === "ArrowDown" || event.key === "Enter") {
        search.blur();
        document.getElementById("rows").focus();
        desk.step(1);
        event.preventDefault();
      }
    });
    const grid = h("div", { class: "selects" });
    for (const name of SELECTS) {
      const select = (selects[name] = h("select", { "aria-label": t(`dispatch.filter.${name}`) }));
      select.addEventListener("change", () => desk.set({ [name]: select.value }));
      grid.append(select);
    }
    const view = button(t("dispatch.filter.view"), { class: "toggle", id: "in-view", "aria-pressed": "false" }, () => desk.set({ view: !desk.asked.view }));
    const lasso = button([t("dispatch.filter.lasso"), h("kbd", {}, "L")], { class: "toggle" }, () => desk.lasso?.());
    box = h("details", { id: "narrow" }, text("summary", {}, t("dispatch.filter")), h("div", {}, grid, h("div", { class: "ways" }, desk.pane === "both" ? view : null, desk.pane === "both" ? lasso : null)));
    chips = h("div", { id: "chips", hidden: "" });
    place.replaceChildren(h("div", { class: "find" }, h("label", {}, search, h("kbd", { "aria-hidden": "true" }, "/")), box), chips);
    document.addEventListener("pointerdown", (event) => !box.contains(event.target) && box.removeAttribute("open"));
    box.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !box.open) return;
      box.removeAttribute("open");
      box.querySelector("summary").focus();
      event.stopPropagation();
    });
    draw();
  };
  const draw = (got) => {
    if (!chips) return;
    for (const name of SELECTS) {
      const rows = facets(got, name);
      known[name] = known[name] || new Map();
      for (const row of rows) known[name].set(String(row.code), row);
      if (got && document.activeElement !== selects[name]) {
        const chosen = String(desk.asked[name]);
        const options = [h("option", { value: "" }, t(`dispatch.filter.${name}.all`))];
        if (chosen && !rows.some((row) => String(row.code) === chosen)) rows.unshift(known[name].get(chosen) || { code: chosen, n: 0 });
        for (const row of rows) {
          const option = h("option", { value: row.code }, `${word(name, row.code, row)} \u00b7 ${wangge.int(row.n ?? 0)}`);
          option.selected = String(row.code) === chosen;
          options.push(option);
        }
        selects[name].replaceChildren(...options);
      }
    }
    document.getElementById("in-view")?.setAttribute("aria-pressed", String(desk.asked.view));
    if (document.activeElement !== search) search.value = desk.asked.q;
    const set = SELECTS.filter((name) => desk.asked[name]).map((name) => [name, word(name, desk.asked[name], known[name].get(String(desk.asked[name])))]);
    const made = set.map(([name, words]) => chip(words, { [name]: "" }));
    if (desk.asked.view) made.push(chip(t("dispatch.filter.view"), { view: false }));
    if (desk.asked.lasso) made.push(chip(t("dispatch.filter.lasso.on"), { lasso: null }));
    chips.replaceChildren(...made);
    chips.hidden = !made.length;
    box.classList.toggle("set", made.length > 0);
  };
  const chip = (words, changes) => button(words, { class: "chip", title: t("dispatch.filter.remove") }, () => desk.set(changes));

  on("mounted", () => build(document.getElementById("finding")));
  on("desk:asked", () => draw(null));
  on("desk:rows", draw);
})();
