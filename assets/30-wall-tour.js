// The wall's tour: it eases through the areas where something happens, stops when somebody touches the map, returns.
(() => {
  "use strict";
  const wangge = window.wangge;
  if (!wangge || wangge.config.screen !== "wall") return;
  const { t, on } = wangge;
  const seconds = (name, otherwise) => {
    const asked = Number(wangge.config.parameters[name]);
    return Number.isFinite(asked) && asked > 0 ? asked : otherwise;
  };
  const HOME_S = seconds("home_s", 40); // on the whole place
  const STOP_S = seconds("stop_s", 14); // on each area
  const PAUSE_S = seconds("pause_s", 90); // after the last touch
  const STOPS = 5;
  const off = wangge.config.parameters.tour === "off" || wangge.still.matches;

  let recent = new Map(); // number of a child area → when something last came in there
  let stops = [];
  let at = -1; // -1: the whole place
  let due = Infinity;
  let paused_until = 0;

  const child = (no) => (wangge.figures()?.areas || []).find((area) => no >= area.no && no <= area.no + stride(area.no) - 1);
  const stride = (no) => [1000000000, 1000000, 1000, 1].find((size) => no % size === 0) || 1;

  // Where something happens: areas with news of the last minutes first, then those with most overdue tickets.
  const plan = () => {
    const areas = wangge.figures()?.areas || [];
    const now = wangge.now();
    const news = (area) => (recent.has(area.no) && now - recent.get(area.no) < 600000 ? 1 : 0);
    return areas
      .filter((area) => news(area) || area.overdue || area.intake)
      .sort((a, b) => news(b) - news(a) || b.overdue - a.overdue || b.intake - a.intake)
      .slice(0, STOPS);
  };

  const label = () => {
    const node = document.getElementById("tour");
    if (!node) return;
    const [strong, rest, dots] = node.children;
    const now = wangge.now();
    node.hidden = off && at < 0;
    node.classList.toggle("paused", now < paused_until);
    if (now < paused_until) {
      strong.textContent = t("tour.paused");
      rest.textContent = t("tour.returns", { n: Math.ceil((paused_until - now) / 1000) });
      dots.textContent = "";
      return;
    }
    if (at < 0) {
      strong.textContent = t("tour.all");
      rest.textContent = stops.length ? t("tour.next", { place: wangge.areaName(stops[0].no) }) : "";
      dots.textContent = "";
      return;
    }
    const stop = stops[at];
    const fresh = (wangge.figures()?.areas || []).find((area) => area.no === stop.no) || stop;
    strong.textContent = wangge.areaName(stop.no);
    rest.textContent = t("tour.stop", { open: wangge.int(fresh.open), overdue: wangge.int(fresh.overdue), intake: wangge.int(fresh.intake) });
    dots.textContent = stops.map((_, i) => (i === at ? "\u25cf" : "\u25cb")).join(" ");
  };

  const go = () => {
    const now = wangge.now();
    if (at + 1 >= stops.length) {
      at = -1;
      stops = [];
      wangge.map?.home?.({ animate: true });
      wangge.map?.select?.(null);
      due = now + HOME_S * 1000;
    } else {
      at += 1;
      wangge.map?.fit?.(stops[at].no, { animate: true, calm: true });
      wangge.map?.select?.(stops[at].no);
      due = now + STOP_S * 1000;
    }
    document.documentElement.dataset.tour = at < 0 ? "home" : "stop";
  };

  const touched = () => {
    if (off) return;
    paused_until = wangge.now() + PAUSE_S * 1000;
    label();
  };

  const step = () => {
    const now = wangge.now();
    const live = wangge.live?.state?.mode;
    if (!off && wangge.figures() && now >= paused_until) {
      if (paused_until) {
        paused_until = 0;
        at = stops.length; // the next move leads home
        go();
      }
      if (due === Infinity) due = now + HOME_S * 1000;
      if (at < 0) stops = plan();
      // Nobody is led through figures that are not true any more.
      if (now >= due && (at >= 0 || stops.length) && live !== "stale") go();
    }
    label();
  };

  on("map:touched", touched);
  addEventListener("DOMContentLoaded", () => {
    setInterval(step, 1000);
    document.addEventListener("pointerdown", (event) => event.target.closest?.("#map-place, #inset-place") && touched());
    wangge.live?.on("tickets", (tickets) => {
      for (const ticket of tickets) {
        const area = child(ticket.area_no);
        if (area) recent.set(area.no, wangge.now());
      }
    });
  });
})();
