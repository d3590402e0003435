// The queue: what must be decided next, kept still under the pointer, chosen by key or click, picked for many.
(() => {
  "use strict";
  const desk = window.wangge?.desk;
  if (!desk || desk.pane === "map") return;
  const wangge = window.wangge;
  const { t, h, on, config } = wangge;
  const { text, button } = desk;
  const PAGE = 60;
  const MOST = 400;
  const MOST_LISTED = 200; // of those inside a ring
  const SETTLE_MS = 350; // news come in bursts
  const LOST_MS = 4000;

  const list = () => document.getElementById("rows");
  const nodes = new Map(); // id → its <li>
  const latest = desk.latest();
  let limit = PAGE;
  let answer = null; // the last one
  let waiting = null; // an answer that would move what is under the pointer
  let over = false;
  let timer = 0;
  let started = false;

  // --- what is asked for
  const box = () => {
    const bounds = desk.asked.view && wangge.map?.main?.leaflet.getBounds();
    return bounds ? [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()].map((part) => part.toFixed(5)).join(",") : null;
  };
  const url = () => desk.url("/api/dispatch/queue", { ...desk.question(), bbox: desk.asked.view ? box() ?? desk.asked.box : null, limit: desk.asked.lasso ? MOST_LISTED : limit });
  // News wait for the answer that is on its way; what was asked by hand overtakes it.
  let asking = false;
  let again = false;
  const load = async ({ jump = false } = {}) => {
    if (asking && !jump) return void (again = true);
    const mine = latest.next();
    asking = true;
    again = false;
    loaded_at = performance.now();
    try {
      const got = await desk.ask(url());
      if (!latest.is(mine)) return;
      answered = desk.now();
      asking = false;
      lost(false);
      answer = got;
      desk.figures = got.figures;
      wangge.emit("desk:figures", got);
      const still = over && !jump && list().contains(list().querySelector("li:hover"));
      still ? hold(got) : show(got);
    } catch (error) {
      if (!latest.is(mine)) return;
      lost(error);
      soon(LOST_MS);
    } finally {
      if (latest.is(mine)) {
        asking = false;
        if (again) soon();
      }
    }
  };
  // The first news after a quiet while is fetched at once, what follows on its heels together.
  let loaded_at = 0;
  const soon = (pause) => {
    if (timer) return;
    const wait = typeof pause === "number" ? pause : Math.max(0, loaded_at + SETTLE_MS - performance.now());
    timer = setTimeout(() => ((timer = 0), load()), wait);
  };
  desk.reload = load;

  // --- rows
  const line = (row, now) => {
    const due = desk.dueOf(row);
    const mark = desk.mark(due, now);
    const other = row.claim && !row.claim.mine;
    const left = due == null ? t("dispatch.no_limit") : t(due < now ? "dispatch.over" : "dispatch.left", { span: desk.span(Math.abs(due - now) / 1000) });
    const stage = row.stage ? t(`queue.stage.${row.stage}`) : desk.status(row.status);
    const why = other ? t("dispatch.claimed_by", { name: row.claim.by_name }) : desk.reason(row.reason, "dispatch.row", "queue.reason") || stage;
    const where = desk.town(row.area_no, row.town || row.area);
    return { mark, left, why, where, stage, other, severity: row.severity ? desk.named(config.severities, row.severity) : "" };
  };
  const fill = (node, row, now) => {
    const told = line(row, now);
    const key = JSON.stringify([told, row.version, row.number, row.incident, row.left, desk.picked.has(row.id)]);
    if (node.dataset.key === key) return;
    node.dataset.key = key;
    node.className = `${told.mark}${told.other ? " taken" : ""}${row.claim?.mine ? " mine" : ""}${row.left ? " gone" : ""}`;
    node.dataset.version = row.version;
    const pick = h("input", { type: "checkbox", tabindex: "-1", "aria-label": t("dispatch.pick", { title: desk.title(row) }) });
    pick.checked = desk.picked.has(row.id);
    const level = told.severity && row.severity !== config.severities[0]?.code ? h("em", { class: `s-${row.severity}` }, told.severity) : null;
    node.replaceChildren(
      h("label", { class: "pick" }, pick, h("i", { "aria-hidden": "true" }, desk.SIGN[told.mark])),
      h("div", {}, h("p", { class: "first" }, text("b", {}, desk.title(row)), text("b", { class: "when" }, told.left)), h("p", {}, text("span", { class: "where" }, told.where), level, row.incident ? text("em", { class: "in" }, t("dispatch.in_incident")) : null, text("span", { class: "why" }, told.why))),
    );
    node.title = [row.number, told.stage, ...(row.reasons || []).map((one) => desk.reason(one, "queue.reason"))].filter(Boolean).join(" \u00b7 ");
    node.setAttribute("aria-label", [desk.title(row), told.where, told.severity, told.left, told.why].filter(Boolean).join(", "));
  };
  const nodeOf = (row, now) => {
    let node = nodes.get(row.id);
    if (!node) {
      node = h("li", { role: "option", id: `row-${row.id}`, "data-id": row.id });
      nodes.set(row.id, node);
    }
    fill(node, row, now);
    return node;
  };
  const show = (got) => {
    waiting = null;
    const now = desk.now();
    got.rows = got.rows.map(desk.newest);
    const fresh = started ? new Set(got.rows.map((row) => row.id).filter((id) => !nodes.has(id))) : new Set();
    desk.rows = got.rows;
    const kept = new Set(got.rows.map((row) => row.id));
    for (const id of nodes.keys()) if (!kept.has(id)) nodes.delete(id);
    const top = list().scrollTop;
    const made = got.rows.map((row) => nodeOf(row, now));
    if (!made.length) made.push(nothing());
    if (got.total > got.rows.length) made.push(more(got));
    list().replaceChildren(...made);
    list().scrollTop = top;
    list().setAttribute("aria-busy", "false");
    for (const id of fresh) nodes.get(id)?.classList.add("fresh");
    started = true;
    for (const row of got.rows) if (desk.picked.has(row.id)) desk.picked.set(row.id, row);
    mark();
    news();
    counts(got);
    wangge.emit("desk:rows", got);
  };
  // The pointer is over the list: what is there stays where it is and is only told anew; what came waits above.
  const hold = (got) => {
    const now = desk.now();
    got.rows = got.rows.map(desk.newest);
    const rows = new Map(got.rows.map((row) => [row.id, row]));
    const come = got.rows.filter((row) => !nodes.has(row.id)).length;
    const order = desk.rows.filter((row) => rows.has(row.id)).map((row) => row.id).join();
    const wanted = got.rows.filter((row) => nodes.has(row.id)).map((row) => row.id).join();
    desk.rows = desk.rows.map((row) => rows.get(row.id) || row);
    for (const row of desk.rows) {
      const node = rows.has(row.id) ? nodeOf(row, now) : nodes.get(row.id);
      node?.classList.toggle("gone", !rows.has(row.id) || Boolean(row.left));
    }
    const gone = desk.rows.some((row) => !rows.has(row.id));
    waiting = come || gone || order !== wanted ? { got, come } : null;
    mark();
    news();
    counts(got);
    wangge.emit("desk:rows", got);
  };
  // News are told in their own rows at once; what they mean for the order and the counts is asked for together.
  const heard = (news) => {
    const now = desk.now();
    const meant = new Set(news.map((one) => one.id));
    desk.rows = desk.rows.map((row) => (meant.has(row.id) ? desk.newest(row) : row));
    for (const row of desk.rows) if (meant.has(row.id) && nodes.has(row.id)) fill(nodes.get(row.id), row, now);
    soon(desk.shows(news) ? SETTLE_MS : null);
  };
  const settle = () => waiting && show(waiting.got);
  const news = () => {
    const bar = document.getElementById("news");
    bar.hidden = !waiting;
    if (waiting) bar.replaceChildren(button(waiting.come ? t("dispatch.news", { n: waiting.come }) : t("dispatch.reordered"), {}, settle));
  };
  const nothing = () => {
    const filtered = desk.asked.lasso || desk.asked.view || desk.FILTERS.some((name) => desk.asked[name]);
    const way = filtered ? button(t("dispatch.filters.clear"), { class: "plain" }, () => desk.clear()) : null;
    return h("li", { class: "nothing", role: "presentation" }, text("p", {}, filtered ? t("dispatch.empty.filtered") : t(`dispatch.empty.${desk.asked.tab}`)), way);
  };
  const more = (got) => {
    const left = got.total - got.rows.length;
    const way = limit < MOST ? button(t("dispatch.more"), { class: "plain" }, () => ((limit = Math.min(MOST, limit + 100)), load({ jump: true }))) : null;
    return h("li", { class: "more", role: "presentation" }, text("span", {}, t("dispatch.left_out", { n: left, count: wangge.int(left) })), way);
  };
  const counts = (got) => {
    for (const tab of document.querySelectorAll("#tabs [data-tab]")) {
      const own = tab.dataset.tab === desk.asked.tab;
      const n = got.counts?.[tab.dataset.tab === "all" ? "open" : tab.dataset.tab] ?? (own ? got.total : null);
      tab.lastElementChild.textContent = n == null ? "" : wangge.int(n);
      tab.setAttribute("aria-selected", String(own));
    }
  };
  // Of which moment the list is, once questions fail or stay without an answer, or no news come any more.
  let answered = null;
  let failing = false;
  const age = () => {
    const silent = wangge.live?.state.mode === "stale";
    const waits = asking && performance.now() - loaded_at > LOST_MS;
    const old = started && (failing || waits || silent);
    const bar = document.getElementById("lost");
    const words = old ? t(failing || waits ? "dispatch.queue.lost" : "dispatch.queue.silent", { at: wangge.time(answered) }) : "";
    if (bar.textContent !== words) bar.textContent = words;
    bar.hidden = !old;
    if (silent && !asking && !failing && performance.now() - loaded_at > LOST_MS) load(); // as no news would bring it
  };
  const lost = (error) => {
    failing = Boolean(error);
    if (!failing || started) return age();
    list().replaceChildren(h("li", { class: "nothing", role: "presentation" }, text("p", {}, wangge.sentence(error)), button(t("dispatch.again"), { class: "plain" }, () => load())));
  };
  const mark = () => {
    for (const [id, node] of nodes) node.setAttribute("aria-selected", String(id === desk.chosen));
    const node = nodes.get(desk.chosen);
    node ? list().setAttribute("aria-activedescendant", node.id) : list().removeAttribute("aria-activedescendant");
  };

  // --- by key: the next and the one before; the list follows
  desk.step = (way) => {
    const at = desk.rows.findIndex((row) => row.id === desk.chosen);
    const next = desk.rows[at < 0 ? (way > 0 ? 0 : desk.rows.length - 1) : Math.max(0, Math.min(desk.rows.length - 1, at + way))];
    if (!next) return;
    desk.choose(next.id, { by: "key" });
    nodes.get(next.id)?.scrollIntoView({ block: "nearest" });
  };
  // After a decision: the next that nobody else has in hand.
  desk.next = () => {
    const at = desk.rows.findIndex((row) => row.id === desk.chosen);
    const next = [...desk.rows.slice(at + 1), ...desk.rows.slice(0, Math.max(0, at))].find((row) => !row.left && (!row.claim || row.claim.mine));
    desk.choose(next?.id ?? null, { by: "next" });
    if (next) nodes.get(next.id)?.scrollIntoView({ block: "nearest" });
  };

  // --- picking for many: a box, or Shift from the last one
  let last = null;
  desk.pick = (rows, on = true) => {
    for (const row of rows) on ? desk.picked.set(row.id, row) : desk.picked.delete(row.id);
    const now = desk.now();
    for (const row of desk.rows) nodes.has(row.id) && fill(nodes.get(row.id), row, now);
    mark();
    wangge.emit("desk:picked");
  };
  const pickTo = (id, on, shift) => {
    const at = desk.rows.findIndex((row) => row.id === id);
    const from = shift && last != null ? desk.rows.findIndex((row) => row.id === last) : at;
    const [a, b] = [Math.min(from, at), Math.max(from, at)];
    desk.pick(desk.rows.slice(a < 0 ? at : a, b + 1), on);
    last = id;
  };

  on("mounted", () => {
    const place = list();
    place.addEventListener("pointerenter", () => (over = true));
    place.addEventListener("pointerleave", () => ((over = false), settle()));
    place.addEventListener("click", (event) => {
      const node = event.target.closest("li[data-id]");
      if (!node) return;
      const id = Number(node.dataset.id);
      if (event.target.closest(".pick")) {
        if (event.target.tagName === "INPUT") pickTo(id, event.target.checked, event.shiftKey);
        return;
      }
      if (event.ctrlKey || event.metaKey) return pickTo(id, !desk.picked.has(id), event.shiftKey);
      desk.close();
      desk.choose(id, { by: "click" });
    });
    document.getElementById("tabs").addEventListener("click", (event) => {
      const tab = event.target.closest("[data-tab]");
      if (tab) desk.set({ tab: tab.dataset.tab });
    });
    load();
  });
  on("desk:asked", () => {
    limit = PAGE;
    load({ jump: true });
  });
  on("desk:chosen", mark);
  on("desk:claim", soon);
  wangge.live?.on("tickets", heard);
  wangge.live?.on("desks", (news) => news.some(([name]) => ["claim", "incident", "ticket"].includes(name)) && soon());
  wangge.live?.on("snapshot", soon);
  wangge.live?.on("state", () => document.getElementById("lost") && age());
  // Time alone makes tickets late and changes their order.
  setInterval(() => {
    if (document.hidden || !started) return;
    const now = desk.now();
    for (const row of desk.rows) nodes.has(row.id) && fill(nodes.get(row.id), row, now);
    mark();
  }, 10000);
  setInterval(() => !document.hidden && started && load(), 60000);
})();
