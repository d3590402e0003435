// The boards: a queue of what is to be done next, the opened case beside it, figures above; kept up to date by the stream.
//
// A board calls wangge.board.define({...}); see 62-boards-callbacks.js for what it has to say.
(() => {
  "use strict";
  const wangge = window.wangge;
  if (!wangge || !wangge.config.board) return;
  const { t, h, on, config } = wangge;
  const { screen, language } = config;
  const PAGE = 100; // rows that are asked for at once
  const NEWS_MS = 800; // news within this time are fetched together
  const REFRESH_MS = 60000; // deadlines pass without any news
  const SOON_MS = 2 * 3600000; // to be done within so long: amber
  const OPEN_MS = 120; // how long a row stays chosen before its case is asked for

  const board = (wangge.board = { rows: [], answer: null, detail: null, chosen: null });
  let own = null;
  board.define = (definition) => (own = definition);
  const el = (id) => document.getElementById(id);

  // --- the address holds the state: tab, filters, case
  const query = () => new URLSearchParams(location.search);
  const address = (changes) => {
    const next = query();
    for (const [name, value] of Object.entries(changes)) value == null || value === "" ? next.delete(name) : next.set(name, value);
    const text = next.toString();
    return location.pathname + (text ? `?${text}` : "");
  };
  const keep = (changes) => {
    history.replaceState(history.state, "", address(changes));
    const link = el("language");
    if (link) link.href = address({ lang: link.lang });
  };
  board.tab = () => (config.board.tabs.includes(query().get("tab")) ? query().get("tab") : config.board.tabs[0]);
  board.asked = (name) => query().get(name);

  // --- words of codes, places and times
  const named = (list) => new Map((list || []).map((one) => [one.code, one.name]));
  const names = {
    category: named(config.categories), channel: named(config.channels), department: named(config.departments),
    supervision: named(config.supervisions), tier: named(config.tiers), post: named(config.posts), severity: named(config.severities),
  };
  board.name = (vocabulary, code) => {
    if (code == null) return "";
    if (vocabulary === "status") return config.statuses[code] ?? code;
    return names[vocabulary]?.get(String(code)) ?? code;
  };
  board.level = (n) => (n ? (config.levels_of_escalation[n - 1]?.name ?? t("board.level", { n })) : "");
  const town = (no) => Math.floor(no / 1e6) * 1e6;
  board.place = (row) => {
    const [place, above] = language === "en" ? [wangge.areaName(row.area_no), config.names[town(row.area_no)]] : [row.area, row.town];
    return above && above !== place && above !== config.area.name ? `${above} ${place}` : place;
  };
  let ahead = 0;
  board.now = () => Date.now() + ahead;
  const parts = new Intl.DateTimeFormat(language === "en" ? "en-GB" : language, {
    timeZone: config.time_zone, month: language === "en" ? "short" : "numeric", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23",
  });
  board.at = (ms) => (ms == null ? "" : parts.format(ms));
  const span = (ms) => {
    const minutes = Math.max(1, Math.round(Math.abs(ms) / 60000));
    if (minutes < 60) return t("board.span.minutes", { n: minutes });
    if (minutes < 48 * 60) return t("board.span.hours", { n: Math.round(minutes / 60) });
    return t("board.span.days", { n: Math.round(minutes / 1440) });
  };
  board.span = span;
  board.due = (ms) => {
    if (ms == null) return { text: "", mark: "calm" };
    const left = ms - board.now();
    if (left < 0) return { text: t("board.over", { span: span(left) }), mark: "late" };
    return { text: t("board.left", { span: span(left) }), mark: left < SOON_MS ? "soon" : "calm" };
  };

  // Every quoted sentence comes from people: it goes in as text, never as HTML.
  board.mark = (kind) => h("i", { class: `mark ${kind}`, "aria-hidden": "true" });
  board.chip = (text, kind) => (text ? h("span", { class: `chip ${kind || ""}` }, text) : null);
  // In a list only where real and made-up records stand side by side.
  board.mixed = (row) => (config.place.generated ? null : board.generated(row));
  board.who = (actor) => ({ generator: t("board.by.generator"), import: t("board.by.import"), system: t("board.by.system") })[actor] ?? actor;
  board.generated = (row) => (row.generated ? h("span", { class: "chip made", title: t("board.generated.title") }, t("board.generated")) : null);

  let fading = null;
  board.say = (sentence, bad) => {
    const place = el("said");
    place.textContent = sentence;
    place.className = bad ? "shown bad" : "shown";
    clearTimeout(fading);
    fading = setTimeout(() => (place.className = ""), 5000);
  };
  board.sentence = (error) => wangge.sentence(error);

  // --- asking the server; what comes too late for what is asked now is dropped
  const get = async (url) => {
    const answer = await fetch(url, { signal: AbortSignal.timeout(15000) });
    if (answer.ok) return answer.json();
    if (answer.status === 401) wangge.signIn();
    const told = await answer.json().catch(() => ({}));
    throw { status: answer.status, code: told.error?.code, message: told.error?.message ?? answer.statusText };
  };
  board.get = get;
  let turn = 0;
  const load = async () => {
    const mine = ++turn;
    const url = new URL(own.url(board.tab()), location.href);
    if (config.within) url.searchParams.set("within", config.within);
    url.searchParams.set("limit", PAGE);
    try {
      const answer = await get(url);
      if (mine !== turn) return;
      ahead = answer.as_of - Date.now();
      board.answer = answer;
      board.rows = own.rows ? own.rows(answer) : answer.rows;
      failed = null;
    } catch (error) {
      if (mine !== turn) return;
      failed = error;
    }
    draw();
  };
  let failed = null;
  board.reload = load;

  // --- figures on top
  const tile = (name, told) => {
    const node = document.querySelector(`[data-tile="${name}"]`);
    if (!node) return;
    const rate = "d" in told;
    const value = rate ? wangge.pct(told.n, told.d) : wangge.int(told.n);
    const few = rate && told.d < 30 ? "few" : null;
    const late = told.late && told.n ? board.mark("late") : null;
    node.replaceChildren(
      node.firstElementChild,
      h("div", { class: `value${late ? " late" : ""}` }, late, h("b", { class: value === null ? "none" : few }, value ?? "\u2013"),
        h("small", {}, rate ? (value === null ? "" : "%") : told.unit ?? t("unit.ticket")), rate ? h("span", { class: "of" }, wangge.share(told.n, told.d)) : null),
      h("div", { class: "note" }, told.note || ""),
    );
    node.classList.add("filled");
  };

  // --- the queue
  const option = (row) => {
    const told = own.item(row);
    const node = h(
      "li",
      { role: "option", id: `row-${told.id}`, "data-id": told.id, "aria-selected": String(String(told.id) === board.chosen) },
      board.mark(told.mark),
      h("div", { class: "what" }, h("b", {}, told.title), h("small", {}, told.place)),
      h("div", { class: "when" }, h("b", { class: told.mark }, told.when), h("small", {}, told.why)),
    );
    if (told.chips?.length) node.querySelector(".what b").after(...told.chips.filter(Boolean));
    return node;
  };
  const notice = (words, retry) => {
    const again = retry ? h("button", { type: "button" }, t("board.retry")) : null;
    again?.addEventListener("click", load);
    return h("li", { class: "notice", role: "presentation" }, h("p", {}, words), again);
  };
  const draw = () => {
    const list = el("queue");
    const top = list.scrollTop;
    list.setAttribute("aria-busy", "false");
    el("left").classList.toggle("stale", Boolean(failed && board.answer));
    if (!board.answer) list.replaceChildren(notice(board.sentence(failed), true));
    else {
      const rows = board.rows.map(option);
      if (!rows.length) rows.push(notice(own.empty(board.tab())));
      if (failed) rows.unshift(notice(t("board.stale", { at: board.at(board.answer.as_of) }), true));
      list.replaceChildren(...rows);
      list.scrollTop = top;
      el("queue-foot").textContent = own.foot(board.answer);
      for (const [name, told] of Object.entries(own.tiles(board.answer))) tile(name, told);
      for (const button of document.querySelectorAll("[data-tab]")) {
        const n = own.count?.(button.dataset.tab, board.answer);
        button.setAttribute("aria-selected", String(button.dataset.tab === board.tab()));
        button.lastElementChild.textContent = n == null ? "" : wangge.int(n);
      }
      const filters = own.filters?.(board.answer) || [];
      el("filters").replaceChildren(...filters);
      el("filters").hidden = !filters.length;
    }
    mark();
    if (board.chosen === null) choose(board.asked("case") ?? (board.rows[0] && String(own.item(board.rows[0]).id)));
    else if (!board.chosen) showNone();
  };
  const mark = () => {
    for (const node of document.querySelectorAll("#queue [role=option]")) node.setAttribute("aria-selected", String(node.dataset.id === board.chosen));
    el("queue").setAttribute("aria-activedescendant", board.chosen ? `row-${board.chosen}` : "");
  };

  // A select that filters; values with the number of rows that each would leave.
  board.filter = (name, label, counts, say) => {
    const asked = board.asked(name);
    const values = Object.keys(counts || {});
    if (asked && !values.includes(asked)) values.push(asked);
    if (!values.length) return null;
    const select = h("select", { "data-filter": name, "aria-label": label }, h("option", { value: "" }, label));
    for (const value of values) {
      const one = h("option", { value }, `${say(value)} ${wangge.int(counts?.[value] ?? 0)}`);
      one.selected = value === asked;
      select.append(one);
    }
    select.classList.toggle("set", Boolean(asked));
    select.addEventListener("change", () => {
      keep({ [name]: select.value });
      load();
    });
    return select;
  };

  // --- the case
  let opening = null;
  let caseTurn = 0;
  const choose = (id, { quick = false } = {}) => {
    board.chosen = id ? String(id) : "";
    keep({ case: board.chosen });
    mark();
    document.getElementById(`row-${board.chosen}`)?.scrollIntoView({ block: "nearest" });
    clearTimeout(opening);
    if (!board.chosen) return showNone();
    opening = setTimeout(() => openCase(), quick ? OPEN_MS : 0);
  };
  board.choose = choose;
  const showNone = () => el("case").replaceChildren(h("div", { class: "nothing" }, h("p", {}, t(board.rows.length ? "board.none.choose" : "board.none.done"))));
  const openCase = async () => {
    const mine = ++caseTurn;
    const id = board.chosen;
    if (board.detail?.id !== id) el("case").replaceChildren(h("div", { class: "skeleton-case" }));
    try {
      const detail = await get(own.caseUrl(id, board.tab()));
      if (mine !== caseTurn) return;
      if (detail.as_of) ahead = detail.as_of - Date.now();
      const same = board.detail?.id === id;
      board.detail = { id, told: detail };
      drawCase(same);
    } catch (error) {
      if (mine !== caseTurn) return;
      if (error?.status === 404) el("case").replaceChildren(h("div", { class: "nothing" }, h("p", {}, t("board.none.gone"))));
      else if (board.detail?.id !== id) {
        const again = h("button", { type: "button" }, t("board.retry"));
        again.addEventListener("click", openCase);
        el("case").replaceChildren(h("div", { class: "nothing" }, h("p", {}, board.sentence(error)), again));
      }
    }
  };
  board.openCase = openCase;
  // After somebody was refused because they had seen an older version: what is there now is what they answer to.
  board.reread = async () => {
    await openCase();
    if (board.detail) board.lock = own.lock(board.detail.told);
  };
  // A command on its way: the case is drawn when its answer is here, not by the news of it that may come before.
  let sending = 0;
  board.sends = async (send) => {
    sending += 1;
    try {
      return await send();
    } finally {
      sending -= 1;
    }
  };
  // Drawn anew unless somebody has a form open or typed into one: then it says that there is news, and stays.
  const drawCase = (same) => {
    if (same && sending) return;
    const place = el("case");
    const busy = same && place.querySelector("form.open, form.typed");
    if (busy) {
      place.querySelector(".newer")?.remove();
      const version = Number(place.dataset.version);
      if (own.version(board.detail.told) !== version) place.prepend(h("p", { class: "newer", role: "status" }, t("board.newer")));
      return;
    }
    const top = same ? place.scrollTop : 0;
    place.dataset.version = own.version(board.detail.told);
    board.lock = own.lock(board.detail.told);
    place.replaceChildren(...own.draw(board.detail.told).filter(Boolean));
    place.scrollTop = top;
  };
  board.next = () => {
    const ids = board.rows.map((row) => String(own.item(row).id));
    const at = ids.indexOf(board.chosen);
    return ids[at + 1] ?? ids[at - 1] ?? null;
  };
  // After a command: the queue and the case as they are now, or the next case when this one is done with.
  board.done = async (sentence, { advance = false } = {}) => {
    board.say(sentence);
    const next = advance ? board.next() : null;
    const drawn = [...el("case").querySelectorAll(".commands, form")];
    for (const one of drawn) one.inert = true; // what is drawn now is of the version before
    for (const form of el("case").querySelectorAll("form")) form.classList.remove("open", "typed");
    await Promise.all([load(), advance ? null : openCase()]);
    for (const one of drawn) one.inert = false;
    if (advance && next && next !== board.chosen) choose(next);
    else if (advance) choose("");
    if (document.activeElement === document.body) el("queue").focus({ preventScroll: true });
  };

  // --- parts of a case
  board.head = (title, number, chips, due, dueLabel) =>
    h("header", { class: "head" },
      h("div", {}, h("h2", {}, title), h("p", { class: "number" }, number), h("div", { class: "chips" }, ...chips.filter(Boolean))),
      due?.text ? h("div", { class: `clock ${due.mark}` }, h("b", {}, due.text), h("small", {}, dueLabel)) : null);
  board.facts = (rows) =>
    h("dl", {}, ...rows.filter(([, value]) => value != null && value !== "").flatMap(([label, value]) => [h("dt", {}, label), h("dd", {}, value)]));
  board.section = (title, ...children) => h("section", { class: "part" }, h("h3", {}, title), ...children);
  board.timeline = (rows) =>
    h("ol", { class: "timeline" }, ...rows.map(({ at, what, who, words, kind }) =>
      h("li", { class: kind }, h("time", {}, board.at(at)), h("div", {}, h("b", {}, what), who ? h("small", {}, who) : null, words ? h("p", {}, words) : null))));

  // --- keyboard and clicks
  const typing = (target) => target.closest?.("input,textarea,select,[contenteditable]");
  const move = (step) => {
    const ids = board.rows.map((row) => String(own.item(row).id));
    const at = ids.indexOf(board.chosen);
    const next = ids[Math.min(Math.max(at + step, 0), ids.length - 1)];
    if (next && next !== board.chosen) choose(next, { quick: true });
  };
  const keyed = (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || document.querySelector("dialog[open]")) return;
    if (event.key === "Escape" && event.target.closest?.("#case,#filters")) {
      if (!board.closeForm?.()) el("queue").focus();
      event.preventDefault();
    }
    if (typing(event.target)) return;
    const { key } = event;
    if (key === "ArrowDown" || key === "j") move(1);
    else if (key === "ArrowUp" || key === "k") move(-1);
    else if (key === "Enter" && event.target.closest?.("#queue")) el("case").querySelector("form.open input, form.open textarea, form.inline input, .acts button")?.focus();
    else if (key === "/") el("filters").querySelector("select")?.focus();
    else if (/^[1-9]$/.test(key)) el("case").querySelector(`[data-key="${key}"]`)?.click();
    else return;
    event.preventDefault();
  };

  // --- news
  let waiting = 0;
  const news = (ids) => {
    clearTimeout(waiting);
    waiting = setTimeout(() => !document.hidden && load(), NEWS_MS);
    if (board.chosen && ids.has(board.chosen)) openCase();
  };
  const listen = () => {
    wangge.live.on("tickets", (rows) => own.follows("ticket") && news(new Set(rows.map((row) => String(own.caseOf ? own.caseOf(row.id) : row.id)))));
    wangge.live.on("desks", (rows) => {
      const mine = rows.filter(([desk]) => own.follows(desk));
      if (mine.length) news(new Set(mine.map(([, id]) => String(own.caseOf ? own.caseOf(id) : id))));
    });
    wangge.live.on("snapshot", () => board.answer && load()); // after a gap anything may have changed
  };

  on("mounted", () => {
    if (!own) return;
    el("way-tools").replaceChildren(...(own.tools?.() || []).filter(Boolean));
    el("queue").addEventListener("click", (event) => {
      const row = event.target.closest("[role=option]");
      if (row) choose(row.dataset.id);
    });
    el("tabs").addEventListener("click", (event) => {
      const button = event.target.closest("[data-tab]");
      if (!button || button.dataset.tab === board.tab()) return;
      history.pushState({}, "", address({ tab: button.dataset.tab === config.board.tabs[0] ? null : button.dataset.tab, case: null }));
      again();
    });
    document.addEventListener("keydown", keyed);
    keep({});
    load();
    if (wangge.live) listen();
  });
  const again = () => {
    board.chosen = null;
    board.answer = board.detail = null;
    board.rows = [];
    el("queue").replaceChildren(...Array.from({ length: 9 }, () => h("li", { class: "skeleton" })));
    el("filters").replaceChildren();
    load();
  };
  addEventListener("popstate", again);
  setInterval(() => !document.hidden && load(), REFRESH_MS);
  document.addEventListener("visibilitychange", () => !document.hidden && board.answer && load());
})();
