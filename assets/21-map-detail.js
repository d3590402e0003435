// Full detail of boundaries when close: of what is in view and around it, and let go again of what is not.
(() => {
  "use strict";
  const wangge = window.wangge;
  const map = wangge?.map;
  if (!map) return;
  const { numbers } = map.spec("grids");
  const LINES = { community: "communities", town: "towns" };
  const LEVELS = ["grid", "community", "town"];
  const TAKEN = 0.1; // of the view's size on each side, as far as is drawn; a town's centre has 60,000 points more in full
  const KEPT = 0.25; // so far away it is let go of

  map.part((view) => {
    const { leaflet } = view;
    const full = new Set(); // numbers of what is drawn in full

    // The view and so much of its size around it, as [west, south, east, north].
    const around = (share) => {
      const bounds = leaflet.getBounds().pad(share);
      return [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()];
    };
    const meets = (a, b) => a[0] <= b[2] && a[2] >= b[0] && a[1] <= b[3] && a[3] >= b[1];
    const near = (no, box) => map.outlines.has(no) && meets(map.outlines.get(no).box, box);
    const has = (level) => !LINES[level] || view.lines[LINES[level]];
    // The towns of what is in view and not drawn in full yet.
    const wanting = () => {
      const seen = around(0);
      const towns = new Set();
      for (const { no, level, box } of map.outlines.values()) {
        if (LEVELS.includes(level) && has(level) && !full.has(no) && map.inArea(no) && meets(box, seen)) towns.add(map.townOf(no));
      }
      return [...towns].filter((no) => map.outlines.has(no));
    };
    const sharpen = async (town) => {
      const { code } = map.outlines.get(town);
      const levels = LEVELS.filter(has);
      try {
        const came = await Promise.all(levels.map((level) => map.areas(level, "full", code)));
        if (!close()) return;
        const taken = around(TAKEN);
        levels.forEach((level, n) => {
          const features = came[n].features.filter(({ id }) => !full.has(id) && near(id, taken));
          for (const { id } of features) full.add(id);
          redraw(level, features);
        });
      } catch {
        // asked for again at the next move
      } finally {
        for (const level of levels) map.forgetAreas(level, "full", code); // the browser keeps the answer, the page what it draws
      }
    };
    const close = () => view.zoom >= numbers.full_detail_zoom && !view.inset;
    const refine = () => {
      const kept = close() && around(KEPT);
      blur([...full].filter((no) => !kept || !near(no, kept)));
      if (kept) for (const town of wanting()) sharpen(town);
    };
    // Back to the few points that the whole map has.
    const blur = async (gone) => {
      for (const no of gone) full.delete(no);
      for (const level of gone.length ? LEVELS : []) {
        if (!has(level)) continue;
        const ids = new Set(gone.filter((no) => map.outlines.get(no)?.level === level));
        if (!ids.size) continue;
        const { features } = await map.areas(level, "low", level === "town" ? null : map.within());
        redraw(level, features.filter(({ id }) => ids.has(id) && !full.has(id)));
      }
    };
    const redraw = (level, features) => {
      if (!features.length) return;
      const layers = level === "grid" ? view.layers : new Map();
      if (level !== "grid") view.lines[LINES[level]]?.eachLayer((layer) => layers.set(layer.feature.id, layer));
      for (const { id, geometry } of features) {
        layers.get(id)?.setLatLngs(L.GeoJSON.coordsToLatLngs(geometry.coordinates, geometry.type === "Polygon" ? 1 : 2));
      }
      view.redrawn(level, { features });
    };

    leaflet.on("moveend", refine);
    const stop = wangge.on("map:reload", () => full.clear());
    leaflet.on("unload", stop);
    view.sharp = full;
  });
})();
