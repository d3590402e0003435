// Visits to people owed care that are due or overdue: masked markers, for those whose duty it is.
(() => {
  "use strict";
  const wangge = window.wangge;
  const map = wangge?.map;
  const spec = map?.spec("visits");
  if (!spec || wangge.config.screen === "wall") return;
  const { t } = wangge;
  const SIDE = 34; // px of a cluster's square
  const FAR_SIDE = 96;
  const BESIDE = [[0, 0], [0, -2], [0, 2], [-3, 0], [3, 0]]; // by half a marker
  const NEAR_ZOOM = 14;
  const TEXT_PX = 12;
  const EVERY_MS = 300000; // days pass, and colleagues visit
  const SHAPE = { overdue: "heart", due: "heart_open" };
  const names = new Map((wangge.config.care || []).map((one) => [one.code, one.name]));

  let visits = null;
  let asked = false;
  const load = () => {
    asked = true;
    map.fetch(map.url(spec.source, { within: map.within() })).then((answer) => {
      visits = answer.rows.map((row) => {
        const visit = Object.fromEntries(answer.columns.map((name, i) => [name, row[i]]));
        return Object.assign(visit, { wx: map.worldX(visit.lon), wy: map.worldY(visit.lat) });
      });
      wangge.emit("map:points");
    }, console.error);
  };
  // The others whose visit is marked at the same point, the first to be visited first.
  map.visitsAt = (id) => {
    const here = visits?.find((visit) => visit.id === id);
    return here ? visits.filter((visit) => visit.lon === here.lon && visit.lat === here.lat).map((visit) => visit.id) : [];
  };
  wangge.on("map:reload", () => asked && load());
  wangge.on("care:changed", () => asked && load());
  setInterval(() => asked && !document.hidden && load(), EVERY_MS);

  map.symbols({
    paint(context, sheet, view, board) {
      if (view.inset || !view.shows("visits")) return;
      if (!asked) load();
      const scale = Math.max(1, view.scale);
      const halo = map.colour(spec.tokens.ground);
      const alpha = map.state.opacity.visits;
      const far = view.zoom < NEAR_ZOOM; // a whole town: what is overdue, gathered, so that grids and names stay seen
      const shown = (visits || []).filter((visit) => !far || visit.state === "overdue");
      const half = 8 * scale;
      const clear = (x, y) => board.free(x - half, y - half, x + half * 2, y + half);
      for (const { x: middle, y: centre, points } of map.cluster(shown, sheet, (far ? FAR_SIDE : SIDE) * scale)) {
        // What is gathered from afar has no exact place: beside a name rather than on it.
        const [dx, dy] = (far && BESIDE.find(([a, b]) => clear(middle + a * half, centre + b * half))) || [0, 0];
        const [x, y] = [middle + dx * half, centre + dy * half];
        const late = points.filter((visit) => visit.state === "overdue").length;
        const state = late ? "overdue" : "due";
        const colour = map.colour(spec.tokens[state]);
        map.shape(context, SHAPE[state], x, y, { scale: scale * 1.15, fill: colour, halo, alpha });
        let wide = 0;
        if (points.length > 1) {
          const text = late && late < points.length ? `${late}/${points.length}` : String(points.length);
          context.font = map.font(TEXT_PX * scale, true);
          context.textAlign = "left";
          context.textBaseline = "middle";
          context.lineJoin = "round";
          context.globalAlpha = alpha;
          context.strokeStyle = halo;
          context.lineWidth = 3 * scale;
          context.strokeText(text, x + 9 * scale, y);
          context.fillStyle = colour;
          context.fillText(text, x + 9 * scale, y);
          context.globalAlpha = 1;
          wide = context.measureText(text).width;
        }
        board.take(x - half, y - half, x + half + wide, y + half);
        const box = [x - half, y - half, x + half + wide, y + half];
        // Several at one point open the first to be visited; its card leads to the next.
        const apart = points.some((visit) => visit.lon !== points[0].lon || visit.lat !== points[0].lat);
        if (points.length > 1 && (apart || view.zoom < 17)) board.hit({ group: points, title: t("map.tip.visits", { n: points.length, late }), mark: late ? "late" : "soon", box });
        else board.hit({ kind: "care", id: points[0].id, title: names.get(points[0].category) || t("map.card.care"), detail: t(`map.tip.visit.${state}`), mark: late ? "late" : "soon", box });
      }
    },
  });
})();
