// The legend: what the colours and the symbols on the map mean; its classes never change with the zoom.
(() => {
  "use strict";
  const wangge = window.wangge;
  const map = wangge?.map;
  if (!map) return;
  const { t, h } = wangge;
  const { text } = map.dom;
  const grids = map.spec("grids");
  const heat = map.spec("heat");
  const TICKS = [0.3, 1, 3, 10, 30, 100];

  const classes = () => {
    const measure = map.measure();
    const box = h("div", { class: "wg-ramp" });
    measure.labels.forEach((words, found) => {
      const swatch = h("i", { style: `background:var(${grids.tokens[`class${found}`]})` });
      box.append(h("span", {}, swatch, words));
    });
    if (measure.unknown) box.append(h("span", { class: "wg-unknown" }, h("i", { style: `background:var(${grids.tokens.unknown})` }), t(measure.unknown)));
    return [title(t(`${measure.title}.per_grid`), t(measure.unit)), box];
  };
  const title = (words, unit) => h("h3", {}, words, text("small", {}, unit));
  const scale = () => {
    const colours = ["t1", "t2", "t3", "t4", "t5"].map((name) => `var(${heat.tokens[name]})`).join(",");
    const bar = h("div", { class: "wg-heatbar", style: `background:linear-gradient(90deg,transparent,${colours})` });
    const ticks = h("div", { class: "wg-ticks" });
    for (const tick of TICKS) ticks.append(text("span", {}, tick === TICKS.at(-1) ? `\u2265${tick}` : String(tick)));
    const news = map.heat || { loading: true };
    const note = news.failed ? t("map.heat.failed") : news.loading ? t("map.heat.loading") : t("map.heat.of", { n: news.tickets, count: wangge.int(news.tickets) });
    return [title(t("map.heat.title"), t("map.heat.unit")), bar, ticks, text("p", {}, note)];
  };
  const symbols = (view) => {
    const rows = h("ul", { class: "wg-symbols" });
    for (const spec of wangge.config.layers) {
      if (!spec.legend.length) continue;
      const seen = spec.id === "tickets" ? view.ticketsClose : spec.id === "names" ? view.shows("names") && view.zoom < 15 : view.shows(spec.id);
      if (!seen && !(spec.id === "workers" && map.state.shown.workers)) continue;
      const counted = spec.id === "workers" && !view.shows("workers");
      for (const row of spec.legend) {
        if (counted && row.faded) continue;
        if (spec.id === "names" && view.ticketsClose) continue;
        rows.append(h("li", { class: row.faded ? "faded" : null }, map.icon(row.shape, row.token, { faded: row.faded }), t(counted ? "map.legend.worker_count" : row.title)));
      }
    }
    return rows.children.length ? rows : null;
  };

  map.part((view) => {
    const box = h("aside", { class: "wg-legend", "aria-label": t("map.legend") });
    view.frame.append(box);
    let now = "";
    const draw = () => {
      const seen = wangge.config.layers.map((spec) => (spec.id === "tickets" ? view.ticketsClose : view.shows(spec.id))).join();
      const key = [map.state.mode, map.state.measure, seen, view.zoom < 15, JSON.stringify(map.heat || 0)].join("|");
      if (key === now) return;
      now = key;
      box.replaceChildren(...({ heat: scale, fill: classes, lines: () => [] })[map.state.mode](), ...[symbols(view)].filter(Boolean));
    };
    // Where it hides least of the place: the corner with the fewest grids under it, decided on the whole place.
    const settle = () => {
      if (!view.atHome || !map.outlines.size) return;
      const frame = view.frame.getBoundingClientRect();
      const own = box.getBoundingClientRect();
      const covered = (left) => {
        let sum = 0;
        for (const area of map.outlines.values()) {
          if (area.level !== "grid") continue;
          const [west, south, east, north] = area.box;
          const low = view.leaflet.latLngToContainerPoint([south, west]);
          const high = view.leaflet.latLngToContainerPoint([north, east]);
          const top = frame.height - own.height - 12;
          const wide = Math.min(high.x, left + own.width) - Math.max(low.x, left);
          const tall = Math.min(low.y, frame.height) - Math.max(high.y, top);
          if (wide > 0 && tall > 0) sum += wide * tall;
        }
        return sum;
      };
      view.frame.classList.toggle("wg-legend-right", covered(12) > 1.2 * covered(frame.width - own.width - 12) + 200);
      view.symbols.ask(); // names keep off the legend
    };
    draw();
    let settling = 0;
    const settleSoon = () => {
      clearTimeout(settling);
      settling = setTimeout(settle, 250); // never in the way of the first picture
    };
    const off = ["map:areas", "map:state"].map((event) => wangge.on(event, settleSoon));
    view.leaflet.on("resize moveend", settleSoon);
    off.push(...["map:state", "map:heat", "map:points"].map((event) => wangge.on(event, draw)));
    view.leaflet.on("zoomend moveend", draw);
    view.leaflet.on("unload", () => off.forEach((stop) => stop()));
  }, "main");
})();
