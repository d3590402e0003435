// Full detail of boundaries when close: by the towns in view, and let go again when others were looked at since.
(() => {
  "use strict";
  const wangge = window.wangge;
  const map = wangge?.map;
  if (!map) return;
  const { numbers } = map.spec("grids");
  const LINES = { community: "communities", town: "towns" };

  map.part((view) => {
    const { leaflet } = view;
    const full = new Set(); // numbers of towns, the one looked at last at the end

    const inView = () => {
      const box = leaflet.getBounds();
      return [...map.outlines.values()].filter(({ level, box: [west, south, east, north] }) => level === "town" && box.intersects([[south, west], [north, east]])); // prettier-ignore
    };
    const refine = async () => {
      if (view.zoom < numbers.full_detail_zoom || view.inset) return;
      const close = inView();
      for (const { no, code } of close) {
        if (full.delete(no)) {
          full.add(no);
          continue;
        }
        full.add(no);
        try {
          const levels = await Promise.all(["grid", "community", "town"].map(async (level) => [level, await map.areas(level, "full", code)]));
          if (full.has(no)) for (const [level, collection] of levels) redraw(level, collection);
        } catch {
          full.delete(no);
        }
      }
      const shown = new Set(close.map((town) => town.no));
      for (const no of [...full].slice(0, -numbers.full_detail_towns)) if (!shown.has(no)) blur(no);
    };
    // Back to the few points that the whole map has.
    const blur = async (no) => {
      full.delete(no);
      const code = map.outlines.get(no)?.code;
      for (const level of ["grid", "community", "town"]) {
        map.forgetAreas(level, "full", code);
        if (LINES[level] && !view.lines[LINES[level]]) continue;
        const { features } = await map.areas(level, "low", level === "town" ? null : map.within());
        if (!full.has(no)) redraw(level, { features: features.filter((feature) => map.townOf(feature.id) === no) });
      }
    };
    const redraw = (level, collection) => {
      const layers = level === "grid" ? view.layers : new Map();
      if (level !== "grid") view.lines[LINES[level]]?.eachLayer((layer) => layers.set(layer.feature.id, layer));
      for (const { id, geometry } of collection.features) {
        layers.get(id)?.setLatLngs(L.GeoJSON.coordsToLatLngs(geometry.coordinates, geometry.type === "Polygon" ? 1 : 2));
      }
      view.redrawn(level, collection);
    };

    leaflet.on("moveend", refine);
    const stop = wangge.on("map:reload", () => full.clear());
    leaflet.on("unload", stop);
    view.sharp = full;
  });
})();
