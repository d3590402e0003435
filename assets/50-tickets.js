// The list of tickets: what its address asks for, page by page as one scrolls, and what is told of it.
(() => {
  "use strict";
  const wangge = window.wangge;
  if (!wangge || wangge.config.screen !== "tickets") return;
  const { t, h, on, config } = wangge;
  const PAGE = 60; // rows that are asked for at once
  const AHEAD_PX = 900; // the next page is asked for so far before the end

  const list = (wangge.list = { rows: new Map(), order: [], answer: null, current: null, turn: 0, loading: false });
  const el = (id) => document.getElementById(id);
  list.el = el;

  // --- the address holds the state: filters, order, the opened ticket
  const FILTERS = [
    "q", "area", "status", "channel", "category", "severity", "department", "worker", "flag", "located",
    "since", "until", "closed_since", "closed_until", "sort",
  ];
  const query = () => new URLSearchParams(location.search);
  const address = (changes) => {
    const next = query();
    for (const [name, value] of Object.entries(changes)) {
      const text = Array.isArray(value) ? value.join(",") : value;
      text == null || text === "" ? next.delete(name) : next.set(name, text);
    }
    const text = next.toString().replaceAll("%2C", ",");
    return location.pathname + (text ? `?${text}` : "");
  };
  list.asked = (name) => query().get(name) || "";
  list.several = (name) => list.asked(name).split(",").filter(Boolean);
  list.keep = (changes, push = false) => {
    history[push ? "pushState" : "replaceState"](history.state, "", address(changes));
    const link = el("language");
    if (link) link.href = address({ lang: link.lang });
  };
  // Change filters or the order: a new list.
  list.change = (changes) => {
    list.keep(changes, true);
    list.load();
  };
  // Open tickets by their deadline, ended ones from the newest, unless the address says otherwise.
  list.sort = () => {
    const states = list.several("status");
    const open = states.every((name) => (config.list.states[name] || [name]).every((one) => !config.list.states.ended.includes(one)));
    return list.asked("sort") || (open ? "due" : "-reported");
  };
  // The filters as a body of /api/… takes them.
  list.filters = () => {
    const body = {};
    for (const name of FILTERS) {
      const value = list.asked(name);
      if (value) body[name] = SEVERAL.has(name) ? list.several(name) : value;
    }
    if (!body.area && config.within) body.area = config.within;
    body.sort = list.sort();
    return body;
  };
  const SEVERAL = new Set(["status", "channel", "category", "severity", "department", "flag", "located"]);
  list.FILTERS = FILTERS;
  const parameters = (more) => {
    const next = new URLSearchParams();
    for (const [name, value] of Object.entries({ ...list.filters(), ...more })) if (value != null) next.set(name, String(value));
    return next;
  };

  // --- pages
  list.ask = async (more) => {
    const answer = await fetch(`/api/tickets?${parameters({ limit: PAGE, ...more })}`, { signal: AbortSignal.timeout(20000) });
    if (answer.status === 401) wangge.signIn();
    if (!answer.ok) {
      const told = await answer.json().catch(() => null);
      throw Object.assign(new Error(told?.error?.message || answer.statusText), { final: answer.status < 500 && answer.status !== 429, details: told?.error?.details });
    }
    return answer.json();
  };
  list.load = async ({ quiet = false } = {}) => {
    const mine = (list.turn += 1);
    list.loading = true;
    wangge.emit("list:asked");
    const root = el("tickets");
    if (!quiet) root.dataset.state = "loading";
    try {
      const answer = await list.ask();
      if (mine !== list.turn) return;
      Object.assign(list, { answer, order: answer.rows.map((row) => row.id), rows: new Map(answer.rows.map((row) => [row.id, row])) });
      el("rows").replaceChildren(...answer.rows.map(list.drawn));
      el("scroll").scrollTop = 0;
      root.dataset.state = answer.rows.length ? "ready" : "empty";
      list.current = null;
      list.select(list.asked("ticket") ? Number(list.asked("ticket")) : null, false);
      list.tell();
    } catch (error) {
      if (mine !== list.turn) return;
      root.dataset.state = "failed";
      list.answer = null; // what was told of another list has no further pages in this one
      say(error);
      if (!error.final) setTimeout(() => mine === list.turn && list.load({ quiet: true }), 4000);
    } finally {
      if (mine === list.turn) list.loading = false;
      list.more();
    }
  };
  list.more = async () => {
    const { answer } = list;
    const scroll = el("scroll");
    if (list.loading || !answer?.next || scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight > AHEAD_PX) return;
    const mine = list.turn;
    list.loading = true;
    try {
      const next = await list.ask({ after: answer.next });
      if (mine !== list.turn) return;
      const fresh = next.rows.filter((row) => !list.rows.has(row.id));
      for (const row of fresh) list.rows.set(row.id, row);
      list.order.push(...fresh.map((row) => row.id));
      el("rows").append(...fresh.map(list.drawn));
      list.answer = { ...answer, next: next.next };
      list.tell();
    } catch {
      if (mine === list.turn) setTimeout(list.more, 4000);
      return;
    } finally {
      if (mine === list.turn) list.loading = false;
    }
    if (mine === list.turn) list.more();
  };

  // --- what is told about the list
  list.tell = () => {
    const { answer } = list;
    if (!answer) return;
    const count = t(answer.more ? "list.count.more" : "list.count", { n: answer.total, count: wangge.int(answer.total) });
    const late = answer.late ? h("span", { class: "late" }, `\u25b2 ${t("list.late", { n: answer.late, count: wangge.int(answer.late) })}`) : h("span", {}, t("list.late.none"));
    const part = answer.looked_at ? h("span", { class: "part" }, t("list.looked_at", { count: wangge.int(answer.looked_at) })) : null;
    el("figures").replaceChildren(...[h("b", {}, count), late, part].filter(Boolean));
    const end = el("end");
    if (!answer.rows.length) end.replaceChildren(h("h2", {}, t("list.empty")), h("p", {}, t("list.empty.do")), reset());
    else end.replaceChildren(answer.next ? "" : h("small", {}, t("list.end", { n: list.order.length, count: wangge.int(list.order.length) })));
    for (const button of document.querySelectorAll("#list [data-sort]")) {
      const sort = list.sort();
      const mine = sort.replace("-", "") === button.dataset.sort;
      const descending = sort.startsWith("-");
      button.parentNode.setAttribute("aria-sort", mine ? (descending ? "descending" : "ascending") : "none");
      button.lastChild.textContent = mine ? (descending ? "\u2193" : "\u2191") : "";
    }
  };
  const reset = () => {
    const button = h("button", { type: "button" }, t("list.reset"));
    button.addEventListener("click", list.reset);
    return button;
  };
  list.reset = () => list.change(Object.fromEntries(FILTERS.map((name) => [name, null])));
  const say = (error) => {
    el("figures").replaceChildren();
    const again = h("button", { type: "button" }, t("list.again"));
    again.addEventListener("click", () => list.load());
    const told = error.final && error.details?.[0]?.field ? t("list.bad_filter", { field: t(`list.filter.${error.details[0].field}`) }) : error.final ? error.message : t("list.failed.do");
    el("end").replaceChildren(h("h2", { role: "alert" }, t(error.final ? "list.refused" : "list.failed")), h("p", {}, told), error.final ? reset() : again);
  };

  // --- start
  on("mounted", () => {
    for (const button of document.querySelectorAll("#list [data-sort]"))
      button.addEventListener("click", () => {
        const sort = list.sort();
        const name = button.dataset.sort;
        const first = name === "reported" || name === "status" ? `-${name}` : name;
        list.change({ sort: sort === first ? (first.startsWith("-") ? name : `-${name}`) : first });
      });
    el("scroll").addEventListener("scroll", list.more, { passive: true });
    addEventListener("popstate", () => {
      list.load();
      wangge.emit("list:address");
    });
    list.keep({});
    list.load();
    wangge.emit("list:address");
  });
})();
