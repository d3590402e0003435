// The admin screen: its table, and beside it what is known of the chosen row and what can be done with it.
(() => {
  "use strict";
  const wangge = window.wangge;
  if (!wangge || wangge.config.screen !== "admin") return;
  const { t, h, on, config } = wangge;
  const { tab } = config;
  const REFRESH_MS = 20000;
  const TYPING_MS = 250;
  const AFTER_MS = 60; // by then the grid's component has put back what it remembers
  const admin = (wangge.admin = {});

  // --- what goes to the callbacks and comes back
  const base = { lang: config.language };
  admin.query = { ...base };
  admin.load = (changes = {}) => {
    admin.query = { ...admin.query, ...changes };
    window.dash_clientside?.set_props(`${tab}-query`, { data: { ...admin.query, at: Date.now() } });
  };
  let asked = 0;
  const waiting = new Map();
  // Ask the tab's callback to do something; resolves with its answer.
  admin.ask = (body) =>
    new Promise((resolve) => {
      waiting.set(++asked, resolve);
      window.dash_clientside.set_props(`${tab}-ask`, { data: { ...body, ...base, n: asked } });
    });
  const clientside = (window.dash_clientside = window.dash_clientside || {});
  clientside.wanggeAdmin = {
    reply(answer) {
      const resolve = answer && waiting.get(answer.n);
      if (resolve) {
        waiting.delete(answer.n);
        resolve(answer);
        // A secret in it is shown once and then kept nowhere, not in the page either.
        if (answer.secret) setTimeout(() => window.dash_clientside.set_props(`${tab}-reply`, { data: null }));
      }
      return window.dash_clientside.no_update;
    },
  };

  let fading = null;
  admin.say = (sentence) => {
    const place = document.getElementById("said");
    place.textContent = sentence;
    place.classList.add("shown");
    clearTimeout(fading);
    fading = setTimeout(() => place.classList.remove("shown"), 6000);
  };

  // --- the table's cells
  const grids = (window.dashAgGridFunctions = window.dashAgGridFunctions || {});
  const cells = (window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {});
  const node = (...args) => window.React.createElement(...args);
  const lang = config.language === "en" ? "en-GB" : config.language;
  const formats = {};
  const inZone = (ms, parts) => {
    const key = JSON.stringify(parts);
    formats[key] = formats[key] || new Intl.DateTimeFormat(lang, { timeZone: config.time_zone, hourCycle: "h23", ...parts });
    return formats[key].format(ms).replace(",", "");
  };
  const DAY = lang === "en-GB" ? { month: "short", day: "numeric" } : { month: "2-digit", day: "2-digit" };
  const CLOCK = { hour: "2-digit", minute: "2-digit" };
  grids.wanggeMoment = (ms) => {
    if (ms == null) return tab === "clients" ? t("admin.days.never") : "\u2013";
    if (tab === "audit") return inZone(ms, { ...DAY, ...CLOCK, second: "2-digit" });
    const year = { year: "numeric" };
    const thisYear = inZone(ms, year) === inZone(Date.now(), year);
    return inZone(ms, thisYear ? { ...DAY, ...CLOCK } : { ...DAY, ...year });
  };
  cells.WanggeName = ({ value, data }) =>
    node("span", { className: data.off ? "name off" : "name" }, node("b", {}, value), data.mark ? node("small", {}, data.mark) : null);
  cells.WanggeState = ({ value, data }) => node("span", { className: `state ${data.kind}` }, data.kind ? node("i", {}) : null, value);

  // --- search: what is in the page is filtered here; devices are too many, so the server finds them
  let sought = "";
  grids.wanggeSought = () => sought !== "" && tab !== "devices";
  const TOLD = ["name", "login", "role_name", "places", "place", "ip", "agent", "created_by", "state"];
  grids.wanggeFound = ({ data }) => TOLD.some((field) => String(data[field] ?? "").toLowerCase().includes(sought));

  // --- the side: what is known of the chosen row
  const side = () => document.getElementById("side");
  let chosen = null;
  let about = null; // what stood there before any row was chosen
  const show = (row) => {
    const place = side();
    about = about || [...place.childNodes];
    if (row && chosen && JSON.stringify(row) === JSON.stringify(chosen)) return;
    const within = place.contains(document.activeElement) ? document.activeElement.dataset.form || "" : null;
    chosen = row;
    if (!row) {
      place.replaceChildren(...about);
      return;
    }
    const list = h("dl", {});
    for (const [label, value] of row.facts) list.append(h("dt", {}, label), h("dd", {}, value));
    const acts = h("div", { class: "acts" });
    for (const name of row.actions) {
      const form = config.forms[name];
      if (form) acts.append(h("button", { type: "button", "data-form": name, class: form.danger ? "danger" : null }, form.title));
    }
    const title = h("h2", {}, h("span", {}, row.name), row.mark ? h("small", {}, row.mark) : null);
    place.replaceChildren(title, list, ...(acts.children.length ? [acts] : []));
    if (within !== null) (place.querySelector(`[data-form="${within}"]`) || place).focus();
  };
  admin.chosen = () => chosen;

  const api = () => window.dash_ag_grid?.getApiAsync(`${tab}-table`);
  let wanted = null; // a row to choose as soon as it comes
  admin.choose = (key) => (wanted = key);
  const ready = async () => {
    const grid = await api();
    if (!grid) return;
    let key = null; // of the chosen row; the grid forgets its own selection whenever rows come
    const choose = (row) => {
      key = row.data.key;
      show(row.data);
      if (!row.isSelected()) row.setSelected(true, true);
    };
    const again = () => {
      let found = key === null ? null : grid.getRowNode(key);
      if (wanted !== null)
        grid.forEachNode((row) => {
          if ([row.data.key, row.data.login, row.data.name].includes(wanted)) found = row;
        });
      if (found && wanted !== null) {
        wanted = null;
        grid.ensureNodeVisible(found);
      }
      if (found) choose(found);
      else if (key !== null) show((key = null));
    };
    grid.addEventListener("rowDataUpdated", () => {
      again();
      setTimeout(again, AFTER_MS);
      wangge.emit("admin:rows");
    });
    // The arrow keys walk over rows and the side follows; Enter goes over to what can be done with the row.
    grid.addEventListener("cellFocused", ({ rowIndex }) => {
      const row = rowIndex == null ? null : grid.getDisplayedRowAtIndex(rowIndex);
      if (row) choose(row);
    });
    grid.addEventListener("cellKeyDown", ({ event }) => {
      if (event.key === "Enter") (side().querySelector("button") || side()).focus();
    });
    const search = document.getElementById("search");
    let typing = null;
    search?.addEventListener("input", () => {
      sought = search.value.trim().toLowerCase();
      if (tab !== "devices") return grid.onFilterChanged();
      clearTimeout(typing);
      typing = setTimeout(() => admin.load({ text: sought }), TYPING_MS);
    });
  };

  document.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || document.querySelector("dialog[open]")) return;
    if (event.key === "Escape" && side()?.contains(event.target)) {
      document.querySelector(".ag-cell-focus, .ag-row-selected .ag-cell, .ag-cell")?.focus();
    } else if (event.key === "/" && !event.target.closest?.("input,textarea,select")) {
      event.preventDefault();
      (document.getElementById("search") || document.querySelector("#filters input[type=search]"))?.focus();
    }
  });

  on("mounted", () => {
    admin.query = { ...base, ...Object.fromEntries(new URLSearchParams(location.search)), lang: config.language };
    const language = document.getElementById("language");
    const next = new URLSearchParams(location.search);
    next.set("lang", language.lang);
    language.href = `?${next}`;
    ready();
    wangge.emit("admin:ready");
  });

  // Who is connected and what was seen last changes by itself; the audit stays where its reader is.
  setInterval(() => {
    if (!document.hidden && tab !== "audit" && !document.querySelector("dialog[open]")) admin.load();
  }, REFRESH_MS);
})();
