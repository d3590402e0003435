// Symbols: one canvas for care counts, posts, stations, tickets and names; what may not overlap is settled here.
(() => {
  "use strict";
  const wangge = window.wangge;
  const map = wangge?.map;
  if (!map) return;
  const painters = []; // {first, arrange(board), paint(context, sheet, view, board)}; the first one takes its room before all others
  map.symbols = (painter) => (painter.first ? painters.unshift(painter) : painters.push(painter));

  // What stands where in one painting: boxes taken, and things that a pointer can hit (the last drawn wins).
  class Board {
    constructor(sheet) {
      this.sheet = sheet;
      this.boxes = [];
      this.hits = [];
    }
    free(left, top, right, bottom) {
      return !this.boxes.some((box) => left < box[2] && right > box[0] && top < box[3] && bottom > box[1]);
    }
    take(left, top, right, bottom) {
      this.boxes.push([left, top, right, bottom]);
    }
    hit(target) {
      this.hits.push(target);
    }
  }

  map.part((view) => {
    const paint = (context, sheet) => {
      const board = new Board(sheet);
      for (const painter of painters) painter.arrange?.(context, sheet, view, board);
      for (const painter of painters) painter.paint(context, sheet, view, board);
      view.board = board;
    };
    const sheet = new map.Sheet(view, "wg-symbols", 440, paint);
    view.symbols = sheet;
    const ask = () => sheet.ask();
    const off = ["map:theme", "map:values", "map:areas", "map:state", "map:points", "scale"].map((event) => wangge.on(event, ask));
    let due = 0;
    off.push(
      wangge.on("map:workers", () => {
        if (view.shows("workers") || due) return; // only counts a town depend on them
        due = setTimeout(() => ((due = 0), ask()), 3000);
      }),
    );
    view.leaflet.on("unload", () => off.forEach((stop) => stop()));
    document.fonts?.ready.then(ask);

    // The topmost thing at a point of the map's container.
    view.symbolAt = (point, reach) => {
      if (!view.board) return null;
      const at = sheet.fromContainer(point);
      for (let i = view.board.hits.length - 1; i >= 0; i -= 1) {
        const hit = view.board.hits[i];
        if (hit.box) {
          if (at.x >= hit.box[0] && at.x <= hit.box[2] && at.y >= hit.box[1] && at.y <= hit.box[3]) return hit;
        } else if (Math.hypot(at.x - hit.x, at.y - hit.y) <= hit.radius + reach) return hit;
      }
      return null;
    };
  });

  // --- shapes, all for a 16 px square around (0, 0), in the legend as well
  const SHAPES = {
    triangle(context) {
      context.beginPath();
      context.moveTo(0, -6.2);
      context.lineTo(6.6, 5.2);
      context.lineTo(-6.6, 5.2);
      context.closePath();
    },
    diamond(context) {
      context.beginPath();
      context.moveTo(0, -6.6);
      context.lineTo(6.6, 0);
      context.lineTo(0, 6.6);
      context.lineTo(-6.6, 0);
      context.closePath();
    },
    ring(context) {
      context.beginPath();
      context.arc(0, 0, 5.4, 0, 7);
      context.moveTo(2.9, 0);
      context.arc(0, 0, 2.9, 0, 7, true);
    },
    dot(context) {
      context.beginPath();
      context.arc(0, 0, 3, 0, 7);
    },
    camera(context) {
      context.beginPath();
      context.roundRect(-7, -4.5, 9.5, 9, 1.5);
      context.moveTo(3.6, -0.2);
      context.lineTo(7.4, -3.4);
      context.lineTo(7.4, 3.4);
      context.lineTo(3.6, 0.4);
      context.closePath();
    },
    person(context) {
      context.beginPath();
      context.arc(0, -3.1, 2.7, 0, 7);
      context.moveTo(-5.2, 6);
      context.arc(0, 5.4, 5.2, Math.PI * 0.97, Math.PI * 2.03);
      context.closePath();
    },
    heart_open(context) {
      SHAPES.heart(context);
      context.moveTo(0, 2.7);
      context.bezierCurveTo(5, -1.2, 2.6, -4.4, 0, -0.9);
      context.bezierCurveTo(-2.6, -4.4, -5, -1.2, 0, 2.7);
    },
    heart(context) {
      context.beginPath();
      context.moveTo(0, 5.4);
      context.bezierCurveTo(-9, -0.6, -5, -7, 0, -3.2);
      context.bezierCurveTo(5, -7, 9, -0.6, 0, 5.4);
      context.closePath();
    },
  };
  // Draws a shape filled, on a halo; `off` only as an outline with a stroke through it.
  map.shape = (context, name, x, y, { scale = 1, fill, halo, off = false, alpha = 1 }) => {
    context.save();
    context.translate(x, y);
    context.scale(scale, scale);
    context.globalAlpha = alpha;
    SHAPES[name](context);
    context.lineJoin = "round";
    if (halo) {
      context.strokeStyle = halo;
      context.lineWidth = 3;
      context.stroke();
    }
    if (off) {
      context.fillStyle = halo || "transparent";
      context.fill();
      context.strokeStyle = fill;
      context.lineWidth = 1.3;
      context.stroke();
      context.beginPath();
      context.moveTo(-7, 6.5);
      context.lineTo(7, -6.5);
      context.stroke();
    } else {
      context.fillStyle = fill;
      context.fill("evenodd");
    }
    context.restore();
  };

  // Points by square of the world so that clusters stay as they are while the map is dragged.
  map.cluster = (points, sheet, side) => {
    const found = new Map();
    for (const point of points) {
      const x = sheet.x(point.wx);
      const y = sheet.y(point.wy);
      if (x < -side || y < -side || x > sheet.width + side || y > sheet.height + side) continue;
      const key = `${Math.floor((point.wx * sheet.world) / side)}:${Math.floor((point.wy * sheet.world) / side)}`;
      const group = found.get(key);
      if (group) {
        group.points.push(point);
        group.x += x;
        group.y += y;
      } else found.set(key, { points: [point], x, y });
    }
    for (const group of found.values()) {
      group.x /= group.points.length;
      group.y /= group.points.length;
    }
    return found.values();
  };
  map.font = (px, bold) => `${bold ? 700 : 400} ${px}px ${map.colour("--font-ui")}`;
})();
