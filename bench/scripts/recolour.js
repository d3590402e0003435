// Row 3: hand the page a change and count animation frames until the sampled pixels differ.
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
      const look = () => {
        frames++;
        // a point may lie under a line or a letter, which stay as they are
        const changed = at.filter((point, i) => read(point) !== before[i]).length;
        if (changed >= 0.6 * at.length) done({ ms: performance.now() - start, frames });
        else if (patience && performance.now() - start > patience) done(null);
        else if (performance.now() - start > 5000) fail(new Error("no change of colour within 5 s"));
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
