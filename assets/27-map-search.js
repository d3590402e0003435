// Search: areas by name, code or pinyin initials; Enter flies there and opens the card.
(() => {
  "use strict";
  const wangge = window.wangge;
  const map = wangge?.map;
  if (!map) return;
  const { config, t, h } = wangge;
  const { text } = map.dom;
  const PAUSE_MS = 160;

  map.part((view) => {
    const input = h("input", {
      type: "search", role: "combobox", placeholder: t("map.search"), "aria-label": t("map.search.long"), "aria-expanded": "false",
      "aria-controls": "wg-found", "aria-autocomplete": "list", autocomplete: "off", spellcheck: "false",
    }); // prettier-ignore
    const found = h("ul", { id: "wg-found", role: "listbox", "aria-label": t("map.found"), hidden: "" });
    const box = h("div", { class: "wg-search", role: "search" }, input, found);
    L.DomEvent.disableClickPropagation(box);
    L.DomEvent.disableScrollPropagation(box);
    view.frame.append(box);
    view.searchBox = input;

    let rows = [];
    let at = -1;
    let timer = 0;
    let asking = null;
    const mark = (next) => {
      at = next;
      [...found.children].forEach((node, i) => node.setAttribute("aria-selected", String(i === at)));
      if (at >= 0) input.setAttribute("aria-activedescendant", `wg-found-${at}`);
      else input.removeAttribute("aria-activedescendant");
    };
    const close = () => {
      found.hidden = true;
      input.setAttribute("aria-expanded", "false");
      mark(-1);
    };
    const show = (next) => {
      rows = next;
      found.replaceChildren(
        ...rows.map((area, i) => {
          const node = h("li", { id: `wg-found-${i}`, role: "option" }, text("b", {}, (config.language === "en" && config.names?.[area.no]) || area.name), text("span", {}, area.path), text("small", {}, config.levels?.[area.level] || ""));
          node.addEventListener("pointerdown", (event) => {
            event.preventDefault();
            choose(area);
          });
          return node;
        }),
      );
      if (!rows.length) found.append(text("li", { class: "none" }, t("map.found.none")));
      found.hidden = false;
      input.setAttribute("aria-expanded", "true");
      mark(rows.length ? 0 : -1);
    };
    const choose = (area) => {
      close();
      input.value = area.name;
      view.atHome = false;
      map.fit(area.no, { maxZoom: area.level === "grid" ? 16 : 17 });
      map.open("area", area.no);
    };
    const ask = async () => {
      const q = input.value.trim();
      asking?.abort();
      if (!q) return close();
      asking = new AbortController();
      try {
        show(await map.fetch(map.url("/api/search", { q, within: map.within() }), { signal: asking.signal, retry: false }));
      } catch (error) {
        if (error.name !== "AbortError") close();
      }
    };
    input.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(ask, PAUSE_MS);
    });
    input.addEventListener("focus", () => input.select());
    input.addEventListener("blur", close);
    input.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (step && rows.length && !found.hidden) mark((at + step + rows.length) % rows.length);
      else if (event.key === "Enter" && rows[at] && !found.hidden) choose(rows[at]);
      else if (event.key === "Escape") {
        if (found.hidden && !input.value) return;
        input.value = "";
        close();
        event.stopPropagation();
      } else return;
      event.preventDefault();
    });
  }, "main");
})();
