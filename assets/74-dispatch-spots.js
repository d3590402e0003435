// All tickets that the queue's filter lets through, for the map: light spots, beside the rows that the list has loaded.
(() => {
  "use strict";
  const desk = window.wangge?.desk;
  if (!desk || !window.wangge.map || desk.pane === "queue") return;
  const wangge = window.wangge;
  const { t, on } = wangge;
  const PAUSE_MS = 5000; // between two askings because of news; what is asked by hand is asked at once
  const LEFT = ["dispatch", "transfer", "whistle", "merge", "reject", "cancel", "close"]; // commands after which none waits

  let spots = new Map(); // id → {id, version, lon, lat, stage_due, category, claim}
  let told = null; // the last answer
  let marks = null; // what is drawn: the rows that are known better, then the spots
  const moved = new Map(); // id → when it left the queue: the next answer may be older
  const latest = desk.latest();
  let loaded_at = -PAUSE_MS;
  let timer = 0;

  desk.marks = () => {
    if (marks) return marks;
    const all = new Map(spots);
    for (const row of desk.rows) row.lon == null ? all.delete(row.id) : all.set(row.id, row);
    return (marks = [...all.values()]);
  };
  const changed = () => {
    marks = null;
    wangge.emit("desk:spots");
    say();
  };
  const load = async () => {
    clearTimeout(timer);
    timer = 0;
    const mine = latest.next();
    loaded_at = performance.now();
    const got = await desk.ask(desk.url("/api/dispatch/queue/spots", desk.question())).catch(() => null);
    if (!latest.is(mine)) return;
    if (!got) return soon(); // what is drawn stays; the list says that it cannot be reached
    const gone = (id) => (moved.get(id) ?? 0) > got.as_of;
    told = got;
    spots = new Map();
    for (const [id, version, lon, lat, stage_due, category, taken] of got.rows) if (!gone(id)) spots.set(id, { id, version, lon, lat, stage_due, category, claim: taken ? {} : null });
    for (const [id, at] of moved) if (at <= got.as_of) moved.delete(id);
    if (moved.size) soon();
    for (const [id, row] of desk.picked) if (spots.has(id)) desk.picked.set(id, { ...row, version: Math.max(row.version ?? 0, spots.get(id).version) });
    changed();
  };
  const soon = () => {
    timer = timer || setTimeout(() => (document.hidden ? (timer = 0) : load()), Math.max(0, loaded_at + PAUSE_MS - performance.now()));
  };
  const say = () => {
    const node = document.getElementById("on-map");
    if (!node || !told) return;
    const words = [t("dispatch.on_map", { n: wangge.int(desk.marks().length) })];
    if (told.nowhere) words.push(t("dispatch.on_map.nowhere", { n: wangge.int(told.nowhere) }));
    if (told.cut) words.push(t("dispatch.on_map.cut", { n: wangge.int(told.rows.length + told.nowhere) }));
    node.textContent = node.title = words.join(" \u00b7 ");
  };
  on("desk:rows", () => {
    marks = null;
    say();
  });
  on("desk:asked", (changes) => {
    if (Object.keys(changes).join() !== "view") load(); // the map shows its own extent anyway
  });
  wangge.live?.on("tickets", (news) => {
    for (const one of news) {
      if (!LEFT.includes(one.kind) || desk.asked.tab !== "decide") continue;
      moved.set(one.id, Date.parse(one.at) || desk.now());
      if (spots.delete(one.id)) marks = null;
    }
    soon();
  });
  wangge.live?.on("desks", (news) => news.some(([name]) => name === "claim") && soon());
  wangge.live?.on("snapshot", soon);
  document.addEventListener("visibilitychange", () => document.hidden || soon());
  setInterval(() => !document.hidden && soon(), 60000);
  on("mounted", load);
})();
