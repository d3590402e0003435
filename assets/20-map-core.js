// The map's shared state, its feeds (asked for before Dash has drawn anything) and one View for each Leaflet map.
(() => {
  "use strict";
  const wangge = window.wangge;
  if (!wangge || !wangge.config.layers || !window.L) return;
  const { config } = wangge;
  config.layers = config.layers.filter((layer) => !layer.right || config.rights.includes(layer.right));
  const specs = new Map(config.layers.map((layer) => [layer.id, layer]));
  const parts = [];
  const MAX_WAIT_MS = 15000;

  // --- state: what the address of the page can hold
  const shown = {};
  const opacity = {};
  for (const spec of config.layers) {
    shown[spec.id] = spec.shown;
    opacity[spec.id] = spec.opacity;
  }
  const state = {
    mode: config.map?.mode || "fill", // or heat, or lines: never two
    measure: specs.get("grids").measures[0].id,
    shown,
    opacity,
    window: "30d",
    from: null,
    to: null,
    category: [],
    channel: [],
    selected: null,
  };

  const map = (wangge.map = {
    state,
    specs,
    views: [],
    main: null,
    stats: { heat_ms: 0, workers_ms: 0, frames: 0 },
    spec: (id) => specs.get(id),
    // A part is a function that gives each new view one of its abilities.
    part: (fn, only) => parts.push({ fn, only }),
    set(name, value) {
      const before = state[name];
      if (before === value) return;
      state[name] = value;
      wangge.emit("map:state", { name, value, before });
    },
    show(id, on) {
      if (shown[id] === on) return;
      shown[id] = on;
      wangge.emit("map:state", { name: "shown", id });
    },
    fade(id, value) {
      opacity[id] = value;
      wangge.emit("map:state", { name: "opacity", id });
    },
  });

  // --- feeds: every address is asked for again until it answers
  const wait = (ms, signal) =>
    new Promise((done, stop) => {
      const timer = setTimeout(done, ms);
      signal?.addEventListener("abort", () => (clearTimeout(timer), stop(signal.reason)), { once: true });
    });
  map.fetch = async (url, { signal, as = "json", retry = true } = {}) => {
    for (let pause = 400; ; pause = Math.min(MAX_WAIT_MS, pause * 2)) {
      try {
        const answer = await fetch(url, { signal });
        if (answer.ok) return as === "buffer" ? await answer.arrayBuffer() : await answer.json();
        if (answer.status < 500 && answer.status !== 429) throw Object.assign(new Error(`${answer.status} ${url}`), { final: true });
        if (!retry) throw new Error(`${answer.status} ${url}`);
      } catch (error) {
        if (error.final || error.name === "AbortError" || !retry) throw error;
      }
      await wait(pause + Math.random() * 200, signal);
    }
  };
  map.url = (path, params) => {
    const query = new URLSearchParams();
    for (const [key, value] of Object.entries(params || {})) {
      if (Array.isArray(value)) value.forEach((one) => query.append(key, one));
      else if (value != null && value !== "") query.set(key, value);
    }
    const text = query.toString();
    return text ? `${path}?${text}` : path;
  };
  map.within = () => config.within || null;
  const feeds = new Map();
  const feedOf = (level, detail, within) => {
    const first = level === "grid" && detail === "low" && within === map.within() && config.feeds?.grids;
    return first || map.url(`/api/map/areas/${level}`, { v: config.revision, detail, within });
  };
  map.areas = (level, detail, within) => {
    const url = feedOf(level, detail, within);
    if (!feeds.has(url)) {
      const early = wangge.first?.url === url ? wangge.first.feed.catch(() => map.fetch(url)) : null;
      feeds.set(url, early || map.fetch(url));
    }
    return feeds.get(url);
  };
  map.forgetAreas = (level, detail, within) => (level ? feeds.delete(feedOf(level, detail, within)) : feeds.clear());
  map.areas("grid", "low", map.within());
  map.areas("town", "low", null);
  map.areas("county", "low", null);

  // --- numbers of areas
  map.TOWN = 1000000;
  map.COMMUNITY = 1000;
  map.townOf = (no) => Math.floor(no / map.TOWN) * map.TOWN;
  map.communityOf = (no) => Math.floor(no / map.COMMUNITY) * map.COMMUNITY;
  map.inArea = (no) => !config.area || (no >= config.area.no && no <= config.area.hi);

  // --- web Mercator as a fraction of the world
  map.worldX = (lon) => lon / 360 + 0.5;
  map.worldY = (lat) => {
    const sine = Math.sin((Math.max(-85.05, Math.min(85.05, lat)) * Math.PI) / 180);
    return 0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI);
  };

  // --- colours of the theme
  let colours = {};
  map.colour = (token) => {
    if (!(token in colours)) colours[token] = getComputedStyle(document.documentElement).getPropertyValue(token).trim() || "#888";
    return colours[token];
  };
  new MutationObserver(() => {
    colours = {};
    wangge.emit("map:theme");
  }).observe(document.documentElement, { attributes: true, attributeFilter: ["class"] });

  // --- one Leaflet map
  class View {
    constructor(leaflet, frame) {
      this.leaflet = leaflet;
      this.frame = frame;
      this.inset = frame.dataset.role === "inset";
      this.bounds = boundsOf(frame.dataset.bounds);
      this.atHome = true;
      this.moving = false;
    }
    get scale() {
      return wangge.scale || 1;
    }
    // Zoom as on a desk screen: a wall of twice the size shows the same one step later.
    get zoom() {
      return this.leaflet.getZoom() - Math.log2(Math.max(1, this.scale));
    }
    shows(id) {
      const spec = specs.get(id);
      const zoom = this.zoom;
      return state.shown[id] && zoom >= spec.min_zoom && zoom <= spec.max_zoom;
    }
    start() {
      const { leaflet } = this;
      const asked = !this.inset && map.askedView;
      if (asked) {
        leaflet.setView([asked.lat, asked.lon], asked.zoom, { animate: false });
        this.atHome = false;
      } else this.home({ animate: false });
      for (const { fn, only } of parts) if (!(only === "main" && this.inset)) fn(this);
      const touched = () => {
        this.atHome = false;
        if (!this.inset) wangge.emit("map:touched");
      };
      leaflet.on("dragstart", touched);
      for (const kind of ["wheel", "pointerdown", "keydown"]) this.frame.addEventListener(kind, touched, { passive: true });
      new ResizeObserver(() => {
        leaflet.invalidateSize({ pan: false, animate: false });
        if (this.atHome) this.home({ animate: false });
      }).observe(this.frame);
    }
    home(options = {}) {
      this.atHome = true;
      this.go(this.bounds, options);
    }
    padding() {
      const size = this.leaflet.getSize();
      return Math.round(Math.min(size.x, size.y) * (this.inset ? 0 : 0.03));
    }
    // calm: fade instead of moving, for a tour; a far move fades too, as canvases cannot follow it.
    go(bounds, { animate = true, calm = false, maxZoom = 18 } = {}) {
      const { leaflet } = this;
      const padding = [this.padding(), this.padding()];
      const zoom = Math.min(maxZoom, leaflet.getBoundsZoom(bounds, false, L.point(padding).multiplyBy(2)));
      const set = () => leaflet.setView(this.centreOf(bounds, zoom), zoom, { animate: false });
      if (!animate || !leaflet._loaded) return set();
      if (wangge.still.matches) return set();
      if (!calm && Math.abs(zoom - leaflet.getZoom()) < 2.5 && leaflet.getBounds().pad(1).intersects(bounds)) {
        return leaflet.setView(this.centreOf(bounds, zoom), zoom, { animate: true, duration: 0.6 });
      }
      const pane = leaflet.getPane("mapPane");
      clearTimeout(this.fading);
      pane.classList.add("wg-fading");
      this.fading = setTimeout(() => {
        set();
        requestAnimationFrame(() => pane.classList.remove("wg-fading"));
      }, 260);
    }
    centreOf(bounds, zoom) {
      const { leaflet } = this;
      const south_west = leaflet.project(bounds.getSouthWest(), zoom);
      return leaflet.unproject(south_west.add(leaflet.project(bounds.getNorthEast(), zoom)).divideBy(2), zoom);
    }
  }

  const boundsOf = (text) => {
    const [west, south, east, north] = text.split(",").map(Number);
    return L.latLngBounds([south, west], [north, east]);
  };

  L.Map.addInitHook(function () {
    const frame = this.getContainer().closest(".wg-map-frame");
    if (!frame) return;
    const view = new View(this, frame);
    map.views = map.views.filter((other) => document.contains(other.frame));
    map.views.push(view);
    if (!view.inset) map.main = view;
    this.on("unload", () => {
      map.views = map.views.filter((other) => other !== view);
      if (map.main === view) map.main = null;
    });
    view.start();
    if (!view.inset) wangge.emit("map:ready", view);
  });

  // --- what other scripts may ask of the map
  map.home = (options) => map.main?.home(options);
  map.fit = async (no, options) => {
    const view = map.main;
    if (!view) return;
    if (no == null || no === config.area?.no) return view.home(options);
    const bounds = await map.boundsOfArea(no);
    if (!bounds || map.main !== view) return;
    view.atHome = false;
    view.go(bounds, options);
  };
  map.focus = map.fit;
  map.select = (no) => map.set("selected", no ?? null);
})();
