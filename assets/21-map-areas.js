// Areas: grids filled by the chosen measure and changed one by one, lines of wider areas, neighbours, the selected one.
(() => {
  "use strict";
  const wangge = window.wangge;
  const map = wangge?.map;
  if (!map) return;
  const { config } = wangge;
  const spec = map.spec("grids");
  const LINES = ["communities", "towns", "counties"];
  const LEVEL = { communities: "community", towns: "town", counties: "county" };

  // --- values: absolute, the same for all views
  const values = (map.values = new Map()); // grid no → [no, open, overdue, per_1000, patrol_days]
  const measure = () => spec.measures.find((one) => one.id === map.state.measure) || spec.measures[0];
  map.measure = measure;
  // Class 0..5 of a value by the fixed floors; -1: not known.
  map.classOf = (row, by = measure()) => {
    if (!row) return -1;
    const value = row[by.column];
    if (value == null) return by.unknown ? -1 : 0;
    let found = 0;
    while (found < by.floors.length && value >= by.floors[found]) found += 1;
    return found;
  };
  map.fillOf = (found) => map.colour(found < 0 ? spec.tokens.unknown : spec.tokens[`class${found}`]);

  // Sums by town of one column of the live values.
  map.sumByTown = (column) => {
    const sums = new Map();
    for (const row of values.values()) {
      const town = map.townOf(row[0]);
      sums.set(town, (sums.get(town) || 0) + (row[column] || 0));
    }
    return sums;
  };

  wangge.live?.on("snapshot", (snapshot) => {
    values.clear();
    for (const row of snapshot.grids || []) values.set(row[0], row);
    wangge.emit("map:values", null);
  });
  wangge.live?.on("grids", (rows) => {
    for (const row of rows) values.set(row[0], row);
    wangge.emit("map:values", rows);
  });

  // --- outlines by number, for flying there, hit tests and names
  const outlines = new Map(); // no → {no, code, name, level, bounds, x, y, feature}
  const learn = (level, collection) => {
    for (const feature of collection.features) {
      const { c, n, k, p, x, y, hh, pop } = feature.properties;
      const known = outlines.get(feature.id);
      if (known && known.feature === feature) continue;
      outlines.set(feature.id, {
        no: feature.id, code: c, name: n, kind: k, parent: p, x, y, level, households: hh, population: pop, feature, box: boxOf(feature.geometry),
      });
    }
  };
  const boxOf = ({ type, coordinates }) => {
    let west = 180, south = 90, east = -180, north = -90; // prettier-ignore
    for (const polygon of type === "Polygon" ? [coordinates] : coordinates) {
      for (const [lon, lat] of polygon[0]) {
        if (lon < west) west = lon;
        if (lon > east) east = lon;
        if (lat < south) south = lat;
        if (lat > north) north = lat;
      }
    }
    return [west, south, east, north];
  };
  map.outlines = outlines;
  map.nameOf = (no) => {
    const area = outlines.get(no);
    if (config.language !== "en") return area?.name || wangge.areaName(no);
    if (config.names?.[no]) return config.names[no];
    if (area?.level !== "grid" || !wangge.gridName) return area?.name || wangge.areaName(no);
    const above = map.communityOf(no);
    return `${map.nameOf(above)}, ${wangge.gridName(area.name, outlines.get(above)?.name)}`;
  };
  map.boundsOfArea = async (no) => {
    for (const level of ["grid", "town", "county", "community"]) {
      if (outlines.has(no)) break;
      try {
        learn(level, await map.areas(level, "low", level === "grid" ? map.within() : null));
      } catch {
        return null;
      }
    }
    const box = outlines.get(no)?.box;
    return box ? L.latLngBounds([box[1], box[0]], [box[3], box[2]]) : null;
  };

  // --- which grid holds a point
  let index = null;
  const CELLS = 64;
  const buildIndex = () => {
    const grids = [...outlines.values()].filter((area) => area.level === "grid");
    if (!grids.length) return null;
    const box = [180, 90, -180, -90];
    for (const { box: own } of grids) {
      box[0] = Math.min(box[0], own[0]);
      box[1] = Math.min(box[1], own[1]);
      box[2] = Math.max(box[2], own[2]);
      box[3] = Math.max(box[3], own[3]);
    }
    const wide = (box[2] - box[0]) / CELLS || 1;
    const high = (box[3] - box[1]) / CELLS || 1;
    const cells = Array.from({ length: CELLS * CELLS }, () => []);
    const at = (value, from, step) => Math.max(0, Math.min(CELLS - 1, Math.floor((value - from) / step)));
    for (const grid of grids) {
      const { box: own } = grid;
      for (let row = at(own[1], box[1], high); row <= at(own[3], box[1], high); row += 1)
        for (let column = at(own[0], box[0], wide); column <= at(own[2], box[0], wide); column += 1) cells[row * CELLS + column].push(grid);
    }
    return { box, wide, high, cells, at };
  };
  const inRing = (ring, x, y) => {
    let inside = false;
    for (let i = 0, j = ring.length - 1; i < ring.length; j = i, i += 1) {
      const [xi, yi] = ring[i];
      const [xj, yj] = ring[j];
      if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside;
    }
    return inside;
  };
  const holds = ({ type, coordinates }, x, y) =>
    (type === "Polygon" ? [coordinates] : coordinates).some((rings) => inRing(rings[0], x, y) && !rings.slice(1).some((hole) => inRing(hole, x, y)));
  map.gridAt = (lon, lat) => {
    index = index || buildIndex();
    if (!index) return null;
    const { box, wide, high, cells, at } = index;
    if (lon < box[0] || lon > box[2] || lat < box[1] || lat > box[3]) return null;
    return cells[at(lat, box[1], high) * CELLS + at(lon, box[0], wide)].find((grid) => holds(grid.feature.geometry, lon, lat)) || null;
  };

  // --- one view's drawing
  map.part((view) => {
    const { leaflet } = view;
    const renderer = L.canvas({ padding: 0.1, pane: "overlayPane" }).addTo(leaflet);
    renderer._container.style.pointerEvents = "none"; // pointers are ours: 27-map-pointer.js
    const layers = new Map(); // grid no → Leaflet layer: only changed ones are styled again
    const classes = new Map(); // grid no → class painted
    const lines = {};
    const own = (fill) => ({ renderer, interactive: false, smoothFactor: 0, noClip: false, ...fill });
    let grids = null;
    let neighbours = null;
    let painted = false;
    const selected = [
      L.polygon([], own({ fill: false, weight: 5.2, opacity: 1 })),
      L.polygon([], own({ fill: false, weight: 2.6, opacity: 1 })),
    ];
    const hovered = L.polygon([], own({ fill: false, weight: 1.6, opacity: 1 }));
    view.layers = layers;
    view.lines = lines;
    view.renderer = renderer;

    const filled = () => map.state.mode === "fill";
    const close = () => view.zoom >= spec.numbers.close_zoom;
    const lineStyle = () => ({
      color: map.colour(filled() ? spec.tokens.line : spec.tokens.line_only),
      weight: (close() ? spec.numbers.line_width_close : spec.numbers.line_width) * Math.max(1, view.scale),
      opacity: filled() ? 1 : 0.55,
    });
    const fillStyle = (no) => {
      const found = map.classOf(values.get(no));
      classes.set(no, found);
      return { fill: filled(), fillColor: map.fillOf(found), fillOpacity: map.state.opacity.grids };
    };
    const styleAll = () => {
      const line = lineStyle();
      for (const [no, layer] of layers) layer.setStyle({ ...line, ...fillStyle(no) });
    };
    // Only layers whose class changed are touched; the others are not drawn again.
    const styleChanged = (rows) => {
      if (!filled()) return;
      for (const [no] of rows || values) {
        const layer = layers.get(no);
        if (layer && map.classOf(values.get(no)) !== classes.get(no)) layer.setStyle(fillStyle(no));
      }
    };

    const drawGrids = (collection) => {
      grids?.remove();
      layers.clear();
      learn("grid", collection);
      index = null;
      const line = lineStyle();
      grids = L.geoJSON(collection, {
        ...own({ stroke: true }),
        style: (feature) => ({ ...own(), ...line, ...fillStyle(feature.id) }),
        onEachFeature: (feature, layer) => layers.set(feature.id, layer),
      }).addTo(leaflet);
      raise();
      if (!painted && !view.inset) {
        painted = true;
        requestAnimationFrame(() =>
          setTimeout(() => {
            document.getElementById("wg-first")?.remove(); // the picture of early/first-map.js
            performance.mark("wangge:areas-live");
            if (!performance.getEntriesByName("wangge:areas-painted").length) performance.mark("wangge:areas-painted");
          }),
        );
      }
      wangge.emit("map:areas", view);
    };
    const raise = () => {
      for (const id of LINES) lines[id]?.bringToFront();
      hovered.bringToFront();
      for (const layer of selected) layer.bringToFront();
    };

    const drawLines = (id, collection) => {
      const level = LEVEL[id];
      learn(level, collection);
      const layer = map.spec(id);
      lines[id]?.remove();
      const inside = { type: "FeatureCollection", features: collection.features.filter((feature) => map.inArea(feature.id) || level === "county") };
      lines[id] = L.geoJSON(inside, { ...own({ fill: false }), style: own({ fill: false, lineJoin: "round" }) });
      styleLines(id, layer);
      showLines(id);
      if (id === "towns") drawNeighbours(collection);
      wangge.emit("map:areas", view);
    };
    const styleLines = (id, layer = map.spec(id)) =>
      lines[id]?.setStyle({
        color: map.colour(layer.tokens.line),
        weight: layer.numbers.width * Math.max(1, view.scale) * (view.inset ? 0.8 : 1),
        opacity: map.state.opacity[id],
      });
    const showLines = (id) => {
      if (!lines[id]) return;
      const wanted = view.shows(id);
      if (wanted === leaflet.hasLayer(lines[id])) return;
      if (wanted) {
        lines[id].addTo(leaflet);
        raise();
      } else lines[id].remove();
    };
    // Towns outside of the area asked for: flat and quiet, only to see where one is.
    const drawNeighbours = (collection) => {
      neighbours?.remove();
      const features = collection.features.filter((feature) => !map.inArea(feature.id) && !(config.area.no > feature.id && config.area.no < feature.id + map.TOWN));
      if (!features.length) return;
      neighbours = L.geoJSON({ type: "FeatureCollection", features }, {
        style: own({ fillColor: map.colour("--map-outside"), fillOpacity: 1, color: map.colour("--line-2"), weight: 0.8, opacity: 1 }),
      }).addTo(leaflet);
      neighbours.bringToBack();
    };

    // --- selected and hovered
    const shapeOf = (no) => {
      const geometry = outlines.get(no)?.feature.geometry;
      return geometry ? L.GeoJSON.coordsToLatLngs(geometry.coordinates, geometry.type === "Polygon" ? 1 : 2) : [];
    };
    const outline = (pair, no) => {
      const shape = no == null ? [] : shapeOf(no);
      pair.forEach((layer) => layer.setLatLngs(shape));
    };
    const styleMarks = () => {
      const wide = Math.max(1, view.scale);
      selected[0].setStyle({ color: map.colour("--map-halo"), weight: 5.2 * wide });
      selected[1].setStyle({ color: map.colour("--accent"), weight: 2.6 * wide });
      hovered.setStyle({ color: map.colour("--tx-1"), weight: 1.6 * wide });
    };
    view.hover = (no) => {
      if (view.hoveredNo === no) return;
      view.hoveredNo = no;
      outline([hovered], no);
    };
    view.select = async (no) => {
      if (no != null && !outlines.has(no)) await map.boundsOfArea(no);
      outline(selected, no);
    };
    view.redrawn = (level, collection) => {
      learn(level, collection);
      index = null;
      outline(selected, map.state.selected);
    };

    // --- load
    const load = () => {
      map.areas("grid", "low", map.within()).then(drawGrids, fail);
      map.areas("town", "low", null).then((collection) => drawLines("towns", collection), fail);
      map.areas("county", "low", null).then((collection) => drawLines("counties", collection), fail);
      communities();
    };
    const communities = () => {
      if (lines.communities || !view.shows("communities")) return;
      map.areas("community", "low", map.within()).then((collection) => lines.communities || drawLines("communities", collection), fail);
    };
    const fail = (error) => console.error("wangge: the map's areas cannot be had", error);
    leaflet.addLayer(selected[0]).addLayer(selected[1]).addLayer(hovered);
    styleMarks();
    load();
    if (map.state.selected != null) view.select(map.state.selected);

    let wasClose = close();
    leaflet.on("zoomend", () => {
      LINES.forEach(showLines);
      communities();
      if (close() !== wasClose) {
        wasClose = close();
        grids?.setStyle(lineStyle());
      }
    });
    const off = [
      wangge.on("map:values", styleChanged),
      wangge.on("map:theme", () => {
        styleAll();
        LINES.forEach((id) => styleLines(id));
        styleMarks();
        if (neighbours) neighbours.setStyle({ fillColor: map.colour("--map-outside"), color: map.colour("--line-2") });
      }),
      wangge.on("scale", () => (styleAll(), LINES.forEach((id) => styleLines(id)), styleMarks())),
      wangge.on("map:state", ({ name, id, value }) => {
        if (name === "measure" || name === "mode" || (name === "opacity" && id === "grids")) styleAll();
        if (name === "shown" && LINES.includes(id)) (showLines(id), communities());
        if (name === "opacity" && LINES.includes(id)) styleLines(id);
        if (name === "selected") view.select(value);
      }),
      wangge.on("map:reload", () => {
        for (const id of LINES) (lines[id]?.remove(), delete lines[id]);
        load();
      }),
    ];
    leaflet.on("unload", () => off.forEach((stop) => stop()));
  });

  // Boundaries changed: take everything anew.
  wangge.live?.on("areas", ({ revision }) => {
    if (!revision || revision === config.revision) return;
    config.revision = revision;
    if (config.feeds) config.feeds.grids = null;
    outlines.clear();
    index = null;
    map.forgetAreas();
    wangge.emit("map:reload");
  });
})();
