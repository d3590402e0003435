// The wall's lists and its trend, drawn anew from each set of figures.
(() => {
  "use strict";
  const wangge = window.wangge;
  if (!wangge || wangge.config.screen !== "wall") return;
  const { t, h, on } = wangge;

  const cell = (row, name) => row.querySelector(`.${name}`);
  const put = (row, name, text) => {
    const node = cell(row, name);
    if (node.textContent !== text) node.textContent = text;
    return node;
  };
  const late = (row, n) => {
    const node = put(row, "late", n ? `\u25b2${wangge.int(n)}` : "0");
    node.classList.toggle("none", !n);
  };
  // A bar is a share of the greatest value; its upright tick is the day held against.
  const bar = (row, value, most, tick) => {
    const node = cell(row, "bar");
    if (!node.firstChild) node.append(h("i"), h("em"));
    node.firstChild.style.transform = `scaleX(${most ? value / most : 0})`;
    node.lastChild.style.left = tick == null ? "" : `${(100 * tick) / (most || 1)}%`;
    node.lastChild.hidden = tick == null;
  };

  const fill = (id, items, each, none) => {
    const list = document.getElementById(id);
    if (!list) return;
    [...list.children].forEach((row, i) => {
      const item = items[i];
      row.classList.toggle("empty", !item);
      if (item) each(row, item);
    });
    list.dataset.none = items.length ? "" : none;
    list.classList.toggle("nothing", !items.length);
  };

  const ranking = ({ areas }) => {
    const most = Math.max(1, ...areas.map((area) => area.open));
    fill("ranking-rows", areas, (row, area) => {
      const name = put(row, "name", wangge.areaName(area.no));
      name.title = area.name;
      bar(row, area.open, most);
      wangge.roll(cell(row, "count"), area.open, wangge.int);
      late(row, area.overdue);
    }, t("ranking.none"));
  };

  // What does not fit is summed in the last row, so that the panel's rows add up to today's intake.
  const matters = ({ categories }) => {
    const rows = document.getElementById("matters-rows");
    if (!rows) return;
    const places = rows.children.length;
    let items = categories.filter((item) => item.now || item.before).map((item) => ({ ...item, name: wangge.categoryName(item.code) }));
    if (items.length > places) {
      const rest = items.slice(places - 1);
      const sum = (key) => rest.reduce((total, item) => total + item[key], 0);
      items = [...items.slice(0, places - 1), { name: t("matters.rest", { n: rest.length }), now: sum("now"), before: sum("before") }];
    }
    const most = Math.max(1, ...items.map((item) => Math.max(item.now, item.before)));
    fill("matters-rows", items, (row, item) => {
      put(row, "name", item.name).title = item.name;
      bar(row, item.now, most, item.before);
      wangge.roll(cell(row, "count"), item.now, wangge.int);
      put(row, "change", wangge.signed(item.now - item.before));
    }, t("matters.none"));
  };

  const shares = (figures) => {
    for (const node of document.querySelectorAll("[data-share]")) {
      const { n, d } = figures[node.dataset.share];
      const part = wangge.pct(n, d, 0);
      const text = node.querySelector(".of");
      wangge.marked(text, d ? `*${wangge.int(n)}* / ${wangge.int(d)}` : t("share.none"));
      node.querySelector(".percent").textContent = part === null ? "" : `${part}%`;
      node.querySelector(".gauge i").style.transform = `scaleX(${d ? n / d : 0})`;
    }
  };

  const worst = (figures) => {
    fill("worst-rows", figures.worst, (row, grid) => {
      const above = wangge.areaName(Math.floor(grid.no / 1000) * 1000);
      const name = cell(row, "name");
      name.replaceChildren(h("span", {}, above), " ", wangge.gridName(grid.name, grid.community));
      name.title = `${grid.town} ${grid.community} ${grid.name}`;
      put(row, "count", wangge.int(grid.open));
      late(row, grid.overdue);
    }, t("worst.none"));
  };

  // --- the ticker: figures bring the latest lines, live events come in between
  let lines = [];
  const town = (no) => wangge.areaName(Math.floor(no / 1000000) * 1000000);
  const TOLD = { overdue: "ticker.overdue", report: "command.report", supervise: "command.supervise" };
  const verb = (kind) => (TOLD[kind] ? t(TOLD[kind]) : wangge.config.statuses[kind] || kind);
  const ticker = () =>
    fill("ticker-rows", lines, (row, line) => {
      put(row, "time", wangge.config.language === "en" ? wangge.minute(line.at) : wangge.time(line.at));
      put(row, "place", town(line.area_no));
      put(row, "matter", wangge.className(line.category));
      const what = put(row, "what", line.kind === "overdue" ? `\u25b2 ${verb(line.kind)}` : verb(line.kind));
      what.classList.toggle("is-late", line.kind === "overdue");
    }, t("ticker.none"));
  const key = (line) => `${line.id} ${line.kind}`;
  const merge = (fresh) => {
    const known = new Map([...lines, ...fresh].map((line) => [key(line), line]));
    lines = [...known.values()].sort((a, b) => b.at - a.at || b.id - a.id).slice(0, 12);
    ticker();
  };
  const fromEvent = (event) => ({
    id: event.id,
    at: event.at ?? (event.kind === "report" ? Date.parse(event.reported_at) : wangge.now()),
    kind: TOLD[event.kind] ? event.kind : (event.status ?? event.kind),
    area_no: event.area_no,
    category: event.category,
  });

  // --- the trend: today's hours over the same weekday of last week
  const W = 416, H = 168, LEFT = 0, RIGHT = 58;
  const nice = (most) => {
    for (const unit of [5, 10, 20, 25, 50, 100, 200, 250, 500, 1000, 2000, 5000, 10000]) if (most <= unit * 3) return unit;
    return Math.ceil(most / 3);
  };
  const svg = (tag, attributes, ...children) => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  };
  const trend = ({ trend: { today, before }, at }) => {
    const place = document.getElementById("trend");
    if (!place) return;
    const box = place.getBoundingClientRect();
    const high = box.width ? Math.round((box.height / box.width) * W) : H;
    const base = high - 30;
    const unit = nice(Math.max(3, ...today, ...before));
    const x = (hour) => LEFT + ((hour + 0.5) * (W - LEFT - RIGHT)) / 24;
    const y = (value) => base - (value / (unit * 3)) * (base - 12);
    // The present hour is not over: its point is drawn open and its line dashed.
    const line = (values) => values.map((value, hour) => `${x(hour).toFixed(1)},${y(value).toFixed(1)}`).join(" ");
    const parts = [];
    for (const step of [0, 1, 2, 3]) {
      parts.push(svg("path", { class: "rule", d: `M${LEFT} ${y(step * unit)}H${W - RIGHT + 8}` }));
      parts.push(svg("text", { class: "axis", x: W, y: y(step * unit) + 7, "text-anchor": "end" }, wangge.int(step * unit)));
    }
    for (const hour of [0, 6, 12, 18]) {
      const label = wangge.config.language === "en" ? `${String(hour).padStart(2, "0")}:00` : t("hour", { n: hour });
      parts.push(svg("text", { class: "axis", x: hour ? x(hour) : 0, y: high - 4, "text-anchor": hour ? "middle" : "start" }, label));
    }
    parts.push(svg("polyline", { class: "past", points: line(before) }));
    if (today.length > 1) parts.push(svg("polyline", { class: "now", points: line(today.slice(0, -1)) }));
    const last = today.length - 1;
    if (last > 0) {
      const from = line(today).split(" ").slice(-2).join(" ");
      parts.push(svg("polyline", { class: "now unfinished", points: from }));
    }
    if (last >= 0) parts.push(svg("circle", { class: "head", cx: x(last), cy: y(today[last]), r: 6 }));
    const label = t("trend.label", { n: today.reduce((a, b) => a + b, 0), at: wangge.minute(at) });
    place.replaceChildren(svg("svg", { viewBox: `0 0 ${W} ${high}`, role: "img", "aria-label": label }, ...parts));
  };

  on("figures:shown", (figures) => {
    ranking(figures);
    matters(figures);
    shares(figures);
    worst(figures);
    trend(figures);
    merge(figures.ticker);
  });
  addEventListener("resize", () => wangge.figures() && trend(wangge.figures()));
  addEventListener("DOMContentLoaded", () => {
    if (!wangge.live) return;
    wangge.live.on("snapshot", (snapshot) => snapshot.ticker && merge(snapshot.ticker.map(fromEvent)));
    wangge.live.on("tickets", (tickets) => {
      merge(tickets.filter((ticket) => TOLD[ticket.kind] || ticket.was !== ticket.status).map(fromEvent));
      const newest = tickets.filter((ticket) => (ticket.kind || ticket.status) === "report" && ticket.lon != null).slice(-3);
      for (const ticket of newest) wangge.map?.bloom?.([ticket.lon, ticket.lat]);
    });
  });
})();
