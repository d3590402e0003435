// The list of tickets: what its address asks for, pages as one scrolls, time left, news that move nothing.
(() => {
  "use strict";
  const wangge = window.wangge;
  if (!wangge || wangge.config.screen !== "tickets") return;
  const { t, h, on, config } = wangge;
  const { language } = config;
  const PAGE = 60; // rows that are asked for at once
  const NEWS_MS = 1000; // news within this time are looked at together
  const TICK_MS = 20000; // deadlines come nearer without any news
  const SOON_MS = 2 * 3600000; // as on the map
  const AHEAD_PX = 900; // the next page is asked for so far before the end

  const list = (wangge.list = { rows: new Map(), order: [], answer: null, current: null });
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

  // --- words of codes, places and times
  const named = (rows) => new Map((rows || []).map((one) => [one.code, one.name]));
  const names = {
    category: named(config.categories), channel: named(config.channels), department: named(config.departments),
    severity: named(config.severities), supervision: named(config.supervisions),
  };
  list.name = (kind, code) => (code == null ? "" : kind === "status" ? config.statuses[code] ?? code : names[kind]?.get(code) ?? code);
  list.now = () => (wangge.now ? wangge.now() : Date.now());
  const parts = new Intl.DateTimeFormat(language === "en" ? "en-GB" : language, {
    timeZone: config.time_zone, month: language === "en" ? "short" : "2-digit", day: language === "en" ? "numeric" : "2-digit", hour: "2-digit", minute: "2-digit", hourCycle: "h23",
  });
  list.at = (ms) => (ms == null ? "" : parts.format(ms));
  const span = (ms) => {
    const minutes = Math.max(1, Math.round(Math.abs(ms) / 60000));
    if (minutes < 60) return t("list.span.minutes", { n: minutes });
    if (minutes < 48 * 60) return t("list.span.hours", { n: Math.round(minutes / 60) });
    return t("list.span.days", { n: Math.round(minutes / 1440) });
  };
  const town = (no) => Math.floor(no / 1e6) * 1e6;
  const community = (no) => Math.floor(no / 1e3) * 1e3;
  list.place = ({ area }) => {
    const steps = [...new Set([town(area.no), community(area.no)])].map((no) => config.names[no]).filter(Boolean);
    const grid = area.level === "grid" ? wangge.gridName(area.name, config.names[community(area.no)] || "") : null;
    const [first, ...rest] = [...steps, grid].filter(Boolean);
    return { first: first || area.name, rest: rest.join(" ") };
  };

  // How it stands with its deadline: words, a share of the time used, and a kind that has a shape of its own.
  list.due = (row) => {
    const now = list.now();
    if (row.closed_at != null) {
      const ended = row.handled_at ?? row.closed_at;
      if (row.due_at == null) return { kind: "ended", text: list.at(row.closed_at), share: null };
      return ended > row.due_at
        ? { kind: "ended", text: t("list.was_late", { span: span(ended - row.due_at) }), share: null }
        : { kind: "ended", text: t("list.in_time"), share: null };
    }
    if (row.status === "suspended") return { kind: "paused", text: row.suspended_until ? t("list.paused_until", { at: list.at(row.suspended_until) }) : t("list.paused"), share: null };
    if (row.due_at == null) return { kind: "none", text: t("list.no_deadline"), share: null };
    const left = row.due_at - now;
    if (left < 0) return { kind: "late", text: t("list.over", { span: span(left) }), share: null };
    const from = row.dispatched_at ?? row.reported_at;
    const share = Math.min(1, Math.max(0, (now - from) / Math.max(1, row.due_at - from)));
    return { kind: left < SOON_MS ? "soon" : "calm", text: t("list.left", { span: span(left) }), share };
  };
  const SHAPE = { late: "\u25b2", soon: "\u25c6", paused: "\u275a\u275a" };

  // --- one row
  const chip = (word, kind) => h("span", { class: `chip ${kind || ""}` }, word);
  const CELLS = {
    due(row) {
      const { kind, text, share } = list.due(row);
      const words = h("b", { class: kind }, h("i", { "aria-hidden": "true" }, SHAPE[kind] || ""), text);
      const bar = share == null ? null : h("span", { class: `used ${kind}`, "aria-hidden": "true" }, h("i", { style: `transform:scaleX(${share.toFixed(3)})` }));
      return { nodes: [words, bar], title: row.due_at ? t("list.due_at", { at: list.at(row.due_at) }) : null };
    },
    matter(row) {
      const marks = [
        row.supervised_at ? chip(row.supervision ? list.name("supervision", row.supervision) : t("list.flag.supervised"), "strong") : null,
        row.escalation ? chip(t("list.mark.escalated", { n: row.escalation })) : null,
        row.redos ? chip(t("list.mark.redos", { n: row.redos })) : null,
        row.pictures ? chip(t("list.mark.pictures", { n: row.pictures })) : null,
      ];
      const title = row.title || list.name("category", row.category);
      return { nodes: [h("b", {}, title), ...marks, h("small", {}, row.number)], title: `${title}\n${row.number}${row.address ? `\n${row.address}` : ""}` };
    },
    category: (row) => ({ nodes: [list.name("category", row.category)], title: wangge.className(row.category) }),
    place(row) {
      const { first, rest } = list.place(row);
      return { nodes: [first, rest ? h("small", {}, rest) : null], title: [first, rest, row.address].filter(Boolean).join(" \u00b7 ") };
    },
    status: (row) => ({ nodes: [list.name("status", row.status)] }),
    severity: (row) => ({ nodes: [row.severity && row.severity !== config.severities[0]?.code ? h("span", { class: "box" }, list.name("severity", row.severity)) : null] }),
    channel: (row) => ({ nodes: [list.name("channel", row.channel)] }),
    holder: (row) => ({ nodes: [row.department ? list.name("department", row.department) : "", row.worker ? h("small", {}, row.worker) : null] }),
    reported: (row) => ({ nodes: [list.at(row.reported_at)] }),
  };
  const fill = (node, row) => {
    for (const [name, make] of Object.entries(CELLS)) {
      const cell = node.querySelector(`td.${name}`);
      const { nodes, title } = make(row);
      cell.replaceChildren(...nodes.filter((one) => one != null && one !== ""));
      if (title) cell.title = title;
    }
    node.classList.toggle("ended", row.closed_at != null);
    node.querySelector("input").setAttribute("aria-label", t("list.pick", { number: row.number }));
  };
  const drawn = (row) => {
    const pick = h("input", { type: "checkbox", tabindex: "-1" });
    pick.checked = Boolean(list.picked?.has(row.id));
    const node = h("tr", { "data-id": row.id, role: "row", tabindex: "-1" }, h("td", { class: "pick" }, pick), ...Object.keys(CELLS).map((name) => h("td", { class: name })));
    fill(node, row);
    return node;
  };
  const nodeOf = (id) => el("rows").querySelector(`tr[data-id="${id}"]`);
  // A row that is shown gets what is new of it, where it stands.
  list.renew = (row, mark = true) => {
    const known = list.rows.get(row.id);
    if (!known || known.version > row.version) return;
    const changed = known.version !== row.version;
    list.rows.set(row.id, { ...known, ...row });
    const node = nodeOf(row.id);
    if (!node) return;
    fill(node, list.rows.get(row.id));
    if (mark && changed) {
      node.classList.remove("changed");
      void node.offsetWidth; // the mark begins anew
      node.classList.add("changed");
    }
    if (list.picked?.has(row.id)) list.picked.set(row.id, list.rows.get(row.id));
  };

  // --- pages
  let turn = 0;
  let loading = false;
  const ask = async (more) => {
    const answer = await fetch(`/api/tickets?${parameters({ limit: PAGE, ...more })}`, { signal: AbortSignal.timeout(20000) });
    if (answer.status === 401) wangge.signIn();
    if (!answer.ok) {
      const told = await answer.json().catch(() => null);
      throw Object.assign(new Error(told?.error?.message || answer.statusText), { final: answer.status < 500 && answer.status !== 429, details: told?.error?.details });
    }
    return answer.json();
  };
  list.load = async ({ quiet = false } = {}) => {
    const mine = (turn += 1);
    loading = true;
    clearNews();
    wangge.emit("list:asked");
    const root = el("tickets");
    if (!quiet) root.dataset.state = "loading";
    try {
      const answer = await ask();
      if (mine !== turn) return;
      Object.assign(list, { answer, order: answer.rows.map((row) => row.id), rows: new Map(answer.rows.map((row) => [row.id, row])) });
      el("rows").replaceChildren(...answer.rows.map(drawn));
      el("scroll").scrollTop = 0;
      root.dataset.state = answer.rows.length ? "ready" : "empty";
      list.current = null;
      select(list.asked("ticket") ? Number(list.asked("ticket")) : null, false);
      tell();
    } catch (error) {
      if (mine !== turn) return;
      root.dataset.state = "failed";
      list.answer = null; // what was told of another list has no further pages in this one
      say(error);
      if (!error.final) setTimeout(() => mine === turn && list.load({ quiet: true }), 4000);
    } finally {
      if (mine === turn) loading = false;
      more();
    }
  };
  const more = async () => {
    const { answer } = list;
    const scroll = el("scroll");
    if (loading || !answer?.next || scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight > AHEAD_PX) return;
    const mine = turn;
    loading = true;
    try {
      const next = await ask({ after: answer.next });
      if (mine !== turn) return;
      const fresh = next.rows.filter((row) => !list.rows.has(row.id));
      for (const row of fresh) list.rows.set(row.id, row);
      list.order.push(...fresh.map((row) => row.id));
      el("rows").append(...fresh.map(drawn));
      list.answer = { ...answer, next: next.next };
      tell();
    } catch {
      if (mine === turn) setTimeout(more, 4000);
      return;
    } finally {
      if (mine === turn) loading = false;
    }
    if (mine === turn) more();
  };

  // --- what is told about the list
  const tell = () => {
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

  // --- the current row, the opened ticket
  const select = (id, focus = true) => {
    const before = list.current && nodeOf(list.current);
    before?.removeAttribute("aria-current");
    list.current = id;
    const node = id && nodeOf(id);
    if (!node) return;
    node.setAttribute("aria-current", "true");
    if (focus) node.focus({ preventScroll: true });
    node.scrollIntoView({ block: "nearest" });
  };
  list.select = select;
  const move = (step) => {
    const at = list.order.indexOf(list.current);
    const next = list.order[Math.min(list.order.length - 1, Math.max(0, at + step))];
    if (next == null) return;
    select(next);
    if (!el("side").hidden) list.open(next, { focus: false });
    if (at + step > list.order.length - 8) more();
  };

  // --- news: rows that are shown change where they are; others wait until they are asked for
  let changed = new Map();
  let waiting = 0;
  let unseen = new Set();
  const clearNews = () => {
    unseen = new Set();
    const node = el("news");
    if (node) node.replaceChildren();
  };
  const showNews = () => {
    const node = el("news");
    if (!unseen.size) return node.replaceChildren();
    const button = h("button", { type: "button" }, t("list.news", { n: unseen.size, count: wangge.int(unseen.size) }));
    button.addEventListener("click", () => list.load({ quiet: true }));
    node.replaceChildren(button);
  };
  const look = async () => {
    waiting = 0;
    const news = changed;
    changed = new Map();
    const mine = turn;
    if (loading || !list.answer) return;
    for (const event of news.values()) {
      const known = list.rows.get(event.id);
      if (known && event.version >= known.version) list.renew(event);
    }
    try {
      const fresh = await ask();
      if (mine !== turn) return;
      for (const row of fresh.rows) {
        if (list.rows.has(row.id)) list.renew(row, false);
        else unseen.add(row.id);
      }
      const here = new Set(fresh.rows.map((row) => row.id));
      const whole = fresh.next === null;
      for (const id of news.keys()) {
        const node = list.rows.has(id) && nodeOf(id);
        if (node && whole) node.classList.toggle("left", !here.has(id));
      }
      list.answer = { ...list.answer, total: fresh.total, late: fresh.late, more: fresh.more, looked_at: fresh.looked_at };
      tell();
      showNews();
    } catch {
      // the next news look again; how old the list is stands in the header
    }
  };
  const listen = () => {
    wangge.live.on("tickets", (rows) => {
      for (const row of rows) {
        const ended = config.list.states.ended.includes(row.status);
        const told = { id: row.id, version: row.version, status: row.status, due_at: row.due_at, closed_at: ended ? row.at : null };
        changed.set(row.id, told);
        wangge.emit("list:event", row);
      }
      waiting = waiting || setTimeout(look, NEWS_MS);
    });
    wangge.live.on("snapshot", () => list.answer && (waiting = waiting || setTimeout(look, NEWS_MS))); // after a gap
  };

  // --- start
  const typing = (target) => target.closest?.("input:not([type=checkbox]),textarea,select,[contenteditable]");
  const keys = (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.target.closest?.("dialog")) return;
    if (event.key === "Escape") return wangge.emit("list:escape", event);
    if (typing(event.target)) return;
    const { key } = event;
    if (key === "j" || key === "ArrowDown") move(1);
    else if (key === "k" || key === "ArrowUp") move(-1);
    else if (key === "Enter" && list.current && !event.target.closest("button,a,summary")) list.open(list.current);
    else if (key === "x" && list.current) wangge.emit("list:pick", list.current);
    else if (key === "/") el("search")?.focus();
    else if (key === "?") wangge.emit("list:help");
    else return;
    event.preventDefault();
  };
  on("mounted", () => {
    el("rows").addEventListener("click", (event) => {
      const node = event.target.closest("tr[data-id]");
      if (!node || event.target.closest(".pick")) return;
      const id = Number(node.dataset.id);
      select(id);
      list.open(id, { focus: false });
    });
    for (const button of document.querySelectorAll("#list [data-sort]"))
      button.addEventListener("click", () => {
        const sort = list.sort();
        const name = button.dataset.sort;
        const first = name === "reported" || name === "status" ? `-${name}` : name;
        list.change({ sort: sort === first ? (first.startsWith("-") ? name : `-${name}`) : first });
      });
    el("scroll").addEventListener("scroll", more, { passive: true });
    document.addEventListener("keydown", keys);
    addEventListener("popstate", () => {
      list.load();
      wangge.emit("list:address");
    });
    list.keep({});
    list.load();
    wangge.emit("list:address");
    setInterval(() => {
      for (const [id, row] of list.rows) if (row.closed_at == null) fill(nodeOf(id), row);
    }, TICK_MS);
  });
  addEventListener("DOMContentLoaded", () => wangge.live && listen());
})();
