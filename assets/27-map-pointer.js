// Pointer and keyboard on the map: what is under it, its name, a click or Enter opens its card.
(() => {
  "use strict";
  const wangge = window.wangge;
  const map = wangge?.map;
  if (!map) return;
  const { config, t, h } = wangge;
  const REACH = { mouse: 5, touch: 14, pen: 8 };
  const GRID_ZOOM = 13.75;
  const NEXT = { city: "county", county: "town", town: "community", community: "grid", grid: "grid" };

  // On the area page a click leads one level down; close by, and on the wall, it means the grid.
  const meant = (grid, view) => {
    if (!grid) return null;
    if (config.screen !== "area" || view.zoom >= GRID_ZOOM) return grid;
    const level = NEXT[config.area.level];
    const no = level === "county" ? Math.floor(grid.no / 1e9) * 1e9 : level === "town" ? map.townOf(grid.no) : level === "community" ? map.communityOf(grid.no) : grid.no;
    return map.outlines.get(no) || grid;
  };
  const above = (area) => {
    const names = [];
    for (let no = area.parent; no != null && no !== config.root.no; no = map.outlines.get(no)?.parent) {
      const name = map.outlines.has(no) ? map.nameOf(no) : null;
      if (name) names.unshift(name);
    }
    return names.join(" \u00b7 ");
  };
  const numbers = (area) => {
    const row = map.values.get(area.no);
    if (area.level === "town" || area.level === "community") {
      let open = 0;
      let overdue = 0;
      const hi = area.no + (area.level === "town" ? map.TOWN : map.COMMUNITY);
      for (const [no, one] of map.values) {
        if (no < area.no || no >= hi) continue;
        open += one[1] || 0;
        overdue += one[2] || 0;
      }
      return t("map.tip.numbers", { open: wangge.int(open), overdue: wangge.int(overdue) });
    }
    if (!row) return "";
    const measure = map.measure();
    const value = row[measure.column];
    const numbers = t("map.tip.numbers", { open: wangge.int(row[1] || 0), overdue: wangge.int(row[2] || 0) });
    if (measure.column < 3) return numbers;
    const shown = value == null ? t(measure.unknown || "map.measure.unknown") : `${measure.column === 3 ? Number(value).toFixed(1) : wangge.int(value)} ${t(measure.unit)}`;
    return `${numbers} \u00b7 ${t(measure.title)} ${shown}`;
  };

  const find = (view, point, latlng, kind) => {
    const reach = (REACH[kind] || 5) * Math.max(1, view.scale);
    const symbol = view.symbolAt(point, reach);
    if (symbol && !(symbol.kind === "area" && view.workerAt(point, reach))) return symbol;
    const worker = view.workerAt(point, reach + 2);
    if (worker != null) {
      const about = map.workers.about(worker);
      const age = map.workers.ageOf(worker);
      return { kind: "worker", id: worker, title: t("map.tip.worker", { code: about?.code || worker }), detail: age == null ? "" : t("map.tip.seen", { ago: wangge.ago(age) }) };
    }
    const area = meant(map.gridAt(latlng.lng, latlng.lat), view);
    return area && { kind: "area", id: area.no, title: map.nameOf(area.no), detail: numbers(area), above: above(area), area };
  };

  map.part((view) => {
    const { leaflet, frame } = view;
    const container = leaflet.getContainer();
    const tip = h("div", { class: "wg-tip", role: "status", "aria-live": "polite", hidden: "" });
    const aim = h("div", { class: "wg-aim", "aria-hidden": "true" });
    frame.append(tip, aim);
    container.setAttribute("aria-label", t("map.label"));
    container.setAttribute("role", "application");
    let shown = null;

    const show = (found, point) => {
      const key = found ? `${found.kind || "group"}:${found.id ?? found.title}` : "";
      view.hover(found?.kind === "area" && !view.measure?.active ? found.id : null);
      container.classList.toggle("wg-pointing", Boolean(found) && !view.measure?.active);
      if (!found || view.measure?.active || view.moving) {
        tip.hidden = true;
        shown = null;
        return;
      }
      if (key !== shown || tip.dataset.detail !== (found.detail || "")) {
        shown = key;
        tip.dataset.detail = found.detail || "";
        tip.replaceChildren(...[found.above && map.dom.text("small", {}, found.above), map.dom.text("b", {}, found.title), found.detail && map.dom.text("span", { class: found.mark || "" }, found.detail)].filter(Boolean));
        tip.hidden = false;
      }
      const size = leaflet.getSize();
      const gap = 14 * Math.max(1, view.scale);
      const left = point.x + gap + tip.offsetWidth > size.x ? point.x - gap - tip.offsetWidth : point.x + gap;
      const top = Math.max(4, Math.min(size.y - tip.offsetHeight - 4, point.y + gap));
      tip.style.transform = `translate(${Math.round(Math.max(4, left))}px,${Math.round(top)}px)`;
    };
    const hide = () => show(null);

    let waiting = 0;
    let last = null;
    leaflet.on("mousemove", (event) => {
      last = event;
      if (waiting || event.originalEvent.pointerType === "touch") return;
      waiting = requestAnimationFrame(() => {
        waiting = 0;
        show(find(view, last.containerPoint, last.latlng, "mouse"), last.containerPoint);
      });
    });
    leaflet.on("mouseout", () => setTimeout(hide, 30));
    leaflet.on("movestart zoomstart", () => ((view.moving = true), hide()));
    leaflet.on("moveend", () => (view.moving = false));

    const open = (found) => {
      if (!found) return map.close?.();
      if (found.group) {
        const bounds = L.latLngBounds(found.group.map((one) => [one.lat, one.lon]));
        return view.go(bounds.pad(0.3), { maxZoom: Math.min(17, leaflet.getZoom() + 3) });
      }
      map.open(found.kind, found.id);
    };
    leaflet.on("click", (event) => {
      if (view.measure?.active) return;
      const kind = event.originalEvent?.pointerType || "mouse";
      open(find(view, event.containerPoint, event.latlng, kind));
    });

    // Keyboard: arrows move the map under a cross; Enter opens what is there, its name is read out.
    const middle = () => leaflet.getSize().divideBy(2).round();
    const name = () => {
      if (!container.matches(":focus-visible")) return;
      const point = middle();
      show(find(view, point, leaflet.containerPointToLatLng(point), "mouse"), point);
    };
    container.addEventListener("focus", name);
    container.addEventListener("blur", hide);
    leaflet.on("moveend", name);
    container.addEventListener("keydown", (event) => {
      if (event.target !== container) return;
      if (event.key === "Enter" && !view.measure?.active) {
        const point = middle();
        open(find(view, point, leaflet.containerPointToLatLng(point), "mouse"));
        event.preventDefault();
      } else if (event.key === "/") {
        view.searchBox?.focus();
        event.preventDefault();
        event.stopPropagation(); // the page has a search of its own
      }
    });
    frame.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      if (view.measure?.active ? (view.measure.toggle(false), true) : map.close?.() || view.closePanel?.()) event.stopPropagation();
    });
  }, "main");
})();
