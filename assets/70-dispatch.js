// The dispatcher's desk: what is chosen and asked for, and the helpers that its parts share (wangge.desk).
//
// Parts tell each other by events: desk:asked, desk:rows, desk:chosen, desk:card, desk:candidates, desk:candidate,
// desk:claim, desk:picked, desk:spots, desk:lines, desk:perimeter. Nothing is assigned but by a command of the one who sits here.
(() => {
  "use strict";
  const wangge = window.wangge;
  if (!wangge || wangge.config.screen !== "dispatch") return;
  const { t, h, config } = wangge;
  const FILTERS = ["town", "channel", "category", "status", "q"];
  const MINUTE = 60;
  const HOUR = 3600;
  const SLOW_MS = 4000; // a command without an answer for so long is told
  const PATIENCE_S = 30; // and for so long is waited for
  const given = new URLSearchParams(location.search);

  // Who sees to the rules alone has no queue and no map: what belongs to those does not start then.
  const rules = config.pane === "rules";
  const desk = (wangge[rules ? "rules" : "desk"] = {
    pane: config.pane,
    asked: { tab: given.get("tab") || "decide", view: false, lasso: null, ...Object.fromEntries(FILTERS.map((name) => [name, given.get(name) || ""])) },
    rows: [], // of the queue, as shown
    figures: null,
    chosen: rules ? null : Number(given.get("ticket")) || null,
    card: null, // of the chosen ticket, as /api/tickets/{id}/card tells it
    candidates: null, // for the chosen ticket
    candidate: 0, // which of them is meant
    claim: null, // on the chosen ticket, whoever's
    picked: new Map(), // id → row: chosen for a command for many
    lines: null, // of a plan, drawn on the map
    perimeter: null, // of an incident
    FILTERS,
  });

  // --- small things
  desk.now = () => (wangge.now ? wangge.now() : Date.now());
  desk.text = (tag, attributes, words) => h(tag, attributes, String(words));
  desk.button = (words, attributes, act) => {
    const made = h("button", { type: "button", ...attributes }, ...[words].flat());
    made.addEventListener("click", act);
    return made;
  };
  desk.at = (ms) => (ms == null ? "" : wangge.minute(ms));
  const day = new Intl.DateTimeFormat(config.language === "en" ? "en-GB" : "zh-CN", { timeZone: config.time_zone, month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  desk.moment = (ms) => (ms == null ? "" : Math.abs(ms - desk.now()) < 12 * HOUR * 1000 ? wangge.minute(ms) : day.format(ms));
  // A length of time in the one unit that matters.
  desk.span = (seconds) => {
    const s = Math.max(0, Math.round(seconds));
    if (s < 10 * 60 && s >= MINUTE) return t("dispatch.span.minutes", { n: Math.floor(s / 60) });
    if (s < MINUTE) return t("dispatch.span.seconds", { n: s });
    if (s < 2 * HOUR) return t("dispatch.span.minutes", { n: Math.round(s / 60) });
    return s < 48 * HOUR ? t("dispatch.span.hours", { n: Math.round(s / HOUR) }) : t("dispatch.span.days", { n: Math.round(s / (24 * HOUR)) });
  };
  desk.distance = (metres) => (metres == null ? "\u2013" : metres < 950 ? t("dispatch.metres", { n: Math.round(metres / 10) * 10 }) : t("dispatch.kilometres", { n: (metres / 1000).toFixed(metres < 9950 ? 1 : 0) }));
  desk.named = (list, code) => (list || []).find((one) => one.code === code)?.name ?? code;
  desk.status = (code) => config.statuses?.[code] || code;
  // An area in the page's language; the page knows no names of grids, so a grid's comes with it.
  desk.area = (no, name) => {
    if (no == null || config.language !== "en") return name || (no == null ? "" : wangge.areaName(no));
    return no % 1000 && name ? `${wangge.areaName(no)}, ${wangge.gridName(name)}` : wangge.areaName(no);
  };
  desk.town = (no, name) => desk.area(no == null ? null : Math.floor(no / 1e6) * 1e6, name);
  desk.title = (row) => row.title || wangge.categoryName(row.category);
  // late, soon or other: against the limit of the stage that the ticket stands in
  desk.mark = (due, now = desk.now()) => (due == null ? "other" : due < now ? "late" : due - now < SOON_MS ? "soon" : "other");
  const SOON_MS = (wangge.map?.spec?.("tickets")?.numbers.soon_s ?? 7200) * 1000;
  desk.SIGN = { late: "\u25b2", soon: "\u25c6", other: "\u25cf" };
  desk.dueOf = (row) => row.stage_due ?? row.due_at;
  // A reason in words: spans, figures and grades in its blanks are given as one reads them.
  const blank = (name, value) => {
    if (value == null) return "";
    if (name.endsWith("_s")) return desk.span(value);
    if (name === "until") return desk.moment(value);
    if (name === "severity") return desk.named(config.severities, value);
    if (name.endsWith("_m")) return desk.distance(value);
    return name === "category" ? wangge.categoryName(value) : typeof value === "number" ? Math.round(value * 10) / 10 : value;
  };
  desk.reason = (reason, ...families) => {
    if (!reason?.key) return "";
    const args = {};
    for (const [name, value] of Object.entries(reason.args || {})) args[name] = args[name.replace(/_(s|m)$/, "")] = blank(name, value);
    for (const key of [...families.map((family) => `${family}.${reason.key}`), reason.key]) if (t(key) !== key) return t(key, args);
    return reason.key;
  };
  // Why something was not done: who was quicker, when, and who has it now; else the server's own sentence.
  desk.refusal = (error) => {
    const told = error.details?.[0] || {};
    const name = told.by_name || told.by;
    if (error.code === "claimed" && name) return t("dispatch.conflict.claimed", { name, at: desk.at(told.since) });
    if (error.code !== "stale_version" || !name) return wangge.sentence(error);
    const done = told.last ? config.commands?.[told.last] || t(`command.${told.last}`) : "";
    const holder = told.holder && (told.holder.kind === "department" ? desk.named(config.departments, told.holder.code) : told.holder.name || told.holder.code);
    return t(holder ? "dispatch.conflict.held" : "dispatch.conflict.stale", { name, at: desk.moment(told.at), done, holder });
  };
  desk.typing = (target) => Boolean(target?.closest?.("input:not([type=checkbox],[type=radio]),textarea,select,[contenteditable]"));

  // --- the server; an answer that comes after a newer question is dropped
  desk.ask = (url) => wangge.send("GET", url);
  desk.key = () => crypto.randomUUID?.() ?? `${Date.now()}-${Math.random().toString(16).slice(2)}`;
  // Nobody knows whether it was done as long as no answer came: what is sent again like that has the key of the first
  // time, so that it is done once.
  const unanswered = new Map();
  desk.command = async (url, body, given) => {
    const what = `${url} ${JSON.stringify(body)}`;
    const key = given ?? unanswered.get(what) ?? desk.key();
    let told = false;
    const slow = setTimeout(() => ((told = true), desk.toast(t("dispatch.slow"), { bad: true, seconds: PATIENCE_S })), SLOW_MS);
    try {
      const done = await wangge.send("POST", url, body, { "Idempotency-Key": key }, PATIENCE_S);
      unanswered.delete(what);
      return done;
    } catch (error) {
      if (error.code === "unanswered") unanswered.set(what, key);
      else if (error.status) unanswered.delete(what); // offline it was not sent: what came of the first time is not known yet
      throw error;
    } finally {
      clearTimeout(slow);
      if (told) desk.quiet();
    }
  };
  // A file that the server makes, kept under the name that it gives.
  wangge.save = async (url, body) => {
    try {
      const answer = await wangge.send(body ? "POST" : "GET", url, body, undefined, wangge.FILE_S);
      const name = /filename="([^"]+)"/.exec(answer.headers.get("content-disposition") || "")?.[1] ?? "export.xlsx";
      const link = h("a", { href: URL.createObjectURL(await answer.blob()), download: name });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    } catch (error) {
      desk.toast(wangge.sentence(error), { bad: true });
    }
  };
  desk.latest = () => {
    let turn = 0;
    return { next: () => (turn += 1), is: (mine) => mine === turn };
  };
  desk.url = (path, parameters) => {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(parameters)) if (value != null && value !== "" && value !== false) query.set(name, value);
    const words = query.toString();
    return words ? `${path}?${words}` : path;
  };

  // What the queue is asked for, but for how much of it.
  desk.question = () => {
    const { tab, lasso, view, box, ...filters } = desk.asked;
    return { tab, within: config.within, ...filters, polygon: lasso?.map(([lon, lat]) => `${lon.toFixed(5)},${lat.toFixed(5)}`).join(";") };
  };

  // --- what was done, or why not; with one thing that can be done about it, while that lasts
  let timer = 0;
  desk.toast = (words, { bad = false, act = null, label = null, seconds = bad ? 12 : 6 } = {}) => {
    const node = document.getElementById("toast");
    if (!node) return;
    clearInterval(timer);
    const until = Date.now() + seconds * 1000;
    const close = () => {
      clearInterval(timer);
      node.hidden = true;
    };
    const left = desk.text("small", {}, "");
    const button = act && desk.button([label, " ", h("kbd", {}, "U")], {}, () => act());
    const tick = () => {
      const seconds_left = Math.ceil((until - Date.now()) / 1000);
      if (seconds_left <= 0) return close();
      if (act) left.textContent = t("dispatch.span.seconds", { n: seconds_left });
    };
    node.replaceChildren(...[desk.text("span", {}, words), button, act ? left : null, desk.button("\u00d7", { class: "close", "aria-label": t("form.cancel") }, close)].filter(Boolean));
    node.className = bad ? "bad" : "";
    node.hidden = false;
    tick();
    timer = setInterval(tick, 1000);
  };
  desk.quiet = () => {
    const node = document.getElementById("toast");
    if (node) node.hidden = true;
    clearInterval(timer);
  };
  wangge.on("said", (sentence) => desk.toast(sentence));

  // --- what is chosen, and what it is
  const turn = desk.latest();
  desk.choose = (id, { by = "queue" } = {}) => {
    if (id === desk.chosen && desk.card) return;
    const before = desk.chosen;
    desk.chosen = id;
    desk.card = desk.candidates = desk.claim = null;
    desk.candidate = 0;
    desk.keep();
    wangge.emit("desk:chosen", { id, before, by });
    if (id != null) desk.read();
  };
  desk.read = async ({ candidates = true } = {}) => {
    const id = desk.chosen;
    const mine = turn.next();
    if (id == null) return;
    const still = () => turn.is(mine) && desk.chosen === id;
    const card = desk.ask(`/api/tickets/${id}/card`).then(
      (answer) => {
        if (!still()) return;
        desk.card = answer;
        wangge.emit("desk:card", null);
      },
      (error) => still() && wangge.emit("desk:card", error),
    );
    if (candidates) desk.rank(still);
    await card;
  };
  // Who can take it; asked for at once, as it depends on nothing but the ticket.
  desk.rank = async (still = () => true) => {
    const id = desk.chosen;
    try {
      const answer = await desk.ask(`/api/dispatch/tickets/${id}/candidates?limit=5`);
      if (!still() || desk.chosen !== id) return;
      const meant = desk.candidates?.rows?.[desk.candidate]?.key;
      desk.candidates = { ...answer, id, got_at: desk.now() };
      desk.candidate = Math.max(0, answer.rows.findIndex((one) => one.key === meant));
      wangge.emit("desk:candidates", null);
    } catch (error) {
      if (still() && desk.chosen === id) wangge.emit("desk:candidates", error);
    }
  };
  desk.mean = (n) => {
    if (!desk.candidates?.rows[n]) return false;
    desk.candidate = n;
    wangge.emit("desk:candidate", n);
    return true;
  };
  desk.row = (id) => desk.rows.find((row) => row.id === id);

  // --- the address holds what is asked for and what is chosen
  desk.keep = () => {
    const next = new URLSearchParams(location.search);
    const put = (name, value) => (value ? next.set(name, value) : next.delete(name));
    put("tab", desk.asked.tab === "decide" ? null : desk.asked.tab);
    for (const name of FILTERS) put(name, desk.asked[name]);
    put("ticket", desk.chosen);
    const query = next.toString();
    history.replaceState(history.state, "", location.pathname + (query ? `?${query}` : ""));
    const language = document.getElementById("language");
    if (language) {
      next.set("lang", language.lang);
      language.href = `?${next}`;
    }
  };
  desk.set = (changes) => {
    Object.assign(desk.asked, changes);
    desk.keep();
    wangge.emit("desk:asked", changes);
  };

  // --- one thing at the right: the ticket, or a panel in its place
  const panels = {};
  let open = null;
  desk.panel = (name, make) => (panels[name] = make);
  desk.opened = () => open;
  desk.open = (name, ...more) => {
    const place = document.getElementById("panel");
    if (!place || !panels[name]) return;
    if (open && open !== name) desk.close();
    open = name;
    document.getElementById("ticket").hidden = true;
    place.hidden = false;
    place.className = name;
    document.querySelectorAll("[data-tool]").forEach((one) => one.setAttribute("aria-pressed", String(one.dataset.tool === name)));
    panels[name](place, ...more);
    if (!place.contains(document.activeElement) && !desk.typing(document.activeElement)) place.focus({ preventScroll: true });
  };
  desk.close = () => {
    const place = document.getElementById("panel");
    if (!place || !open || rules) return false;
    const was = open;
    const inside = place.contains(document.activeElement);
    open = null;
    place.hidden = true;
    place.replaceChildren();
    document.getElementById("ticket").hidden = false;
    document.querySelectorAll("[data-tool]").forEach((one) => one.setAttribute("aria-pressed", "false"));
    if (inside) document.getElementById("rows")?.focus({ preventScroll: true });
    wangge.emit("desk:closed", was);
    return true;
  };
  // The head of a panel, with its way out.
  desk.head = (title, lead, ...more) =>
    h("header", {}, h("div", {}, desk.text("h2", {}, title), lead ? desk.text("p", {}, lead) : null), ...more, rules ? null : desk.button(t("dispatch.close"), { class: "close", "data-key": "Esc" }, () => desk.close()));

  wangge.on("mounted", () => {
    if (rules) return desk.open("weights");
    desk.keep();
    if (desk.chosen != null) {
      wangge.emit("desk:chosen", { id: desk.chosen, before: null, by: "address" });
      desk.read();
    }
  });
  desk.tool = (name, act) => wangge.on("mounted", () => document.querySelector(`[data-tool=${name}]`)?.addEventListener("click", act));
})();
