// What lies under the dispatcher's tickets on the map: a plan's lines, a worker's round, rings and perimeters; and the pens.
(() => {
  "use strict";
  const desk = window.wangge?.desk;
  const map = window.wangge?.map;
  if (!desk || !map || desk.pane === "queue") return;
  const PX = 12;
  const MANY = 60; // lines of a plan from which the dots of its workers are small

  // --- pens
  const point = (one) => (one?.lon == null ? null : { x: map.worldX(one.lon), y: map.worldY(one.lat) });
  const at = (sheet, one) => {
    const where = point(one);
    return where && [sheet.x(where.x), sheet.y(where.y)];
  };
  const label = (context, words, x, y, { align = "left", colour = "--tx-1", bold = false } = {}) => {
    context.font = map.font(PX, bold);
    context.textAlign = align;
    context.textBaseline = "middle";
    context.lineJoin = "round";
    context.strokeStyle = map.colour("--map-halo");
    context.lineWidth = 4;
    context.strokeText(words, x, y);
    context.fillStyle = map.colour(colour);
    context.fillText(words, x, y);
    return context.measureText(words).width;
  };
  const line = (context, from, to, { colour, width, dash = [] }) => {
    context.beginPath();
    context.setLineDash(dash);
    context.moveTo(...from);
    context.lineTo(...to);
    context.strokeStyle = map.colour(colour);
    context.lineWidth = width;
    context.stroke();
    context.setLineDash([]);
  };
  const circle = (context, x, y, radius, { fill, stroke, width = 1.75, dash = [] }) => {
    context.beginPath();
    context.arc(x, y, radius, 0, 7);
    if (fill) {
      context.fillStyle = map.colour(fill);
      context.fill();
    }
    context.setLineDash(dash);
    context.strokeStyle = map.colour(stroke);
    context.lineWidth = width;
    context.stroke();
    context.setLineDash([]);
  };
  const ring = (context, sheet, points, { close, fill, dash }) => {
    context.beginPath();
    points.forEach(([lon, lat], i) => {
      const where = [sheet.x(map.worldX(lon)), sheet.y(map.worldY(lat))];
      i ? context.lineTo(...where) : context.moveTo(...where);
    });
    if (close) context.closePath();
    if (fill) {
      context.globalAlpha = 0.1;
      context.fillStyle = map.colour("--accent");
      context.fill();
      context.globalAlpha = 1;
    }
    context.setLineDash(dash || []);
    context.strokeStyle = map.colour("--accent");
    context.lineWidth = 2;
    context.stroke();
    context.setLineDash([]);
  };

  desk.pen = { at, label, line, circle };

  // --- what is drawn with them
  const paintPlan = (context, sheet) => {
    for (const one of desk.lines || []) {
      const from = at(sheet, one.worker);
      const to = at(sheet, one.ticket);
      if (!from || !to) continue;
      context.globalAlpha = one.off ? 0.35 : 1;
      line(context, from, to, { colour: one.meant ? "--tx-1" : one.off ? "--tx-3" : "--accent", width: one.meant ? 3 : 1.75, dash: one.off ? [3, 4] : [] });
      circle(context, from[0], from[1], desk.lines.length > MANY && !one.meant ? 2.6 : 4.5, { fill: "--map-worker", stroke: "--map-halo", width: 1.5 });
      context.globalAlpha = 1;
      if (one.meant) {
        circle(context, to[0], to[1], 11, { stroke: "--tx-1", width: 2 });
        label(context, one.worker.name || one.worker.code, from[0] + 9, from[1], { bold: true });
      }
    }
  };
  const paintPath = (context, sheet) => {
    const spots = (desk.path || []).map((one) => at(sheet, one));
    spots.forEach((spot, n) => n && line(context, spots[n - 1], spot, { colour: "--accent", width: 2.25 }));
    spots.forEach((spot, n) => {
      circle(context, spot[0], spot[1], n ? 10 : 5, { fill: n ? "--bg-0" : "--map-worker", stroke: n ? "--accent" : "--map-halo" });
      if (n) label(context, String(n), spot[0], spot[1] + 0.5, { align: "center", bold: true });
    });
  };
  const polygons = (shape) => (!shape ? [] : shape.type === "MultiPolygon" ? shape.coordinates.map((part) => part[0]) : [shape.coordinates[0]]);
  const paint = (context, sheet, view, board) => {
    if (view.inset) return;
    for (const shape of polygons(desk.perimeter)) ring(context, sheet, shape, { close: true, fill: true, dash: [7, 4] });
    for (const ticket of desk.gathered || []) {
      const where = at(sheet, ticket);
      if (!where) continue;
      map.shape(context, "ring", where[0], where[1], { scale: 1.1, fill: map.colour("--accent"), halo: map.colour("--map-halo") });
      board.hit({ kind: "ticket", id: ticket.id, title: desk.title(ticket), detail: desk.status(ticket.status), x: where[0], y: where[1], radius: 8 });
    }
    if (desk.asked.lasso) ring(context, sheet, desk.asked.lasso, { close: true, fill: true });
    if (desk.drawing) ring(context, sheet, desk.drawing, { close: false, dash: [5, 4] });
    paintPlan(context, sheet);
    paintPath(context, sheet);
  };
  map.symbols({ paint });
})();
