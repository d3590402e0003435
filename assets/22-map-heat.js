// Heat: tickets a fine cell from the binary feed, blurred and coloured on a fixed scale of tickets a km² and day.
(() => {
  "use strict";
  const wangge = window.wangge;
  const map = wangge?.map;
  if (!map) return;
  const { config } = wangge;
  const spec = map.spec("heat");
  const { least, most, radius_px, least_days } = spec.numbers;
  const BIN_PX = 4;
  const DAY_MS = 86400000;
  const FRESH_MS = 300000; // a sliding window is counted anew this often
  const STEP_MS = 300000; // and begins at a whole step, so that many screens ask for the same
  const EARTH_M = 40075016.686;
  const DAYS = { "1d": 1, "7d": 7, "30d": 30, "365d": 365 };

  // --- what is asked for
  const range = () => {
    const { window: chosen, from, to } = map.state;
    if (chosen === "all") return { from: null, to: null };
    if (chosen === "custom") return { from: from ? Date.parse(from) : null, to: to ? Date.parse(to) + DAY_MS : null };
    const now = Date.now();
    return { from: Math.floor((now - DAYS[chosen] * DAY_MS) / STEP_MS) * STEP_MS, to: null };
  };
  const iso = (ms) => (ms == null ? null : new Date(ms).toISOString().replace(".000", ""));
  const parents = new Map(config.categories.map((one) => [one.code, one.parent]));
  const wanted = (category, channel) => {
    const { category: categories, channel: channels } = map.state;
    if (channels.length && !channels.includes(channel)) return false;
    return !categories.length || categories.includes(category) || categories.includes(parents.get(category));
  };

  // --- what came
  let counted = null; // {exponent, x: Float64Array, y, n, cells, days, version, tickets, from, to}
  const decode = (buffer, { from, to }) => {
    const head = new DataView(buffer);
    if (head.getUint32(0) !== 0x57474831) throw new Error("not a heat feed");
    const [exponent, x0, y0, width, , cells, tickets] = Array.from({ length: 7 }, (_, i) => head.getUint32(4 + 4 * i, true));
    const version = head.getFloat64(32, true);
    const since = head.getFloat64(40, true) * 1000;
    const bytes = new Uint8Array(buffer, 48);
    let at = 0;
    const next = () => {
      let value = 0;
      for (let factor = 1; ; factor *= 128) {
        const byte = bytes[at++];
        value += (byte & 127) * factor;
        if (byte < 128) return value;
      }
    };
    const room = cells + 1024; // live tickets are added at the end
    const x = new Float64Array(room);
    const y = new Float64Array(room);
    const n = new Float32Array(room);
    const size = 2 ** exponent;
    let cell = 0;
    for (let i = 0; i < cells; i += 1) {
      cell += next();
      const row = Math.floor(cell / width);
      x[i] = (x0 + cell - row * width + 0.5) / size;
      y[i] = (y0 + row + 0.5) / size;
    }
    for (let i = 0; i < cells; i += 1) n[i] = next();
    const start = from ?? (since || Date.now());
    const days = Math.max(least_days, ((to ?? Date.now()) - start) / DAY_MS);
    return { exponent, size, x, y, n, cells, tickets, version, days, from, to };
  };
  const add = (rows) => {
    if (!counted) return 0;
    let added = 0;
    for (const [reported, lon, lat, category, channel, by, version] of rows) {
      if (version != null && version <= counted.version) continue;
      if ((counted.from != null && reported < counted.from) || (counted.to != null && reported >= counted.to)) continue;
      if (lon == null || !wanted(category, channel)) continue;
      if (counted.cells === counted.n.length) {
        for (const name of ["x", "y", "n"]) {
          const wider = new counted[name].constructor(counted.cells * 2);
          wider.set(counted[name]);
          counted[name] = wider;
        }
      }
      const middle = (world) => (Math.floor(world * counted.size) + 0.5) / counted.size;
      counted.x[counted.cells] = middle(map.worldX(lon));
      counted.y[counted.cells] = middle(map.worldY(lat));
      counted.n[counted.cells] = by;
      counted.cells += 1;
      counted.tickets += by;
      added += 1;
    }
    return added;
  };

  let asking = null;
  let early = []; // live tickets met while a feed is on its way
  let timer = 0;
  const load = () => {
    clearTimeout(timer);
    asking?.abort();
    if (map.state.mode !== "heat") return;
    const ask = (asking = new AbortController());
    const window = range();
    early = [];
    const { category, channel } = map.state;
    const url = map.url(spec.source, { within: map.within(), from: iso(window.from), to: iso(window.to), category, channel });
    wangge.emit("map:heat", { loading: true });
    map
      .fetch(url, { signal: ask.signal, as: "buffer" })
      .then((buffer) => {
        counted = decode(buffer, window);
        asking = null;
        add(early);
        wangge.emit("map:heat", { tickets: counted.tickets, days: counted.days });
      })
      .catch((error) => {
        if (error.name === "AbortError") return;
        counted = null;
        wangge.emit("map:heat", { failed: true });
      });
    timer = setTimeout(load, FRESH_MS);
  };
  wangge.live?.on("heat", (rows) => {
    if (map.state.mode !== "heat") return;
    if (asking) early.push(...rows);
    if (add(rows)) wangge.emit("map:heat", { tickets: counted.tickets, days: counted.days });
  });
  wangge.live?.on("snapshot", () => counted && load()); // something was missed meanwhile
  wangge.on("map:state", ({ name }) => ["mode", "window", "from", "to", "category", "channel", "within"].includes(name) && load());
  wangge.on("map:heat", (news) => {
    map.heat = news;
  });
  map.wantHeat = load;

  // --- colours: transparent below the least, then the ramp
  const STOPS = ["t1", "t2", "t3", "t4", "t5"];
  const parse = (text) => {
    const hex = text.replace("#", "");
    return [0, 2, 4].map((i) => parseInt(hex.slice(i, i + 2), 16));
  };
  let table = null;
  const lookup = () => {
    if (table) return table;
    const colours = STOPS.map((name) => parse(map.colour(spec.tokens[name])));
    table = new Uint32Array(256);
    const bytes = new Uint8Array(table.buffer);
    for (let i = 0; i < 256; i += 1) {
      const along = (i / 255) * (STOPS.length - 1);
      const low = Math.min(STOPS.length - 2, Math.floor(along));
      for (let c = 0; c < 3; c += 1) bytes[4 * i + c] = colours[low][c] + (colours[low + 1][c] - colours[low][c]) * (along - low);
      bytes[4 * i + 3] = Math.round(255 * Math.min(1, i / 40) * (0.62 + (0.38 * i) / 255));
    }
    return table;
  };
  wangge.on("map:theme", () => (table = null));

  // Three box blurs are as good as a Gaussian; along the rows, then along the columns.
  const boxes = (sigma) => {
    const ideal = Math.sqrt((12 * sigma * sigma) / 3 + 1);
    let low = Math.floor(ideal);
    if (low % 2 === 0) low -= 1;
    const few = Math.round((12 * sigma * sigma - 3 * low * low - 12 * low - 9) / (-4 * low - 4));
    return [0, 1, 2].map((i) => ((i < few ? low : low + 2) - 1) / 2);
  };
  const blurRows = (from, to, width, height, radius) => {
    const share = 1 / (2 * radius + 1);
    for (let row = 0; row < height; row += 1) {
      const start = row * width;
      let sum = 0;
      for (let i = 0; i < Math.min(radius, width); i += 1) sum += from[start + i];
      for (let i = 0; i < width; i += 1) {
        if (i + radius < width) sum += from[start + i + radius];
        if (i - radius - 1 >= 0) sum -= from[start + i - radius - 1];
        to[start + i] = sum * share;
      }
    }
  };
  // Column sums row by row: memory is read in its order.
  const blurColumns = (from, to, width, height, radius, sums) => {
    const share = 1 / (2 * radius + 1);
    sums.fill(0, 0, width);
    for (let row = 0; row < Math.min(radius, height); row += 1) for (let i = 0; i < width; i += 1) sums[i] += from[row * width + i];
    for (let row = 0; row < height; row += 1) {
      const enters = row + radius < height ? (row + radius) * width : -1;
      const leaves = row - radius - 1 >= 0 ? (row - radius - 1) * width : -1;
      for (let i = 0; i < width; i += 1) {
        if (enters >= 0) sums[i] += from[enters + i];
        if (leaves >= 0) sums[i] -= from[leaves + i];
        to[row * width + i] = sums[i] * share;
      }
    }
  };

  map.part((view) => {
    const small = document.createElement("canvas");
    const on_small = small.getContext("2d");
    let field = null, other = null, sums = null, image = null; // prettier-ignore
    const paint = (context, sheet) => {
      if (!counted || map.state.mode !== "heat") return;
      const began = performance.now();
      const bin = BIN_PX * Math.max(1, view.scale);
      const cell_px = sheet.world / counted.size;
      const sigma = Math.hypot((radius_px * Math.max(1, view.scale)) / bin, (0.45 * cell_px) / bin);
      const margin = Math.ceil(sigma * 2.5);
      const width = Math.ceil(sheet.width / bin) + 2 * margin;
      const height = Math.ceil(sheet.height / bin) + 2 * margin;
      if (!field || field.length !== width * height) {
        field = new Float32Array(width * height);
        other = new Float32Array(width * height);
        sums = new Float64Array(width);
      } else field.fill(0);
      if (!image || image.width !== width || image.height !== height) {
        small.width = width;
        small.height = height;
        image = on_small.createImageData(width, height);
        sums = new Float64Array(width);
      }
      const { x, y, n, cells } = counted;
      const scale = sheet.world / bin;
      const left = sheet.left / bin - margin;
      const top = sheet.top / bin - margin;
      for (let i = 0; i < cells; i += 1) {
        const column = Math.floor(x[i] * scale - left);
        if (column < 0 || column >= width) continue;
        const row = Math.floor(y[i] * scale - top);
        if (row < 0 || row >= height) continue;
        field[row * width + column] += n[i];
      }
      for (const radius of boxes(sigma)) {
        blurRows(field, other, width, height, radius);
        blurColumns(other, field, width, height, radius, sums);
      }
      // Tickets a km² and day: the ground's size of a bin depends on the latitude.
      const latitude = (view.leaflet.getCenter().lat * Math.PI) / 180;
      const bin_km = ((EARTH_M * Math.cos(latitude)) / sheet.world / 1000) * bin;
      const unit = 1 / (bin_km * bin_km * counted.days);
      const colours = lookup();
      const pixels = new Uint32Array(image.data.buffer);
      const factor = 255 / Math.log(most / least);
      const floor = least / unit;
      for (let i = 0; i < pixels.length; i += 1) {
        const value = field[i];
        if (value < floor) pixels[i] = 0;
        else {
          const at = Math.log(value / floor) * factor;
          pixels[i] = colours[at > 255 ? 255 : at | 0];
        }
      }
      on_small.putImageData(image, 0, 0);
      context.globalAlpha = map.state.opacity.heat;
      context.imageSmoothingQuality = "high";
      context.drawImage(small, -margin * bin, -margin * bin, width * bin, height * bin);
      context.globalAlpha = 1;
      map.stats.heat_ms = performance.now() - began;
      performance.measure("wangge:heat-draw", { start: began, duration: map.stats.heat_ms });
    };
    let sheet = null;
    const need = () => {
      if (map.state.mode !== "heat") {
        sheet?.canvas.remove();
        if (sheet) sheet.canvas.hidden = true;
        return;
      }
      if (!sheet) sheet = new map.Sheet(view, "wg-heat", 410, paint);
      if (!sheet.canvas.isConnected) view.leaflet.getPane("wg-heat").append(sheet.canvas);
      sheet.canvas.hidden = false;
      sheet.reset();
    };
    let waiting = 0;
    const soon = () => {
      if (!sheet || waiting) return;
      waiting = setTimeout(() => {
        waiting = 0;
        sheet.ask();
      }, 120);
    };
    need();
    const off = [
      wangge.on("map:heat", (news) => !news.loading && soon()),
      wangge.on("map:theme", soon),
      wangge.on("map:state", ({ name, id }) => (name === "mode" ? need() : name === "opacity" && id === "heat" && soon())),
    ];
    view.leaflet.on("unload", () => off.forEach((stop) => stop()));
    if (!view.inset) load();
  });
})();
