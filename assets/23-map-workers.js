// Workers: typed arrays and sprites on one canvas; they glide to each new fix, fade with its age, and go.
(() => {
  "use strict";
  const wangge = window.wangge;
  const map = wangge?.map;
  if (!map) return;
  const spec = map.spec("workers");
  const { fade_from_s, stale_from_s, gone_after_s } = spec.numbers;
  const GLIDE_MS = [400, 6000];
  const BLOOM_MS = 900;

  // --- where they are: from, to (world fractions) and when, by slot
  let room = 4096;
  let used = 0;
  let ids = new Uint32Array(room);
  let from_x = new Float64Array(room), from_y = new Float64Array(room); // prettier-ignore
  let to_x = new Float64Array(room), to_y = new Float64Array(room); // prettier-ignore
  let began = new Float64Array(room), until = new Float64Array(room), fixed = new Float64Array(room); // prettier-ignore
  let town = new Float64Array(room);
  const slots = new Map();
  const about = new Map(); // id → {code, no}
  let moving_until = 0;

  const widen = () => {
    const wider = (old) => {
      const next = new old.constructor(room * 2);
      next.set(old);
      return next;
    };
    ids = wider(ids);
    [from_x, from_y, to_x, to_y, began, until, fixed, town] = [from_x, from_y, to_x, to_y, began, until, fixed, town].map(wider);
    room *= 2;
  };
  const drop = (slot) => {
    slots.delete(ids[slot]);
    used -= 1;
    if (slot === used) return;
    for (const column of [ids, from_x, from_y, to_x, to_y, began, until, fixed, town]) column[slot] = column[used];
    slots.set(ids[slot], slot);
  };
  const place = (id, lon, lat, at_ms, now, glide) => {
    const x = map.worldX(lon);
    const y = map.worldY(lat);
    let slot = slots.get(id);
    if (slot === undefined) {
      if (used === room) widen();
      slot = used++;
      ids[slot] = id;
      slots.set(id, slot);
      from_x[slot] = to_x[slot] = x;
      from_y[slot] = to_y[slot] = y;
      began[slot] = until[slot] = now;
      town[slot] = about.has(id) ? map.townOf(about.get(id).no) : 0;
    } else {
      const share = glide ? along(slot, now) : 1;
      from_x[slot] += (to_x[slot] - from_x[slot]) * share;
      from_y[slot] += (to_y[slot] - from_y[slot]) * share;
      const pause = Math.min(GLIDE_MS[1], Math.max(GLIDE_MS[0], now - began[slot]));
      to_x[slot] = x;
      to_y[slot] = y;
      began[slot] = now;
      until[slot] = glide ? now + pause : now;
      if (!glide) (from_x[slot] = x), (from_y[slot] = y);
      if (until[slot] > moving_until) moving_until = until[slot];
    }
    fixed[slot] = at_ms;
  };
  const along = (slot, now) => (now >= until[slot] ? 1 : (now - began[slot]) / (until[slot] - began[slot]));
  const clock = () => (wangge.now ? wangge.now() : Date.now());

  wangge.live?.on("snapshot", (snapshot) => {
    about.clear();
    for (const [id, , , , code, , no] of snapshot.workers || []) about.set(id, { code, no });
  });
  wangge.live?.on("positions", ({ full, ids: moved, lon, lat, age }) => {
    const now = performance.now();
    const wall_clock = clock();
    const glide = !wangge.still.matches && !full;
    if (full) {
      const here = new Set(moved);
      for (let slot = used - 1; slot >= 0; slot -= 1) if (!here.has(ids[slot])) drop(slot);
    }
    for (let i = 0; i < moved.length; i += 1) {
      if (Number.isNaN(lon[i])) {
        const slot = slots.get(moved[i]);
        if (slot !== undefined) drop(slot);
      } else place(moved[i], lon[i], lat[i], wall_clock - age[i] * 1000, now, glide);
    }
    wangge.emit("map:workers");
  });

  map.workers = {
    get count() {
      return used;
    },
    about: (id) => about.get(id),
    ageOf: (id) => {
      const slot = slots.get(id);
      return slot === undefined ? null : (clock() - fixed[slot]) / 1000;
    },
    placeOf: (id) => {
      const slot = slots.get(id);
      return slot === undefined ? null : [to_x[slot], to_y[slot]];
    },
    // How many have been heard of lately, by town: what the county view shows instead of dots.
    byTown: () => {
      const counts = new Map();
      const oldest = clock() - stale_from_s * 1000;
      for (let slot = 0; slot < used; slot += 1) {
        if (fixed[slot] < oldest) continue;
        if (!town[slot]) town[slot] = townAt(slot);
        if (town[slot]) counts.set(town[slot], (counts.get(town[slot]) || 0) + 1);
      }
      return counts;
    },
  };
  const townAt = (slot) => {
    const lon = (to_x[slot] - 0.5) * 360;
    const lat = (Math.atan(Math.sinh(Math.PI * (1 - 2 * to_y[slot]))) * 180) / Math.PI;
    const grid = map.gridAt(lon, lat);
    return grid ? map.townOf(grid.no) : 0;
  };
  setInterval(() => {
    const oldest = clock() - gone_after_s * 1000;
    for (let slot = used - 1; slot >= 0; slot -= 1) if (fixed[slot] < oldest) drop(slot);
    wangge.emit("map:workers");
  }, 5000);

  // --- news: a new ticket blooms once where it is
  const blooms = [];
  map.bloom = (where) => {
    if (wangge.still.matches) return;
    let at = where;
    if (!Array.isArray(where)) {
      const area = map.outlines.get(where);
      if (!area) return;
      at = [area.x, area.y];
    }
    blooms.push({ x: map.worldX(at[0]), y: map.worldY(at[1]), began: performance.now() });
    if (blooms.length > 60) blooms.shift();
    wangge.emit("map:bloom");
  };

  map.part((view) => {
    const sprites = {};
    // A dot with a halo, drawn once a size and colour.
    const sprite = (scale, ratio) => {
      const key = `${scale.toFixed(2)}:${ratio}:${map.colour(spec.tokens.dot)}`;
      if (sprites.key === key) return sprites.image;
      const radius = 2.6 * scale;
      const half = Math.ceil(radius + 1.5 * scale);
      const canvas = document.createElement("canvas");
      canvas.width = canvas.height = Math.ceil(2 * half * ratio);
      const context = canvas.getContext("2d");
      context.scale(ratio, ratio);
      context.beginPath();
      context.arc(half, half, radius + 1.1 * scale, 0, 7);
      context.fillStyle = map.colour(spec.tokens.ring);
      context.globalAlpha = 0.75;
      context.fill();
      context.globalAlpha = 1;
      context.beginPath();
      context.arc(half, half, radius, 0, 7);
      context.fillStyle = map.colour(spec.tokens.dot);
      context.fill();
      Object.assign(sprites, { key, image: { canvas, half, size: canvas.width / ratio } });
      return sprites.image;
    };
    const paint = (context, sheet) => {
      const started = performance.now();
      if (view.shows("workers")) paintWorkers(context, sheet, started);
      paintBlooms(context, sheet, started);
      map.stats.workers_ms = performance.now() - started;
      map.stats.frames += 1;
    };
    // Dots are written as pixels: 4,000 times drawImage takes 30 ms of every frame without a GPU, this 2 ms.
    let pause_ms = 0; // until a dot has gone far enough to be seen to move
    const MOST_PAUSE_MS = 250;
    const raster = { image: null, words: null, key: "", stamps: [] };
    const SHARES = [0.95, 0.6, 0.3]; // opacity of a fresh, a fading and a stale dot
    const PHASES = 2; // dots stand on halves of a pixel, so that slow ones glide and do not hop
    // Offsets and colours of a dot's pixels, for each opacity and phase.
    const stamps = (scale, sheet, width) => {
      const strength = map.state.opacity.workers;
      const key = `${scale.toFixed(2)}:${sheet.ratio}:${width}:${strength}:${map.colour(spec.tokens.dot)}:${map.colour(spec.tokens.ring)}`;
      if (raster.key === key) return raster.stamps;
      const { canvas, half } = sprite(scale, sheet.ratio);
      const side = canvas.width + 1;
      const shifted = document.createElement("canvas");
      shifted.width = shifted.height = side;
      const context = shifted.getContext("2d", { willReadFrequently: true });
      raster.stamps = [];
      for (const share of SHARES) {
        for (let phase = 0; phase < PHASES * PHASES; phase += 1) {
          context.clearRect(0, 0, side, side);
          context.globalAlpha = share * strength;
          context.drawImage(canvas, (phase % PHASES) / PHASES, Math.floor(phase / PHASES) / PHASES);
          const pixels = new Uint32Array(context.getImageData(0, 0, side, side).data.buffer);
          const offsets = [];
          const words = [];
          const soft = [];
          pixels.forEach((word, at) => {
            if (word >>> 24 < 24) return;
            offsets.push(Math.floor(at / side) * width + (at % side));
            words.push(word);
            soft.push(word >>> 24 < 110 * share ? 1 : 0);
          });
          raster.stamps.push({ offsets: Int32Array.from(offsets), words: Uint32Array.from(words), soft: Uint8Array.from(soft) });
        }
      }
      Object.assign(raster, { key, side, half: half * sheet.ratio });
      return raster.stamps;
    };
    const paintWorkers = (context, sheet, now) => {
      if (!used) return;
      const { world, left, top, ratio } = sheet;
      const { width, height } = context.canvas;
      // Small where they are many, so that they do not read as data.
      const scale = Math.max(1, view.scale) * Math.max(0.55, Math.min(1, 0.55 + (view.zoom - 12.5) * 0.25));
      if (raster.image?.width !== width || raster.image.height !== height) {
        raster.image = context.createImageData(width, height);
        raster.words = new Uint32Array(raster.image.data.buffer);
      } else raster.words.fill(0);
      const { words } = raster;
      const forms = stamps(scale, sheet, width);
      const { side, half } = raster;
      const wall_clock = clock();
      let fastest = 0; // pixels a millisecond
      for (let slot = 0; slot < used; slot += 1) {
        const share = along(slot, now);
        if (share < 1) {
          const far = Math.abs(to_x[slot] - from_x[slot]) + Math.abs(to_y[slot] - from_y[slot]);
          fastest = Math.max(fastest, (far * world * ratio) / (until[slot] - began[slot]));
        }
        const x = ((from_x[slot] + (to_x[slot] - from_x[slot]) * share) * world - left) * ratio - half;
        if (!(x >= 0 && x < width - side)) continue;
        const y = ((from_y[slot] + (to_y[slot] - from_y[slot]) * share) * world - top) * ratio - half;
        if (!(y >= 0 && y < height - side)) continue;
        const column = Math.floor(x);
        const row = Math.floor(y);
        const age = (wall_clock - fixed[slot]) / 1000;
        const faded = age < fade_from_s ? 0 : age < stale_from_s ? 1 : 2;
        const phase = Math.floor((x - column) * PHASES) + PHASES * Math.floor((y - row) * PHASES);
        const form = forms[faded * PHASES * PHASES + phase];
        const corner = row * width + column;
        const { offsets, words: colours, soft } = form;
        for (let i = 0; i < offsets.length; i += 1) {
          const at = corner + offsets[i];
          if (words[at] === 0 || !soft[i]) words[at] = colours[i]; // only an edge's soft pixels give way to another dot
        }
      }
      context.putImageData(raster.image, 0, 0);
      pause_ms = Math.min(MOST_PAUSE_MS, 1 / PHASES / fastest);
    };
    const paintBlooms = (context, sheet, now) => {
      const scale = Math.max(1, view.scale);
      context.strokeStyle = map.colour("--tx-1");
      context.fillStyle = map.colour("--tx-1");
      for (const { x, y, began: start } of blooms) {
        const share = (now - start) / BLOOM_MS;
        if (share > 1) continue;
        const eased = 1 - (1 - share) ** 3;
        const px = sheet.x(x);
        const py = sheet.y(y);
        context.globalAlpha = 1 - share * share;
        context.beginPath();
        context.arc(px, py, 4 * scale, 0, 7);
        context.fill();
        context.lineWidth = 2 * scale;
        for (const far of [10, 18]) {
          context.beginPath();
          context.arc(px, py, (3 + far * eased) * scale, 0, 7);
          context.stroke();
        }
      }
      context.globalAlpha = 1;
    };
    const sheet = new map.Sheet(view, "wg-workers", 430, paint);

    // Frames are drawn only while something moves, and only as often as that shows: far out a walk is no pixel long.
    let running = 0;
    let painted = 0;
    const step = () => {
      const now = performance.now();
      while (blooms.length && now - blooms[0].began > BLOOM_MS) blooms.shift();
      if (blooms.length || now - painted >= pause_ms) {
        painted = now;
        sheet.paint();
      }
      running = (now < moving_until && view.shows("workers")) || blooms.length ? requestAnimationFrame(step) : 0;
      if (!running) sheet.ask();
    };
    const run = () => {
      if (!running) running = requestAnimationFrame(step);
    };
    const off = [
      wangge.on("map:workers", run),
      wangge.on("map:bloom", run),
      wangge.on("map:theme", run),
      wangge.on("map:state", ({ id }) => id === "workers" && run()),
    ];
    view.leaflet.on("unload", () => {
      off.forEach((stop) => stop());
      cancelAnimationFrame(running);
    });

    // The nearest dot within reach of a point of the map's container.
    view.workerAt = (point, reach) => {
      if (!view.shows("workers")) return null;
      const at = sheet.fromContainer(point);
      const now = performance.now();
      let best = null;
      let nearest = reach * reach;
      for (let slot = 0; slot < used; slot += 1) {
        const share = along(slot, now);
        const dx = sheet.x(from_x[slot] + (to_x[slot] - from_x[slot]) * share) - at.x;
        if (dx > reach || dx < -reach) continue;
        const dy = sheet.y(from_y[slot] + (to_y[slot] - from_y[slot]) * share) - at.y;
        const far = dx * dx + dy * dy;
        if (far < nearest) {
          nearest = far;
          best = ids[slot];
        }
      }
      return best;
    };
  });
})();
