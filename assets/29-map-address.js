// The state of the map in the page's address: view, measure, layers, filters and the open card, both ways.
(() => {
  "use strict";
  const wangge = window.wangge;
  const map = wangge?.map;
  if (!map) return;
  const { state, specs } = map;
  const WINDOWS = ["1d", "7d", "30d", "365d", "all", "custom"];
  const DAY = /^\d{4}-\d{2}-\d{2}$/;
  const defaults = JSON.parse(JSON.stringify(state));

  // --- read once, before any map is there
  const given = new URLSearchParams(location.search);
  const one = (name, allowed) => (allowed(given.get(name)) ? given.get(name) : null);
  const view = /^([\d.]+)\/(-?[\d.]+)\/(-?[\d.]+)$/.exec(given.get("view") || "");
  if (view) {
    const [zoom, lat, lon] = view.slice(1).map(Number);
    if (zoom >= 3 && zoom <= 20 && Math.abs(lat) <= 85 && Math.abs(lon) <= 180) map.askedView = { zoom, lat, lon };
  }
  state.measure = one("measure", (id) => specs.get("grids").measures.some((measure) => measure.id === id)) || state.measure;
  state.mode = one("mode", (mode) => ["heat", "fill", "lines"].includes(mode)) || state.mode;
  state.window = one("window", (name) => WINDOWS.includes(name)) || state.window;
  state.from = one("from", (day) => DAY.test(day));
  state.to = one("to", (day) => DAY.test(day));
  const known = (codes, list) => codes.filter((code) => list.some((item) => item.code === code));
  state.category = known(given.getAll("category"), wangge.config.categories);
  state.channel = known(given.getAll("channel"), wangge.config.channels);
  for (const [, sign, id] of (given.get("layers") || "").matchAll(/([+-]| )(\w+)/g)) {
    if (specs.has(id) && !specs.get(id).fixed) state.shown[id] = sign !== "-"; // a + in an address arrives as a space
  }
  for (const [, id, value] of (given.get("opacity") || "").matchAll(/(\w+):([\d.]+)/g)) {
    if (specs.has(id) && value >= 0.1 && value <= 1) state.opacity[id] = Number(value);
  }
  state.card = one("card", (card) => /^(area|ticket|worker|station|post|care):\d{1,20}$/.test(card));

  // --- write whenever something changed and came to rest
  const write = () => {
    const next = new URLSearchParams(location.search);
    const put = (name, value) => (value == null || value === "" ? next.delete(name) : next.set(name, value));
    const leaflet = map.main?.leaflet;
    if (leaflet && !map.main.atHome) {
      const { lat, lng } = leaflet.getCenter();
      put("view", `${Number(leaflet.getZoom().toFixed(2))}/${lat.toFixed(5)}/${lng.toFixed(5)}`);
    } else put("view", null);
    for (const name of ["measure", "mode", "window"]) put(name, state[name] === defaults[name] ? null : state[name]);
    for (const name of ["from", "to"]) put(name, state.window === "custom" ? state[name] : null);
    for (const name of ["category", "channel"]) {
      next.delete(name);
      state[name].forEach((code) => next.append(name, code));
    }
    const layers = Object.keys(state.shown).filter((id) => state.shown[id] !== defaults.shown[id]).map((id) => (state.shown[id] ? `+${id}` : `-${id}`)); // prettier-ignore
    put("layers", layers.join(""));
    const opacity = Object.keys(state.opacity).filter((id) => state.opacity[id] !== defaults.opacity[id]).map((id) => `${id}:${state.opacity[id]}`); // prettier-ignore
    put("opacity", opacity.join(","));
    put("card", state.card);
    const query = next.toString().replaceAll("%2F", "/").replaceAll("%3A", ":").replaceAll("%2C", ",");
    const address = location.pathname + (query ? `?${query}` : "") + location.hash;
    if (address !== location.pathname + location.search + location.hash) history.replaceState(history.state, "", address);
  };
  let timer = 0;
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(write, 250);
  };
  wangge.on("map:state", soon);
  map.part((own) => own.leaflet.on("moveend", soon), "main");
})();
