// Measuring: click points, read the length of the line and the area it encloses; Escape ends it.
(() => {
  "use strict";
  const wangge = window.wangge;
  const map = wangge?.map;
  if (!map) return;
  const { t, h } = wangge;
  const EARTH_M = 6371008.8;

  const number = (value, digits) => value.toLocaleString(wangge.config.language, { maximumFractionDigits: digits });
  const length = (metres) => (metres < 1000 ? `${number(metres, 0)} ${t("map.unit.m")}` : `${number(metres / 1000, metres < 10000 ? 2 : 1)} ${t("map.unit.km")}`);
  const surface = (metres) => (metres < 1e6 ? `${number(metres, 0)} ${t("map.unit.m2")}` : `${number(metres / 1e6, 2)} ${t("map.unit.km2")}`);
  // Area of a polygon on the sphere, in m².
  const enclosed = (points) => {
    let sum = 0;
    points.forEach((point, i) => {
      const next = points[(i + 1) % points.length];
      sum += (((next.lng - point.lng) * Math.PI) / 180) * (2 + Math.sin((point.lat * Math.PI) / 180) + Math.sin((next.lat * Math.PI) / 180));
    });
    return Math.abs((sum * EARTH_M * EARTH_M) / 2);
  };

  map.part((view) => {
    const { leaflet, frame } = view;
    const said = h("output", { class: "wg-measured", hidden: "" });
    frame.append(said);
    let points = [];
    let ahead = null;
    let line = null;
    let face = null;
    const draw = () => {
      const all = ahead ? [...points, ahead] : points;
      line.setLatLngs(all);
      face.setLatLngs(points.length >= 2 && all.length >= 3 ? all : []);
      let metres = 0;
      all.forEach((point, i) => i && (metres += all[i - 1].distanceTo(point)));
      const words = [t("map.measured.length", { length: length(metres) })];
      if (all.length >= 3) words.push(t("map.measured.area", { area: surface(enclosed(all)) }));
      said.textContent = points.length ? words.join("  \u00b7  ") : t("map.measured.begin");
    };
    const add = ({ latlng }) => {
      points.push(latlng);
      ahead = null;
      draw();
    };
    const move = ({ latlng }) => {
      if (!points.length) return;
      ahead = latlng;
      draw();
    };
    const back = (event) => {
      if (event.key === "Backspace") {
        points.pop();
        draw();
        event.preventDefault();
      } else if (event.key === "Enter" && event.target === leaflet.getContainer()) add({ latlng: leaflet.getCenter() });
    };
    view.measure = {
      active: false,
      toggle(on = !this.active) {
        if (on === this.active) return;
        this.active = on;
        view.measuringButton?.setAttribute("aria-pressed", String(on));
        frame.classList.toggle("wg-measuring", on);
        said.hidden = !on;
        if (on) {
          const style = { interactive: false, color: map.colour("--accent"), weight: 2.25, renderer: L.svg({ pane: "markerPane" }) };
          points = [];
          ahead = null;
          line = L.polyline([], style).addTo(leaflet);
          face = L.polygon([], { ...style, stroke: false, fillOpacity: 0.12, fillColor: style.color }).addTo(leaflet);
          leaflet.doubleClickZoom.disable();
          leaflet.on("click", add).on("mousemove", move);
          frame.addEventListener("keydown", back);
          draw();
        } else {
          line.remove();
          face.remove();
          leaflet.off("click", add).off("mousemove", move);
          frame.removeEventListener("keydown", back);
          setTimeout(() => leaflet.doubleClickZoom.enable(), 300);
        }
      },
    };
  }, "main");
})();
