// Names of areas: by zoom and weight, never over one another; a town with its overdue tickets and its workers.
(() => {
  "use strict";
  const wangge = window.wangge;
  const map = wangge?.map;
  if (!map) return;
  const { config } = wangge;
  const spec = map.spec("names");
  const { community_from, grid_from, town_to } = spec.numbers;
  const wall = config.screen === "wall";
  const PX = wall ? { county: 24, town: 20, community: 20, grid: 20 } : { county: 15, town: 13, community: 12, grid: 12 };
  const RANK = { city: 4, county: 3, town: 2, community: 1, grid: 0 };
  // Moved by so much of its own size: over and under the place, then more and more beside it.
  const PLACES = [[0, 0], [0, -1], [0, 1], [0.5, -0.8], [-0.5, -0.8], [0.5, 0.8], [-0.5, 0.8], [0.7, -1], [-0.7, -1], [0.7, -0.4], [-0.7, -0.4], [0.7, 0.4], [-0.7, 0.4]]; // prettier-ignore
  const widths = new Map();
  const measure = (context, font, text) => {
    const key = `${font}|${text}`;
    let width = widths.get(key);
    if (width === undefined) {
      if (widths.size > 6000) widths.clear();
      context.font = font;
      widths.set(key, (width = context.measureText(text).width));
    }
    return width;
  };
  wangge.on("map:theme", () => widths.clear());
  document.fonts?.ready.then(() => widths.clear());

  // A grid's own name, without its community's in front.
  const short = (area) => {
    if (area.level === "grid" && config.language === "en") return wangge.gridName(area.name);
    const name = map.nameOf(area.no);
    const above = area.level === "grid" ? map.outlines.get(map.communityOf(area.no)) : null;
    const prefix = above && map.nameOf(above.no);
    return prefix && name.length > prefix.length && name.startsWith(prefix) ? name.slice(prefix.length).replace(/^[,\s]+/, "") : name;
  };
  const wanted = (area, view) => {
    const { zoom } = view;
    if (area.level === "county") return config.root.level === "city" && zoom < 11.5;
    if (area.level === "town") return zoom < town_to;
    if (area.level === "community") return zoom >= community_from && zoom < 16.5;
    return area.level === "grid" && zoom >= grid_from;
  };

  const arrange = (context, sheet, view, board) => {
    view.names = [];
    if (!view.shows("names")) return;
    const scale = Math.max(1, view.scale) * (view.inset ? 0.9 : 1);
    const workers_counted = map.state.shown.workers && !view.shows("workers") && !view.inset && map.spec("workers").min_zoom > view.zoom;
    const late = map.sumByTown(2);
    const open = map.sumByTown(1);
    const workers = workers_counted ? map.workers.byTown() : null;
    const found = [];
    for (const area of map.outlines.values()) {
      if (!wanted(area, view)) continue;
      const x = sheet.x(map.worldX(area.x));
      const y = sheet.y(map.worldY(area.y));
      if (x < -40 || y < -20 || x > sheet.width + 40 || y > sheet.height + 20) continue;
      const inside = map.inArea(area.no);
      const row = map.values.get(area.no);
      const overdue = area.level === "town" ? late.get(area.no) || 0 : area.level === "grid" ? row?.[2] || 0 : 0;
      const load = area.level === "town" ? open.get(area.no) || 0 : row?.[1] || 0;
      const weight = (inside ? 1e7 : 0) + RANK[area.level] * 1e6 + (map.state.selected === area.no ? 1e8 : 0) + overdue * 100 + load;
      found.push({ area, x, y, inside, overdue: inside ? overdue : 0, weight, workers: area.level === "town" && inside ? workers?.get(area.no) : null });
    }
    found.sort((a, b) => b.weight - a.weight);
    keepOff(view.frame.querySelector(".wg-legend"), sheet, view, board);
    keepOff(document.getElementById("tour"), sheet, view, board); // the wall's headline
    const { x, y } = sheet.padding;
    const seen = { left: x, top: y, right: sheet.width - x, bottom: sheet.height - y };
    for (const label of found.slice(0, 400)) place(label, context, scale, view, board, seen);
  };
  // No name below what lies over the map.
  const keepOff = (box, sheet, view, board) => {
    if (!box) return;
    const frame = view.frame.getBoundingClientRect();
    const { left, top, right, bottom } = box.getBoundingClientRect();
    const { x, y } = sheet.padding;
    board.take(left - frame.left + x, top - frame.top + y, right - frame.left + x, bottom - frame.top + y);
  };
  const place = (label, context, scale, view, board, seen) => {
    const { area } = label;
    const px = Math.max(wall ? 14 : 11, PX[area.level] * scale);
    const bold = label.inside && area.level !== "grid" && (area.level !== "community" || view.zoom >= 14);
    const font = map.font(px, bold);
    const text = short(area);
    const mark = label.overdue ? String(label.overdue) : "";
    const bold_font = map.font(px, true);
    const name_wide = measure(context, font, text);
    const mark_wide = mark ? px * 1.05 + measure(context, bold_font, mark) : 0;
    const small = map.font(px * (wall ? 1 : 0.92), false);
    const under = label.workers ? String(label.workers) : "";
    const under_wide = under ? px * 0.62 + measure(context, small, under) : 0;
    const wide = Math.max(name_wide + (mark ? px * 0.3 : 0) + mark_wide, under_wide);
    const high = px * 1.22;
    // A grid's name must fit into its grid.
    if (area.level === "grid") {
      const [west, south, east, north] = area.box;
      const room = (map.worldX(east) - map.worldX(west)) * view.symbols.world;
      const room_high = (map.worldY(south) - map.worldY(north)) * view.symbols.world;
      if (wide > room * 1.05 || high > room_high) return;
    }
    const movable = RANK[area.level] >= 2;
    const moves = movable ? PLACES : PLACES.slice(0, 1);
    const gap = px * 0.18;
    // What may move goes where all of it is seen, rather without its workers than cut by the edge.
    for (const whole of movable ? [true, false] : [false]) {
      for (const lines of under ? [2, 1] : [1]) {
        const tall = high * lines;
        for (const [dx, dy] of moves) {
          const left = label.x - wide / 2 + dx * wide;
          const top = label.y - tall / 2 + dy * tall;
          if (whole && (left < seen.left || top < seen.top || left + wide > seen.right || top + tall > seen.bottom)) continue;
          if (!board.free(left - gap, top - gap / 2, left + wide + gap, top + tall + gap / 2)) continue;
          board.take(left - gap, top - gap / 2, left + wide + gap, top + tall + gap / 2);
          view.names.push({ ...label, text, mark, under: lines === 2 ? under : "", left, top, wide, high, px, font, bold_font, small, name_wide, mark_wide, under_wide, scale });
          return;
        }
      }
    }
  };

  const paint = (context, _sheet, view, board) => {
    const halo = map.colour(spec.tokens.halo);
    context.textAlign = "left";
    context.textBaseline = "middle";
    context.lineJoin = "round";
    const strength = map.state.opacity.names;
    for (const label of view.names) {
      const { area, left, top, wide, high, px, inside } = label;
      const middle = top + high / 2;
      const first = left + (wide - label.name_wide - (label.mark ? px * 0.3 + label.mark_wide : 0)) / 2;
      const quiet = !inside || area.level === "grid" || (area.level === "community" && view.zoom < 14);
      const word = (text, x, y, font, colour) => {
        context.font = font;
        context.strokeStyle = halo;
        context.lineWidth = px * 0.25;
        context.globalAlpha = strength * 0.85;
        context.strokeText(text, x, y);
        context.globalAlpha = strength;
        context.fillStyle = colour;
        context.fillText(text, x, y);
      };
      word(label.text, first, middle, label.font, map.colour(quiet ? spec.tokens.quiet : spec.tokens.text));
      if (label.mark) {
        const at = first + label.name_wide + px * 0.3;
        map.shape(context, "triangle", at + px * 0.42, middle, { scale: (px / 20) * 1.25, fill: map.colour(spec.tokens.late), halo, alpha: strength });
        word(label.mark, at + px * 0.98, middle, label.bold_font, map.colour(spec.tokens.late));
      }
      if (label.under) {
        const x = left + (wide - label.under_wide) / 2;
        const y = middle + high * 0.96;
        map.shape(context, "dot", x + px * 0.2, y, { scale: px / 18, fill: map.colour("--map-worker"), halo, alpha: strength });
        word(label.under, x + px * 0.62, y, label.small, map.colour("--map-worker"));
      }
      context.globalAlpha = 1;
      if (area.level !== "grid" && inside) {
        const detail = label.mark ? wangge.t("map.tip.overdue", { n: label.overdue }) : "";
        board.hit({ kind: "area", id: area.no, title: map.nameOf(area.no), detail, box: [left, top, left + wide, top + high] });
      }
    }
  };
  map.symbols({ arrange, paint });
})();
