// Two windows of one account that follow each other: the chosen ticket, the candidate meant, the ring drawn.
(() => {
  "use strict";
  const desk = window.wangge?.desk;
  if (!desk || desk.pane === "both") return;
  const wangge = window.wangge;
  const { on, config } = wangge;
  const OWN = Math.random().toString(36).slice(2);
  const PAUSE_MS = 120; // arrows run through a list

  let hearing = false; // what comes from the other window is not sent back
  let timer = 0;
  let last = "";
  const state = () => ({
    window: OWN,
    ticket: desk.chosen,
    candidate: desk.candidate,
    lasso: desk.asked.lasso,
    box: null,
    picked: [...desk.picked.keys()].slice(0, 1000),
    asked: desk.pane === "queue" ? Object.fromEntries(["tab", ...desk.FILTERS].map((name) => [name, desk.asked[name]])) : null, // the queue's to say
  });
  const same = ({ window, asked, ...rest }) => JSON.stringify([rest, desk.pane === "queue" ? asked : null]);
  const say = () => {
    if (hearing) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      const now = state();
      if (same(now) === last) return;
      last = same(now);
      wangge.post("/api/dispatch/follow", now).catch(() => (last = ""));
    }, PAUSE_MS);
  };
  const hear = async () => {
    const told = await desk.ask("/api/dispatch/follow").catch(() => null);
    if (!told || told.window == null) return;
    hearing = true;
    try {
      const { asked } = told;
      if (desk.pane === "map" && asked && Object.keys(asked).some((name) => asked[name] !== desk.asked[name])) desk.set(asked);
      if (told.window === OWN) return;
      last = same(told);
      if (told.ticket !== desk.chosen) desk.choose(told.ticket, { by: "follow" });
      if (desk.pane === "queue" && JSON.stringify(told.lasso) !== JSON.stringify(desk.asked.lasso)) {
        desk.pickNext = Boolean(told.lasso);
        desk.set({ lasso: told.lasso });
      } else if (desk.pane === "map") {
        desk.asked.lasso = told.lasso;
        desk.picked = new Map(told.picked.map((id) => [id, desk.row(id) || { id }]));
        wangge.emit("desk:picked");
      }
      if (told.candidate !== desk.candidate) desk.mean(told.candidate) || (desk.candidate = told.candidate);
    } finally {
      hearing = false;
    }
  };
  wangge.live?.on("desks", (news) => news.some(([name, id]) => name === "follow" && id === config.account) && hear());
  for (const event of ["desk:chosen", "desk:candidate", "desk:asked", "desk:picked"]) on(event, say);
  on("mounted", hear);

  // The window of the map has no queue of its own: the first rows tell titles, the rest is drawn as spots.
  if (desk.pane !== "map") return;
  const latest = desk.latest();
  const load = async () => {
    const mine = latest.next();
    const got = await desk.ask(desk.url("/api/dispatch/queue", { ...desk.question(), limit: 200 })).catch(() => null);
    if (!got || !latest.is(mine)) return;
    desk.rows = got.rows;
    wangge.emit("desk:figures", got);
    wangge.emit("desk:rows", got);
  };
  let soon = 0;
  const news = () => {
    soon = soon || setTimeout(() => ((soon = 0), load()), 600);
  };
  wangge.live?.on("tickets", news);
  wangge.live?.on("snapshot", news);
  on("desk:asked", load);
  on("mounted", load);
})();
