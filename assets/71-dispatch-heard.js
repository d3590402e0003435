// What news say of a ticket in the list: its row tells it at once, before the queue is asked again and knows it too.
(() => {
  "use strict";
  const desk = window.wangge?.desk;
  if (!desk || desk.pane === "map") return;
  const wangge = window.wangge;
  const KEPT = 500; // an answer that is on its way may be older than so many news
  const HANDED = ["dispatched", "transferred"];
  const UNDECIDED = ["reported", "accepted", "returned", "reopened"];
  const ENDED = ["closed", "archived", "merged", "rejected", "cancelled"];
  const OF_TAB = { decide: UNDECIDED, unsigned: HANDED };

  const heard = new Map(); // id → the last news of it
  desk.hear = (news) => {
    for (const one of news) {
      if ((heard.get(one.id)?.version ?? 0) >= one.version) continue;
      heard.delete(one.id); // the last heard stands last
      heard.set(one.id, one);
    }
    for (const id of heard.keys()) {
      if (heard.size <= KEPT) break;
      heard.delete(id);
    }
  };
  // Whether a ticket of that state stands in the tab that is asked for, as far as its state alone says.
  desk.belongs = (status) => OF_TAB[desk.asked.tab]?.includes(status) ?? !ENDED.includes(status);
  // A row as the news have it. Until when its new step must be done they don't say: then its own deadline is told.
  desk.newest = (row) => {
    const one = heard.get(row.id);
    if (!one || one.version <= row.version) return row;
    const { version, status, due_at } = one;
    if (status === row.status) return { ...row, version, due_at };
    const claim = HANDED.includes(status) ? null : row.claim; // handing it on gave that up
    return { ...row, version, status, due_at, claim, stage: null, stage_due: null, reason: null, reasons: [], left: !desk.belongs(status) };
  };
  // Whether these news can be told in their rows; what comes or comes back has none yet.
  desk.shows = (news) => news.every((one) => desk.row(one.id) || !desk.belongs(one.status));
  wangge.live?.on("tickets", desk.hear);
})();
