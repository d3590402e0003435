// The base map of the settings: XYZ tiles, moved from their datum to ours so that our data stays true.
(() => {
  "use strict";
  const wangge = window.wangge;
  const map = wangge?.map;
  if (!map) return;

  // --- the offset of China's public datums at a place (degrees); formulas as in geodata's converter
  const AXIS_M = 6378245;
  const ECCENTRICITY_2 = 0.00669342162296594323;
  const { PI, sin, cos, sqrt, abs } = Math;
  const toGcj02 = (lon, lat) => {
    const x = lon - 105;
    const y = lat - 35;
    const root = sqrt(abs(x));
    const both = ((20 * sin(6 * x * PI) + 20 * sin(2 * x * PI)) * 2) / 3;
    const north =
      -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + both +
      ((20 * sin(y * PI) + 40 * sin((y / 3) * PI)) * 2) / 3 + ((160 * sin((y / 12) * PI) + 320 * sin((y * PI) / 30)) * 2) / 3; // prettier-ignore
    const east =
      300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + both +
      ((20 * sin(x * PI) + 40 * sin((x / 3) * PI)) * 2) / 3 + ((150 * sin((x / 12) * PI) + 300 * sin((x / 30) * PI)) * 2) / 3; // prettier-ignore
    const radians = (lat / 180) * PI;
    const magic = 1 - ECCENTRICITY_2 * sin(radians) ** 2;
    const meridian_m = ((AXIS_M * (1 - ECCENTRICITY_2)) / (magic * sqrt(magic))) * (PI / 180);
    const parallel_m = (AXIS_M / sqrt(magic)) * cos(radians) * (PI / 180);
    return [lon + east / parallel_m, lat + north / meridian_m];
  };
  const toBd09 = (lon, lat) => {
    const [x, y] = toGcj02(lon, lat);
    const turn = (PI * 3000) / 180;
    const far = Math.hypot(x, y) + 0.00002 * sin(y * turn);
    const angle = Math.atan2(y, x) + 0.000003 * cos(x * turn);
    return [far * cos(angle) + 0.0065, far * sin(angle) + 0.006];
  };
  const DATUM = { wgs84: (lon, lat) => [lon, lat], gcj02: toGcj02, bd09: toBd09 };
  map.datum = DATUM;

  // Tiles of another datum: the layer believes to be centred where that datum says the map's centre is.
  const Shifted = L.TileLayer.extend({
    _moved(centre) {
      const [lon, lat] = DATUM[this.options.datum](centre.lng, centre.lat);
      return L.latLng(lat, lon);
    },
    _setZoomTransform(level, centre, zoom) {
      L.TileLayer.prototype._setZoomTransform.call(this, level, this._moved(centre), zoom);
    },
    _getTiledPixelBounds(centre) {
      return L.TileLayer.prototype._getTiledPixelBounds.call(this, this._moved(centre));
    },
  });

  map.part((view) => {
    const source = wangge.config.map?.basemap;
    if (!source) return;
    const tiles = new Shifted(source.url, {
      datum: source.datum in DATUM ? source.datum : "wgs84",
      subdomains: source.subdomains || "abc",
      opacity: map.state.opacity.basemap,
      maxNativeZoom: 18,
      maxZoom: 20,
    });
    const apply = () => {
      tiles.setOpacity(map.state.opacity.basemap);
      if (map.state.shown.basemap) tiles.addTo(view.leaflet);
      else tiles.remove();
    };
    apply();
    if (!view.inset && source.attribution) {
      const note = wangge.h("div", { class: "wg-attribution" });
      note.textContent = source.attribution;
      view.frame.append(note);
    }
    const off = wangge.on("map:state", ({ id }) => id === "basemap" && apply());
    view.leaflet.on("unload", off);
  });
})();
