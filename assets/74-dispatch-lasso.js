// The lasso: a ring drawn by hand on the map, which filters the queue and picks what lies inside, or bounds an incident.
(() => {
  "use strict";
  const desk = window.wangge?.desk;
  const map = window.wangge?.map;
  if (!desk || !map || desk.pane === "queue") return;
  const wangge = window.wangge;
  const { t, h, on } = wangge;
  const LEAST_PX = 4; // between two points of the ring
  const MOST = 120; // points of a ring that is sent

  let take = null; // who gets the ring that is being drawn
  let stop = null;
  const thin = (points) => {
    const step = Math.ceil(points.length / MOST);
    return points.filter((_, i) => i % step === 0).map(([lon, lat]) => [Number(lon.toFixed(5)), Number(lat.toFixed(5))]);
  };
  // Resolves nothing: `done(ring)` is called with [[lon, lat], …] when a ring was drawn.
  desk.draw = (done) => {
    const view = map.main;
    if (!view) return;
    if (stop) return stop();
    take = done;
    const { leaflet, frame } = view;
    const container = leaflet.getContainer();
    const hint = h("output", { class: "wg-measured" }, t("dispatch.lasso.hint"));
    frame.append(hint);
    frame.classList.add("wg-measuring");
    leaflet.dragging.disable();
    let points = null;
    let last = null;
    const spot = (event) => {
      const where = leaflet.mouseEventToLatLng(event);
      return [where.lng, where.lat];
    };
    const down = (event) => {
      if (event.button) return;
      points = [spot(event)];
      last = [event.clientX, event.clientY];
      desk.drawing = points;
      container.setPointerCapture?.(event.pointerId);
      event.preventDefault();
    };
    const move = (event) => {
      if (!points || Math.hypot(event.clientX - last[0], event.clientY - last[1]) < LEAST_PX) return;
      last = [event.clientX, event.clientY];
      points.push(spot(event));
      view.symbols.ask();
    };
    const up = () => {
      if (!points) return;
      const ring = points.length >= 4 ? thin(points) : null;
      const own = take;
      end();
      if (ring) own(ring);
    };
    const end = (stop = () => {
      for (const [kind, fn] of [["pointerdown", down], ["pointermove", move], ["pointerup", up]]) container.removeEventListener(kind, fn, true);
      leaflet.dragging.enable();
      frame.classList.remove("wg-measuring");
      hint.remove();
      take = stop = null;
      setTimeout(() => ((desk.drawing = null), view.symbols.ask()), 0); // after the click that ends it
    });
    for (const [kind, fn] of [["pointerdown", down], ["pointermove", move], ["pointerup", up]]) container.addEventListener(kind, fn, true);
  };
  desk.stopDrawing = () => (stop ? (stop(), true) : false);

  // For the queue: what lies inside is shown alone, and picked.
  desk.lasso = () =>
    desk.draw((ring) => {
      desk.pickNext = true;
      desk.set({ lasso: ring });
    });
  on("desk:asked", (changes) => "lasso" in changes && !changes.lasso && desk.picked.size && desk.pick?.([...desk.picked.values()], false));
})();
