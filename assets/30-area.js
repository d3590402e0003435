// The page of an area: cells of its table, periods and search kept in the address, a click on the map leads down.
(() => {
  "use strict";
  const wangge = window.wangge;
  if (!wangge || wangge.config.screen !== "area") return;
  const { t, on } = wangge;
  const PERIODS = ["today", "week", "month"];
  const REFRESH_MS = 15000;

  // --- the address holds the state
  const query = () => new URLSearchParams(location.search);
  const address = (changes) => {
    const next = query();
    for (const [name, value] of Object.entries(changes)) value ? next.set(name, value) : next.delete(name);
    const text = next.toString();
    return location.pathname + (text ? `?${text}` : "");
  };
  const keep = (changes) => history.replaceState(history.state, "", address(changes));
  const areaAddress = (code) => {
    const next = new URLSearchParams();
    for (const name of ["lang", "period"]) if (query().get(name)) next.set(name, query().get(name));
    const text = next.toString();
    return `/area/${encodeURIComponent(code)}${text ? `?${text}` : ""}`;
  };
  wangge.areaAddress = areaAddress;

  const period = () => (PERIODS.includes(query().get("period")) ? query().get("period") : PERIODS[0]);
  const mark = () => {
    for (const button of document.querySelectorAll("[data-period]"))
      button.setAttribute("aria-pressed", String(button.dataset.period === period()));
    const language = document.getElementById("language");
    if (language) language.href = address({ lang: language.lang });
    for (const link of document.querySelectorAll(".trail a")) {
      const url = new URL(link.href);
      if (query().get("period")) url.searchParams.set("period", query().get("period"));
      else url.searchParams.delete("period");
      link.href = url.pathname + url.search;
    }
  };
  const choose = (name) => {
    const next = address({ period: name === PERIODS[0] ? null : name });
    history.pushState({}, "", next);
    follow();
  };
  const follow = () => {
    const { config } = wangge;
    window.dash_clientside?.set_props("address", { data: { code: config.area.code, lang: config.language, period: period() } });
    mark();
  };

  // --- the table's cells
  const react = () => window.React.createElement;
  const grids = (window.dashAgGridFunctions = window.dashAgGridFunctions || {});
  const cells = (window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {});
  grids.wanggeInt = (value) => (value == null ? "" : wangge.int(value));
  grids.wanggeSigned = (value) => (value == null ? "" : wangge.signed(value));
  cells.WanggeAreaLink = ({ value, data }) => react()("a", { href: areaAddress(data.code) }, value);
  cells.WanggeLate = ({ value }) =>
    value ? react()("span", { className: "late" }, `\u25b2 ${wangge.int(value)}`) : react()("span", { className: "none" }, "0");
  cells.WanggeBar = ({ value, api }) => {
    let most = 1;
    api.forEachNode((node) => (most = Math.max(most, node.data.open)));
    return react()(
      "span",
      { className: "bar" },
      react()("i", {}, react()("i", { style: { transform: `scaleX(${value / most})` } })),
      react()("b", {}, wangge.int(value)),
    );
  };
  cells.WanggeRate = ({ data, colDef }) => {
    const [n, d] = [data[`${colDef.field}_n`], data[`${colDef.field}_d`]];
    if (!d) return react()("span", { className: "rate none" }, react()("b", { className: "few" }, "\u2013"));
    const few = d < 30 ? "few" : null;
    return react()("span", { className: "rate" }, react()("b", { className: few }, `${wangge.pct(n, d)}%`), react()("small", {}, wangge.share(n, d)));
  };
  cells.WanggeDue = ({ value, data }) => react()("span", { className: data.late ? "late" : "" }, data.late ? `\u25b2 ${value}` : value);

  // A name by any part of it, an area by the beginning of its initials or of its code; a ticket by any of its words.
  let sought = "";
  const found = (data) => {
    if (!data.code) return [data.category, data.channel, data.status, String(data.id)].some((word) => word.toLowerCase().includes(sought));
    const code = sought.length >= 4 && data.code.startsWith(sought);
    return code || data.name.toLowerCase().includes(sought) || (data.initials || "").startsWith(sought);
  };
  grids.wanggeSought = () => sought !== "";
  grids.wanggeFound = (node) => found(node.data);

  const table = () => window.dash_ag_grid?.getApiAsync("table");
  const ready = async () => {
    const api = await table();
    if (!api) return;
    const search = document.getElementById("search");
    const filter = () => {
      sought = search.value.trim().toLowerCase();
      api.onFilterChanged();
    };
    const asked = query().get("q");
    if (asked) {
      search.value = asked;
      filter();
    }
    search.addEventListener("input", () => {
      filter();
      keep({ q: search.value.trim() });
    });
    const sort = (query().get("sort") || "").split(":");
    if (sort[0]) api.applyColumnState({ state: [{ colId: sort[0], sort: sort[1] === "asc" ? "asc" : "desc" }], defaultState: { sort: null } });
    api.addEventListener("sortChanged", () => {
      const by = api.getColumnState().find((column) => column.sort);
      keep({ sort: by && !(by.colId === "open" && by.sort === "desc") ? `${by.colId}:${by.sort}` : null });
    });
    api.addEventListener("rowDataUpdated", () => {
      if (search.value) filter();
      api.refreshCells({ columns: ["open"], force: true });
    });
    // A row and its area on the map point at each other.
    api.addEventListener("cellMouseOver", ({ data }) => wangge.map?.select?.(data.no ?? null));
    api.addEventListener("cellMouseOut", () => wangge.map?.select?.(null));
    api.addEventListener("cellKeyDown", ({ event, data }) => {
      if (event.key === "Enter" && data.code) location.assign(areaAddress(data.code));
    });
  };

  // --- keyboard: / to search, 1 2 3 for the period, Backspace one level up
  const typing = (target) => target.closest?.("input,textarea,select,[contenteditable]");
  document.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "Escape" && event.target.id === "search") event.target.blur();
    if (typing(event.target)) return;
    if (event.key === "/") {
      event.preventDefault();
      document.getElementById("search")?.focus();
    } else if (["1", "2", "3"].includes(event.key)) choose(PERIODS[event.key - 1]);
    else if (event.key === "Backspace") {
      const up = [...document.querySelectorAll(".trail a")].pop();
      if (up) location.assign(up.href);
    }
  });

  on("mounted", () => {
    mark();
    document.addEventListener("click", (event) => {
      const button = event.target.closest?.("[data-period]");
      if (button) choose(button.dataset.period);
    });
    ready();
  });
  addEventListener("popstate", follow);
  on("map:select", (area) => {
    const here = wangge.config.area;
    if (area && area.code && area.no !== here.no && area.no >= here.no && area.no <= here.hi) location.assign(areaAddress(area.code));
  });

  // --- fresh figures come when the live feed says that something changed, at most every 15 s
  let last = Date.now();
  let waiting = null;
  addEventListener("DOMContentLoaded", () =>
    wangge.live?.on("figures", () => {
      if (waiting) return;
      waiting = setTimeout(() => {
        waiting = null;
        last = Date.now();
        if (!document.hidden) window.dash_clientside?.set_props("tick", { data: last });
      }, Math.max(0, last + REFRESH_MS - Date.now()));
    }),
  );
})();
