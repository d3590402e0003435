// The frame on the main map that shows which extract an inset enlarges.
(() => {
  "use strict";
  const wangge = window.wangge;
  const map = wangge?.map;
  if (!map) return;
  const LESS_ZOOM = 0.8; // the frame is drawn while the map is at least so much farther away

  map.part((view) => {
    let frame = null;
    const draw = () => {
      const inset = map.views.find((other) => other.inset && other.leaflet._loaded);
      const wanted = inset && inset.leaflet.getZoom() - view.leaflet.getZoom() > LESS_ZOOM;
      frame?.remove();
      frame = null;
      if (!wanted) return;
      frame = L.rectangle(inset.leaflet.getBounds(), {
        interactive: false,
        fill: false,
        color: map.colour("--tx-2"),
        weight: 1.2 * Math.max(1, view.scale),
        dashArray: "5 4",
        renderer: view.renderer,
      }).addTo(view.leaflet);
    };
    const off = ["map:areas", "map:theme", "map:inset"].map((event) => wangge.on(event, draw));
    view.leaflet.on("zoomend resize", draw);
    view.leaflet.on("unload", () => off.forEach((stop) => stop()));
  }, "main");
  map.part((view) => {
    if (!view.inset) return;
    view.leaflet.on("moveend resize", () => wangge.emit("map:inset"));
    wangge.emit("map:inset");
  });
})();
