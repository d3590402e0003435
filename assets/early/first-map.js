// The first picture: draws all grids from their feed before Dash and Leaflet are there, where the map will stand.
// Stands in <head> (screens/page.py); 21-map-areas.js takes it away when the real map has drawn the same polygons.
(() => {
  "use strict";
  const wangge = window.wangge;
  const url = wangge?.config?.feeds?.grids;
  if (!url) return;
  const FIRST = "wg-first";
  const PADDING = 0.03; // as View.padding in 20-map-core.js
  const SNAP = 0.05; // zoomSnap of screens/map_view.py

  // The feed is asked for once; the map takes it from here.
  const feed = fetch(url).then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(String(answer.status)))));
  wangge.first = { url, feed };
  feed.catch(() => (wangge.first = null)); // the map asks again, and does not give up

  const asked = new URLSearchParams(location.search);
  if (asked.get("view") || asked.get("mode") === "heat" || wangge.config.map?.mode === "lines") return;

  const worldY = (lat) => {
    const sine = Math.sin((lat * Math.PI) / 180);
    return 0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI);
  };
  const frame = () => document.querySelector(".wg-map-main");
  const draw = (collection) => {
    const at = frame();
    const style = getComputedStyle(document.documentElement);
    const colour = (token) => style.getPropertyValue(token).trim();
    const box = at?.getBoundingClientRect();
    if (!box || !box.width || !colour("--map-grid")) return false;
    if (window.L?.Map && at.querySelector(".leaflet-container")) return true; // the map itself was faster
    const [west, south, east, north] = at.dataset.bounds.split(",").map(Number);
    const padding = 2 * Math.round(Math.min(box.width, box.height) * PADDING);
    const wide = (east - west) / 360;
    const high = worldY(south) - worldY(north);
    const fit = Math.log2(Math.min((box.width - padding) / wide, (box.height - padding) / high) / 256);
    const world = 256 * 2 ** (Math.floor(fit / SNAP + 1e-9) * SNAP);
    const left = ((west + east) / 720 + 0.5) * world - box.width / 2;
    const top = ((worldY(south) + worldY(north)) / 2) * world - box.height / 2;

    const canvas = document.createElement("canvas");
    const ratio = Math.min(2, window.devicePixelRatio || 1);
    canvas.id = FIRST;
    canvas.setAttribute("aria-hidden", "true");
    canvas.width = box.width * ratio;
    canvas.height = box.height * ratio;
    canvas.style.cssText = `position:absolute;left:${box.left + scrollX}px;top:${box.top + scrollY}px;width:${box.width}px;height:${box.height}px;pointer-events:none;z-index:700`;
    const context = canvas.getContext("2d");
    context.scale(ratio, ratio);
    context.fillStyle = colour("--bg-2");
    context.strokeStyle = colour("--map-grid");
    context.lineWidth = 0.6;
    // A path a grid: one path of all 70,000 corners takes ten times as long to fill.
    for (const { geometry } of collection.features) {
      context.beginPath();
      for (const polygon of geometry.type === "Polygon" ? [geometry.coordinates] : geometry.coordinates) {
        for (const ring of polygon) {
          ring.forEach(([lon, lat], i) => {
            const x = (lon / 360 + 0.5) * world - left;
            const y = worldY(lat) * world - top;
            if (i) context.lineTo(x, y);
            else context.moveTo(x, y);
          });
          context.closePath();
        }
      }
      context.fill();
      context.stroke();
    }
    document.body.append(canvas);
    requestAnimationFrame(() => setTimeout(() => performance.mark("wangge:areas-painted")));
    return true;
  };
  // The styles and the frame may still be on their way: a frame of the browser comes when they are there.
  feed.then((collection) => {
    const end = performance.now() + 5000;
    const attempt = () => draw(collection) || performance.now() > end || requestAnimationFrame(attempt);
    requestAnimationFrame(attempt);
  }, () => {});
})();
