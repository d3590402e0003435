// The dispatcher's map: the queue's tickets, the chosen one, those who can take it, and the view on them.
(() => {
  "use strict";
  const desk = window.wangge?.desk;
  const map = window.wangge?.map;
  if (!desk || !map || desk.pane === "queue") return;
  const wangge = window.wangge;
  const { t, on } = wangge;
  const STALE_S = 60;
  const SHAPE = { late: "triangle", soon: "diamond", other: "dot" };
  const ORDER = { other: 0, soon: 1, late: 2 };
  const NEAR_ZOOM = 14.5;
  const FAR_ZOOM = 11.5;
  const FEW = 150; // tickets that stand beside one another at any zoom

  const { at, label, line, circle } = desk.pen;
  const ask = () => map.main?.symbols?.ask();
  // Where the chosen ticket lies: its own point, else its row's, else the middle of its grid.
  const chosen = () => {
    const ticket = desk.card?.ticket || desk.row(desk.chosen);
    if (!ticket) return null;
    if (ticket.lon != null) return ticket;
    const grid = map.outlines.get(ticket.area_no ?? ticket.area?.no);
    return grid ? { ...ticket, lon: grid.x, lat: grid.y, rough: true } : ticket;
  };
  desk.place = chosen;

  // --- candidates' labels, the chosen ticket and what stands over the map keep names off
  const OVER = ".wg-bar, .wg-search input, .wg-zoom, .leaflet-control-scale, .wg-panel:not([hidden])";
  const keepOff = (board, sheet, view) => {
    const frame = view.frame.getBoundingClientRect();
    for (const node of [...view.frame.querySelectorAll(OVER), document.getElementById("over-map")]) {
      const { left, top, right, bottom } = node?.getBoundingClientRect() || {};
      if (!(right > left)) continue;
      const { x, y } = sheet.padding;
      board.take(left - frame.left + x - 4, top - frame.top + y - 2, right - frame.left + x + 4, bottom - frame.top + y + 2);
    }
  };
  const arrange = (_context, sheet, view, board) => {
    if (view.inset) return;
    keepOff(board, sheet, view);
    const centre = at(sheet, chosen());
    if (centre) board.take(centre[0] - 22, centre[1] - 22, centre[0] + 22, centre[1] + 22);
    for (const one of shown()) {
      const where = at(sheet, one);
      if (!where) continue;
      const left = isLeft(where[0], centre);
      board.take(where[0] - (left ? 70 : 14), where[1] - 14, where[0] + (left ? 14 : 70), where[1] + 14);
    }
  };
  const isLeft = (x, centre) => Boolean(centre) && x < centre[0]; // a figure stands on the side away from the ticket
  const shown = () => (desk.candidates?.id === desk.chosen && !desk.lines && !desk.path ? desk.candidates.rows : []);
  const paintCandidates = (context, sheet, board, centre) => {
    const rows = shown();
    const spots = rows.map((one) => at(sheet, one));
    rows.forEach((one, n) => {
      if (!spots[n] || !centre) return;
      const meant = n === desk.candidate;
      line(context, centre, spots[n], { colour: meant ? "--accent" : "--tx-3", width: meant ? 2.25 : 1.25, dash: one.position_age_s > STALE_S ? [4, 4] : [] });
    });
    const drawn = [];
    for (let n = rows.length - 1; n >= 0; n -= 1) {
      if (!spots[n]) continue;
      let [x, y] = spots[n];
      // Who is at the spot stands beside the ticket, several at one place side by side.
      if (centre && Math.hypot(x - centre[0], y - centre[1]) < 33) [x, y] = [centre[0] + 34, centre[1]];
      while (drawn.some(([a, b]) => Math.hypot(a - x, b - y) < 20)) x += 22;
      drawn.push([x, y]);
      const one = rows[n];
      const meant = n === desk.candidate;
      const stale = one.position_age_s > STALE_S;
      circle(context, x, y, 12, { fill: meant ? "--accent-fill" : "--bg-0", stroke: meant ? "--accent-on" : stale ? "--tx-2" : "--tx-1", dash: stale ? [3, 2.5] : [] });
      context.font = map.font(13, true);
      context.textAlign = "center";
      context.textBaseline = "middle";
      context.fillStyle = map.colour(meant ? "--accent-on" : "--tx-1");
      context.fillText(String(n + 1), x, y + 0.5);
      const left = isLeft(x, centre);
      const wide = label(context, desk.distance(one.distance_m), left ? x - 17 : x + 17, y, { align: left ? "right" : "left" });
      const detail = [desk.distance(one.distance_m), one.minutes == null ? null : t("dispatch.minutes", { n: Math.max(1, Math.round(one.minutes)) })].filter(Boolean).join(" \u00b7 ");
      board.hit({ kind: "candidate", id: n, title: `${n + 1} ${one.name || one.code}`, detail, box: left ? [x - 20 - wide, y - 13, x + 13, y + 13] : [x - 13, y - 13, x + 20 + wide, y + 13] });
    }
  };
  // Under the names of areas, so that these can be read; for the pointer they lie above them.
  let hits = [];
  const paintTickets = (context, sheet, zoom) => {
    hits = [];
    const now = desk.now();
    const rows = desk.marks().filter((row) => row.id !== desk.chosen).map((row) => [desk.mark(desk.dueOf(row), now), row]);
    rows.sort((a, b) => ORDER[a[0]] - ORDER[b[0]]);
    const halo = map.colour("--map-halo");
    const many = rows.length > FEW && zoom < NEAR_ZOOM; // thousands must not hide the map
    const size = !many ? 1 : zoom < FAR_ZOOM ? 0.65 : 0.8;
    for (const [mark, row] of rows) {
      const [x, y] = at(sheet, row);
      if (x < -10 || y < -10 || x > sheet.width + 10 || y > sheet.height + 10) continue;
      const picked = desk.picked.has(row.id);
      map.shape(context, SHAPE[mark], x, y, { scale: size * (mark === "other" ? 1.35 : 0.95), fill: map.colour(mark === "other" ? "--tx-3" : `--${mark}`), halo, alpha: row.claim && !row.claim.mine ? 0.5 : many && mark === "other" ? 0.7 : 1 });
      if (picked) circle(context, x, y, many ? 6 : 9, { stroke: "--accent", width: many ? 1 : 1.5 });
      const detail = [desk.dueOf(row) == null ? null : t(mark === "late" ? "dispatch.over" : "dispatch.left", { span: desk.span(Math.abs(desk.dueOf(row) - now) / 1000) }), row.claim && !row.claim.mine ? t("dispatch.claimed_by", { name: row.claim.by_name }) : null].filter(Boolean).join(" \u00b7 ");
      hits.push({ kind: "ticket", id: row.id, title: desk.title(row), detail, mark, x, y, radius: 8 });
    }
  };
  const paintChosen = (context, board, centre) => {
    const ticket = chosen();
    if (!centre) return;
    const row = desk.row(ticket.id);
    const mark = desk.mark(row ? desk.dueOf(row) : ticket.due_at);
    circle(context, centre[0], centre[1], 19, { stroke: "--tx-1", width: 2, dash: ticket.rough || (ticket.location && ticket.location !== "exact") ? [3, 3] : [] });
    map.shape(context, SHAPE[mark], centre[0], centre[1], { scale: mark === "other" ? 1.9 : 1.35, fill: map.colour(mark === "other" ? "--tx-1" : `--${mark}`), halo: map.colour("--map-halo") });
    board.hit({ kind: "chosen", id: ticket.id, title: desk.title(ticket), detail: ticket.number || "", mark, x: centre[0], y: centre[1], radius: 17 });
  };
  const paint = (context, sheet, view, board) => {
    if (view.inset) return;
    const centre = at(sheet, chosen());
    hits.forEach((hit) => board.hit(hit));
    paintCandidates(context, sheet, board, centre);
    paintChosen(context, board, centre);
  };
  map.symbols({ first: true, arrange, paint: (context, sheet, view) => view.inset || paintTickets(context, sheet, view.zoom) }); // before the names look for room
  map.symbols({ paint });

  // --- a click: a ticket is chosen, a candidate is meant; anything else opens its card as on every map
  const open = map.open;
  map.open = (kind, id) => {
    if (desk.drawing !== undefined && desk.drawing !== null) return;
    if (kind === "ticket") return (desk.close(), desk.choose(id, { by: "click" }));
    if (kind === "candidate") return desk.mean(id);
    if (kind === "chosen") return desk.back();
    open(kind, id);
  };

  // --- the view: the chosen ticket and those who can take it
  const bounds = () => {
    const ticket = chosen();
    if (ticket?.lon == null) return null;
    const spots = shown().filter((one) => one.lon != null).map((one) => [one.lat, one.lon]);
    return L.latLngBounds([[ticket.lat, ticket.lon], ...spots]);
  };
  desk.back = () => {
    const box = bounds();
    const view = map.main;
    if (!box || !view) return;
    view.atHome = false;
    view.go(box.pad(0.25), { maxZoom: NEAR_ZOOM });
  };
  // A ticket chosen elsewhere comes into view; one that is seen already leaves the map where it is.
  const reveal = () => {
    const box = bounds();
    const view = map.main;
    if (!box || !view?.leaflet._loaded) return;
    const seen = view.leaflet.getBounds().pad(-0.08);
    if (!seen.contains(box) || view.leaflet.getZoom() < 11.5) desk.back();
  };
  let by = null;
  on("desk:chosen", (event) => {
    by = event.by;
    map.select(null);
    ask();
  });
  on("desk:card", () => {
    const ticket = desk.card?.ticket;
    const no = ticket?.area?.no;
    if (ticket?.area?.level === "grid" || no % 1000) map.select(no);
    desk.candidates ? revealed() : reveal();
    ask();
  });
  // Once for each choice, as soon as map, place and candidates are known; ranked anew later the view is the dispatcher's.
  const revealed = () => {
    if (by === null || !desk.candidates || !bounds() || !map.main?.leaflet._loaded) return;
    by = null;
    reveal();
  };
  on("desk:candidates", () => {
    revealed();
    ask();
  });
  for (const event of ["desk:candidate", "desk:rows", "desk:spots", "desk:picked", "desk:asked", "desk:lines", "desk:perimeter", "desk:claim"]) on(event, ask);
  setInterval(() => !document.hidden && ask(), 30000);

  // --- what stands over the map: which ticket, how many can take it within what
  const said = () => {
    const node = document.getElementById("over-map");
    if (!node) return;
    const told = desk.candidates?.id === desk.chosen ? desk.candidates : null;
    const ticket = desk.card?.ticket || desk.row(desk.chosen);
    if (!ticket || desk.lines) return (node.hidden = true);
    const far = Math.max(0, ...(told?.rows || []).map((one) => one.distance_m || 0));
    const words = !told ? t("dispatch.candidates.asking") : told.rows.length && !far ? t("dispatch.candidates.n", { n: told.rows.length }) : told.rows.length ? t("dispatch.candidates.within", { n: told.rows.length, far: desk.distance(far) }) : t("dispatch.candidates.none");
    node.hidden = false;
    node.replaceChildren(desk.text("b", {}, desk.title(ticket)), desk.text("span", {}, words));
  };
  for (const event of ["desk:chosen", "desk:card", "desk:candidates", "desk:rows", "desk:lines"]) on(event, said);

  // --- the queue filtered by the map's extent follows the map
  let timer = 0;
  map.part((view) => {
    setTimeout(revealed, 0); // a ticket of the page's address may be known before its map
    view.leaflet.on("moveend", () => {
      clearTimeout(timer);
      timer = setTimeout(() => desk.asked.view && wangge.emit("desk:asked", { view: true }), 400);
    });
  }, "main");
})();
