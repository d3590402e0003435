// A sheet: a canvas over the map that keeps its place while the map moves and is painted anew when it stands still.
(() => {
  "use strict";
  const map = window.wangge?.map;
  if (!map) return;
  const PADDING = 0.1; // of the map's size, on each side

  map.Sheet = class {
    // paint(context, sheet) draws in CSS pixels of the sheet; name is the pane's, level its z-index.
    constructor(view, name, level, paint) {
      this.view = view;
      this.leaflet = view.leaflet;
      this.paintOn = paint;
      const pane = this.leaflet.getPane(name) || this.leaflet.createPane(name);
      pane.style.zIndex = level;
      pane.style.pointerEvents = "none";
      this.canvas = L.DomUtil.create("canvas", "leaflet-zoom-animated wg-sheet", pane);
      this.canvas.setAttribute("aria-hidden", "true");
      this.context = this.canvas.getContext("2d");
      this.hidden = false;
      const moved = () => this.reset();
      this.leaflet.on({ moveend: moved, viewreset: moved, resize: moved });
      this.leaflet.on("zoomanim", (event) => this.follow(event.zoom, event.center));
      this.leaflet.on("zoom", () => this.follow(this.leaflet.getZoom(), this.leaflet.getCenter()));
      if (this.leaflet._loaded) this.reset();
    }
    reset() {
      const { leaflet, canvas } = this;
      const size = leaflet.getSize();
      const padding = size.multiplyBy(PADDING).round();
      this.corner = leaflet.containerPointToLayerPoint(padding.multiplyBy(-1)).round();
      this.width = size.x + 2 * padding.x;
      this.height = size.y + 2 * padding.y;
      this.padding = padding;
      this.north_west = leaflet.layerPointToLatLng(this.corner);
      this.zoom = leaflet.getZoom();
      this.ratio = Math.min(2, window.devicePixelRatio || 1);
      const width = Math.round(this.width * this.ratio);
      const height = Math.round(this.height * this.ratio);
      if (canvas.width !== width || canvas.height !== height) {
        canvas.width = width;
        canvas.height = height;
        canvas.style.width = `${this.width}px`;
        canvas.style.height = `${this.height}px`;
      }
      L.DomUtil.setTransform(canvas, this.corner, 1);
      const origin = leaflet.getPixelOrigin();
      this.world = 256 * 2 ** this.zoom; // pixels around the world
      this.left = origin.x + this.corner.x;
      this.top = origin.y + this.corner.y;
      this.paint();
    }
    // World fractions to pixels of the sheet.
    x(world_x) {
      return world_x * this.world - this.left;
    }
    y(world_y) {
      return world_y * this.world - this.top;
    }
    follow(zoom, centre) {
      if (!this.north_west) return;
      const at = this.leaflet._latLngToNewLayerPoint(this.north_west, zoom, centre);
      L.DomUtil.setTransform(this.canvas, at, this.leaflet.getZoomScale(zoom, this.zoom));
    }
    paint() {
      if (!this.north_west) return;
      const { context, ratio } = this;
      context.setTransform(1, 0, 0, 1, 0, 0);
      context.clearRect(0, 0, this.canvas.width, this.canvas.height);
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      if (!this.hidden) this.paintOn(context, this);
    }
    // Paint once before the next frame, however often asked.
    ask() {
      if (this.asked) return;
      this.asked = requestAnimationFrame(() => {
        this.asked = 0;
        this.paint();
      });
    }
    // A point of the map's container in pixels of the sheet.
    fromContainer(point) {
      return this.leaflet.containerPointToLayerPoint(point).subtract(this.corner);
    }
  };
})();
