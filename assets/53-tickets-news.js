// News in the list of tickets: rows that are shown change where they are; others wait until they are asked for.
(() => {
  "use strict";
  const wangge = window.wangge;
  const list = wangge?.list;
  if (!list) return;
  const { t, h, on, config } = wangge;
  const { el } = list;
  const NEWS_MS = 1000; // news within this time are looked at together

  let changed = new Map();
  let waiting = 0;
  let unseen = new Set();
  const clear = () => {
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
    waiting = list.loading ? setTimeout(look, NEWS_MS) : 0;
    if (waiting) return;
    const news = changed;
    changed = new Map();
    const { turn } = list;
    if (!list.answer) return;
    for (const event of news.values()) {
      const known = list.rows.get(event.id);
      if (known && event.version >= known.version) list.renew(event);
    }
    try {
      const fresh = await list.ask();
      if (turn !== list.turn) return;
      for (const row of fresh.rows) {
        if (list.rows.has(row.id)) list.renew(row, false);
        else unseen.add(row.id);
      }
      const here = new Set(fresh.rows.map((row) => row.id));
      const whole = fresh.next === null;
      for (const id of news.keys()) {
        const node = list.rows.has(id) && list.nodeOf(id);
        if (node && whole) node.classList.toggle("left", !here.has(id));
      }
      list.answer = { ...list.answer, total: fresh.total, late: fresh.late, more: fresh.more, looked_at: fresh.looked_at };
      list.tell();
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

  on("list:asked", clear);
  addEventListener("DOMContentLoaded", () => wangge.live && listen());
})();
