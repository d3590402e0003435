// Row 3: hand the page a change and time it to the frame after its drawing; the pixels must differ then.
(() => {
  // The page's live socket, so that a frame can be handed to it as if the server had sent it.
  const Real = window.WebSocket;
  window.WebSocket = class extends Real {
    constructor(...given) {
      super(...given);
      if (!String(given[0]).includes("/api/live")) return;
      window.benchSocket = this;
      this.addEventListener("message", ({ data }) => {
        if (typeof data !== "string") return;
        const { v } = JSON.parse(data);
        if (v != null) window.benchVersion = Math.max(window.benchVersion || 0, v);
      });
    }
  };

  // `patience`: give up after so many ms and answer null (a first change may bring no new colour).
  const untilPixelsDiffer = (map, points, patience, apply) =>
    new Promise((done, fail) => {
      const box = map.getContainer().getBoundingClientRect();
      const at = points.map(([x, y]) => {
        const place = map.latLngToContainerPoint([y, x]);
        return [place.x + box.left, place.y + box.top];
      });
      const canvases = [...map.getContainer().querySelectorAll("canvas")].filter((one) => one.width && one.height);
      const pixel = (canvas, [x, y]) => {
        const place = canvas.getBoundingClientRect();
        const scale = canvas.width / place.width;
        return canvas.getContext("2d").getImageData((x - place.left) * scale, (y - place.top) * scale, 1, 1).data.join();
      };
      const read = (point) => canvases.map((canvas) => pixel(canvas, point)).join(";");
      const before = at.map(read);
      let frames = 0;
      let start = 0;
      // The second frame begins when the first one's canvas has been rasterised. Only then are pixels read, as reading
      // them is work of its own; while they have not changed, every further frame is looked at.
      const look = () => {
        frames++;
        const ms = performance.now() - start;
        // a point may lie under a line or a letter, which stay as they are
        if (frames > 1 && at.filter((point, i) => read(point) !== before[i]).length >= 0.6 * at.length) done({ ms, frames });
        else if (patience && ms > patience) done(null);
        else if (ms > 5000) fail(new Error("no change of colour within 5 s"));
        else requestAnimationFrame(look);
      };
      setTimeout(() => {
        start = performance.now();
        apply();
        requestAnimationFrame(look);
      }, 40);
    });

  // Ours: a delta as the server sends it, on the real socket.
  window.benchRecolour = ([grids, points, value, patience]) =>
    untilPixelsDiffer(wangge.map.main.leaflet, points, patience, () => {
      window.benchVersion = (window.benchVersion || 0) + 1;
      const delta = { t: "delta", v: window.benchVersion, now: Date.now(), as_of: Date.now() };
      delta.grids = grids.map((no) => [no, value, value, value, value]);
      benchSocket.dispatchEvent(new MessageEvent("message", { data: JSON.stringify(delta) }));
    });

  // dash-leaflet: the same change through `hideout`.
  window.benchHideout = ([grids, points, colour, patience]) =>
    untilPixelsDiffer(benchMap, points, patience, () => {
      window.benchColours = { ...window.benchColours, ...Object.fromEntries(grids.map((no) => [no, colour])) };
      dash_clientside.set_props("grids", { hideout: { colours: window.benchColours } });
    });
})();
