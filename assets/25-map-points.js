// Points: video stations with their state, posts, care counts a grid, and single open tickets when close.
(() => {
  "use strict";
  const wangge = window.wangge;
  const map = wangge?.map;
  if (!map) return;
  const { t } = wangge;
  const WALL = wangge.config.screen === "wall";
  const SIDE = WALL ? 46 : 34; // px of a cluster's square
  const TEXT_PX = WALL ? 20 : 12;
  const TICKETS_AT_MOST = 250; // in view, to show them before their zoom
  const EARLIEST_ZOOM = 12.5;

  const table = ({ columns, rows }) => rows.map((row) => Object.fromEntries(columns.map((name, i) => [name, row[i]])));
  const located = (thing) => Object.assign(thing, { wx: map.worldX(thing.lon), wy: map.worldY(thing.lat) });
  const say = () => wangge.emit("map:points");
  const size = (view) => Math.max(1, view.scale);
  const label = (context, text, x, y, scale, colour, halo) => {
    context.font = map.font(TEXT_PX * scale, true);
    context.textAlign = "left";
    context.textBaseline = "middle";
    context.lineJoin = "round";
    context.strokeStyle = halo;
    context.lineWidth = 3 * scale;
    context.strokeText(text, x, y);
    context.fillStyle = colour;
    context.fillText(text, x, y);
    return context.measureText(text).width;
  };

  // A layer's rows are asked for when it is first seen, and again every so many seconds if they change by themselves.
  const lazy = (id, make, every_s = 0) => {
    let rows = null;
    let asked = false;
    const load = () => {
      asked = true;
      map.fetch(map.url(map.spec(id).source, { within: map.within() })).then((answer) => {
        rows = make(table(answer));
        say();
      }, console.error);
    };
    wangge.on("map:reload", () => asked && load());
    if (every_s) setInterval(() => asked && map.state.shown[id] && load(), every_s * 1000);
    return () => {
      if (!asked) load();
      return rows;
    };
  };

  // --- stations
  const states = new Map();
  const stations = lazy("stations", (rows) => rows.map(located));
  wangge.live?.on("snapshot", (snapshot) => {
    for (const [id, state] of snapshot.stations || []) states.set(id, state);
    say();
  });
  wangge.live?.on("stations", (rows) => {
    for (const [id, state] of rows) states.set(id, state);
    say();
  });
  map.stationState = (station) => states.get(station.id) || station.state;
  map.symbols({
    paint(context, sheet, view, board) {
      if (view.inset || !view.shows("stations")) return;
      const { tokens } = map.spec("stations");
      const scale = size(view);
      const halo = map.colour(tokens.ground);
      const colour = map.colour(tokens.live);
      const strength = map.state.opacity.stations;
      for (const group of map.cluster(stations() || [], sheet, SIDE * scale)) {
        const { x, y, points } = group;
        const live = points.filter((station) => map.stationState(station) === "live").length;
        const half = 9 * scale;
        context.font = map.font(TEXT_PX * scale, true);
        const right = x + half + (points.length > 1 ? context.measureText(`${live}/${points.length}`).width : 0);
        if (!board.free(x - half, y - half, right, y + half)) continue;
        board.take(x - half, y - half, right, y + half);
        context.globalAlpha = strength;
        map.shape(context, "camera", x, y, { scale, fill: colour, halo, off: live === 0, alpha: (live ? 1 : 0.7) * strength });
        let wide = 0;
        if (points.length > 1) wide = label(context, `${live}/${points.length}`, x + 10 * scale, y, scale, colour, halo);
        context.globalAlpha = 1;
        const target = points.length > 1 ? { group: points } : { kind: "station", id: points[0].id };
        const title = points.length > 1 ? t("map.tip.stations", { n: points.length, live }) : points[0].name;
        const state = points.length > 1 ? "" : t(`map.station.${map.stationState(points[0])}`);
        board.hit({ ...target, title, detail: state, box: [x - half, y - half, x + half + wide, y + half] });
      }
    },
  });

  // --- posts; those that are held now by the roster stand out
  const posts = lazy("posts", (rows) => rows.map(located), 300);
  map.symbols({
    paint(context, sheet, view, board) {
      if (view.inset || !view.shows("posts")) return;
      const { tokens } = map.spec("posts");
      const scale = size(view);
      const halo = map.colour(tokens.ground);
      context.globalAlpha = map.state.opacity.posts;
      for (const { x, y, points } of map.cluster(posts() || [], sheet, SIDE * scale)) {
        const half = 8 * scale;
        const held = points.filter((post) => post.on_duty).length;
        const colour = map.colour(held ? tokens.duty : tokens.mark);
        if (!board.free(x - half, y - half, x + half, y + half)) continue;
        map.shape(context, "person", x, y, { scale, fill: colour, halo, alpha: map.state.opacity.posts });
        let wide = 0;
        if (points.length > 1) wide = label(context, String(points.length), x + 8 * scale, y, scale, colour, halo);
        const target = points.length > 1 ? { group: points } : { kind: "post", id: points[0].id };
        const title = points.length > 1 ? t("map.tip.posts", { n: points.length }) : postName(points[0].role);
        const detail = held ? t("map.tip.on_duty", { n: held }) : "";
        board.hit({ ...target, title, detail, box: [x - half, y - half, x + half + wide, y + half] });
      }
      context.globalAlpha = 1;
    },
  });
  const postName = (role) => wangge.config.posts?.find((post) => post.code === role)?.name || (/^[a-z_]+$/.test(role) ? t("map.card.post") : role);

  // --- people owed care: a masked count a grid
  const care = lazy("care", (rows) => new Map(rows.map((row) => [row.area_no, row])));
  map.symbols({
    paint(context, sheet, view, board) {
      if (view.inset || !view.shows("care")) return;
      const { tokens } = map.spec("care");
      const scale = size(view);
      for (const row of (care() || new Map()).values()) {
        const grid = map.outlines.get(row.area_no);
        if (!grid) continue;
        const x = sheet.x(map.worldX(grid.x));
        const y = sheet.y(map.worldY(grid.y)) + 17 * scale; // below the grid's name
        if (x < 0 || y < 0 || x > sheet.width || y > sheet.height) continue;
        const half = 7 * scale;
        if (!board.free(x - half, y - half, x + half + 22 * scale, y + half)) continue;
        map.shape(context, "heart", x, y, { scale: scale * 0.8, fill: map.colour(tokens.mark), halo: map.colour(tokens.ground), alpha: map.state.opacity.care });
        const wide = label(context, String(row.people), x + 8 * scale, y, scale, map.colour(tokens.mark), map.colour(tokens.ground));
        board.take(x - half, y - half, x + half + wide, y + half);
        const detail = row.visits_overdue ? t("map.tip.care_late", { count: row.visits_overdue }) : "";
        board.hit({ kind: "area", id: row.area_no, title: t("map.tip.care", { count: row.people }), detail, box: [x - half, y - half, x + half + wide, y + half] });
      }
    },
  });

  // --- single tickets
  const tickets = new Map(); // id → ticket, of the box asked for last
  let box = null;
  let cut = false;
  let asking = null;
  const { soon_s } = map.spec("tickets").numbers;
  const closed = new Set(["closed", "archived", "merged", "rejected", "cancelled"]);
  const openInView = (view) => {
    const bounds = view.leaflet.getBounds();
    let sum = 0;
    for (const [no, row] of map.values) {
      const grid = map.outlines.get(no);
      if (grid && bounds.contains([grid.y, grid.x])) sum += row[1] || 0;
    }
    return sum;
  };
  const close = (view) => {
    const spec = map.spec("tickets");
    if (!map.state.shown.tickets || view.inset) return false;
    return view.zoom >= spec.min_zoom || (view.zoom >= EARLIEST_ZOOM && map.values.size && openInView(view) <= TICKETS_AT_MOST);
  };
  const load = async (view) => {
    if (!(view.ticketsClose = close(view))) return view.symbols.ask();
    const bounds = view.leaflet.getBounds();
    if (box?.contains(bounds) && !cut) return view.symbols.ask();
    const wanted = bounds.pad(0.3);
    asking?.abort();
    asking = new AbortController();
    const bbox = [wanted.getWest(), wanted.getSouth(), wanted.getEast(), wanted.getNorth()].map((part) => part.toFixed(5)).join(",");
    try {
      const answer = await map.fetch(map.url(map.spec("tickets").source, { bbox, within: map.within() }), { signal: asking.signal });
      tickets.clear();
      for (const ticket of table(answer)) tickets.set(ticket.id, located(ticket));
      box = wanted;
      cut = answer.cut;
      say();
    } catch (error) {
      if (error.name !== "AbortError") console.error(error);
    }
  };
  wangge.live?.on("tickets", (items) => {
    for (const item of items) {
      if (closed.has(item.status)) tickets.delete(item.id);
      else if (item.lon != null && box?.contains([item.lat, item.lon])) tickets.set(item.id, located({ ...tickets.get(item.id), ...item }));
    }
    say();
  });
  wangge.live?.on("snapshot", () => {
    box = null;
    for (const view of map.views) if (!view.inset && view.symbols) load(view);
  });
  map.ticketMark = (ticket, now = wangge.now ? wangge.now() : Date.now()) => {
    const left = ticket.due_at == null ? Infinity : ticket.due_at - now;
    return left < 0 ? "late" : left < soon_s * 1000 ? "soon" : "other";
  };
  const MARK = { late: "triangle", soon: "diamond", other: "ring" };
  map.symbols({
    paint(context, sheet, view, board) {
      if (!view.ticketsClose) return;
      const { tokens } = map.spec("tickets");
      const scale = size(view);
      const halo = map.colour(tokens.ring);
      const alpha = map.state.opacity.tickets;
      // What is late is drawn last, so that nothing hides it.
      const marked = [...tickets.values()].map((ticket) => [map.ticketMark(ticket), ticket]);
      const rank = { other: 0, soon: 1, late: 2 };
      marked.sort((a, b) => rank[a[0]] - rank[b[0]]);
      for (const [mark, ticket] of marked) {
        const x = sheet.x(ticket.wx);
        const y = sheet.y(ticket.wy);
        if (x < -9 || y < -9 || x > sheet.width + 9 || y > sheet.height + 9) continue;
        map.shape(context, MARK[mark], x, y, { scale, fill: map.colour(tokens[mark]), halo, alpha });
        board.hit({ kind: "ticket", id: ticket.id, title: wangge.categoryName(ticket.category), detail: dueText(ticket, mark), mark, x, y, radius: 6 * scale });
      }
    },
  });
  const dueText = (ticket, mark) => {
    if (ticket.due_at == null) return "";
    const left = (ticket.due_at - (wangge.now ? wangge.now() : Date.now())) / 1000;
    return t(mark === "late" ? "map.tip.late_by" : "map.tip.due_in", { span: wangge.span(Math.abs(left)) });
  };

  map.part((view) => {
    if (view.inset) return;
    let timer = 0;
    view.leaflet.on("moveend", () => {
      clearTimeout(timer);
      timer = setTimeout(() => load(view), 120);
    });
    const off = [
      wangge.on("map:state", ({ id }) => id === "tickets" && load(view)),
      wangge.on("map:areas", () => !view.ticketsClose && load(view)),
    ];
    view.leaflet.on("unload", () => off.forEach((stop) => stop()));
    setInterval(() => view.ticketsClose && view.symbols.ask(), 30000); // time alone makes tickets late
  });
})();
