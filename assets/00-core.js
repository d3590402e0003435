// The base of every page's scripts: words, numbers and times of the place, a bus of events, what the page was given.
(() => {
  "use strict";
  const wangge = window.wangge;
  if (!wangge) return;
  const { config, words } = wangge;
  const lang = config.language;
  const zone = config.time_zone;
  const wall = config.screen === "wall";

  // Dash asks for its layout and its callbacks first: the page holds both, so no request is made.
  const given = wangge.given || {};
  const fetchFromServer = window.fetch.bind(window);
  window.fetch = async (url, options) => {
    const path = typeof url === "string" ? new URL(url, location.href).pathname : null;
    if (path === null || !(path in given)) {
      const answer = await fetchFromServer(url, options);
      if (answer.status !== 401 || !path?.endsWith("/_dash-update-component")) return answer;
      wangge.signIn(); // and back here; Dash would stumble over the refusal
      return new Promise(() => {});
    }
    const body = JSON.stringify(given[path]);
    delete given[path];
    return Promise.resolve(new Response(body, { headers: { "Content-Type": "application/json" } }));
  };

  // --- words
  wangge.t = (key, params) => {
    let word = words[key];
    if (word === undefined) return key;
    if (Array.isArray(word)) word = params && params.n === 1 ? word[0] : word[1];
    return params ? word.replace(/\{(\w+)\}/g, (all, name) => (name in params ? params[name] : all)) : word;
  };

  // --- numbers
  const whole = new Intl.NumberFormat(lang, { maximumFractionDigits: 0 });
  const tenth = new Intl.NumberFormat(lang, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
  wangge.int = (value) =>
    lang === "zh-CN" && Math.abs(value) >= 100000 ? tenth.format(value / 10000) + wangge.t("unit.wan") : whole.format(value);
  wangge.signed = (value, digits = 0) => {
    const rounded = Number(value.toFixed(digits)) + 0;
    const sign = rounded > 0 ? "+" : rounded < 0 ? "\u2212" : "\u00b1";
    return sign + (digits ? Math.abs(rounded).toFixed(digits) : whole.format(Math.abs(rounded)));
  };
  // 98.4 without the sign; null when nothing can be divided; never 100 for an incomplete whole, nor 0 for some.
  wangge.pct = (n, d, digits = 1) => {
    if (!d) return null;
    const step = 10 ** -digits;
    let value = Number(((100 * n) / d).toFixed(digits));
    if (n < d && value >= 100) value = 100 - step;
    else if (n > 0 && value <= 0) value = step;
    return value.toFixed(digits);
  };
  wangge.share = (n, d) => `${wangge.int(n)} / ${wangge.int(d)}`;

  // --- times, always in the place's zone
  const formats = {
    clock: { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" },
    minute: { hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
    date: { year: "numeric", month: lang === "en" ? "short" : "long", day: "numeric" },
    weekday: { weekday: "short" },
  };
  const made = {};
  const format = (name, ms) => {
    made[name] = made[name] || new Intl.DateTimeFormat(lang === "en" ? "en-GB" : lang, { timeZone: zone, ...formats[name] });
    return made[name].format(ms);
  };
  wangge.time = (ms) => format("clock", ms);
  wangge.minute = (ms) => format("minute", ms);
  wangge.date = (ms) => (lang === "en" ? `${format("weekday", ms)} ${format("date", ms)}` : `${format("date", ms)} ${format("weekday", ms)}`);
  wangge.weekday = (ms) => format("weekday", ms);
  wangge.ago = (seconds) => {
    const s = Math.max(0, Math.round(seconds));
    if (s < 60) return wangge.t("ago.seconds", { n: s });
    if (s < 3600) return wangge.t("ago.minutes", { n: Math.round(s / 60) });
    return wangge.t("ago.hours", { n: Math.round(s / 3600) });
  };

  // --- names: of an area by its number, or of the nearest area above it whose name is known
  wangge.areaName = (no) => {
    for (const stride of [1, 1000, 1000000, 1000000000]) {
      const name = config.names[Math.floor(no / stride) * stride];
      if (name) return name;
    }
    return config.place.name;
  };
  // A grid's own name: it mostly begins with its community's, and is a number in English.
  wangge.gridName = (name, community) => {
    const own = community && name.startsWith(community) ? name.slice(community.length) : name;
    if (lang !== "en") return own || name;
    const number = /(\d+)\D*$/.exec(own);
    return number ? wangge.t("grid.number", { number: number[1] }) : wangge.t("grid.only");
  };
  const categories = new Map(config.categories.map((category) => [category.code, category]));
  wangge.categoryName = (code) => (categories.get(code) || { name: code }).name;
  wangge.className = (code) => {
    const category = categories.get(code);
    return category && category.parent ? wangge.categoryName(category.parent) : wangge.categoryName(code);
  };

  // --- a bus of events
  const listeners = {};
  wangge.on = (event, fn) => {
    (listeners[event] = listeners[event] || new Set()).add(fn);
    return () => listeners[event].delete(fn);
  };
  wangge.emit = (event, value) => {
    for (const fn of listeners[event] || []) {
      try {
        fn(value);
      } catch (error) {
        console.error(`wangge: a listener of ${event} failed`, error);
      }
    }
  };

  // --- what changes something on the server
  const csrf = () => /(?:^|;\s*)_csrf_token=([^;]*)/.exec(document.cookie)?.[1] ?? "";
  wangge.signIn = () => location.assign(`/sign-in?to=${encodeURIComponent(location.pathname + location.search)}`);
  // Resolves with the answer's JSON (a Response where it is a file); rejects with {status, code, message, details}.
  // Status 0 where nothing answered: "away" for a question, "offline" for what was not sent, else "unanswered": it may
  // have been done. A body that is a file is sent as it is.
  const PATIENCE_S = { GET: 20, other: 60 };
  const silence = (method, offline) => {
    const code = method === "GET" ? "away" : offline ? "offline" : "unanswered";
    return { status: 0, code, message: wangge.t(`form.error.${code}`), details: [] };
  };
  wangge.FILE_S = 600; // to make a file of many rows
  wangge.send = async (method, url, body, headers, patience_s = PATIENCE_S[method] ?? PATIENCE_S.other) => {
    const file = body instanceof Blob;
    const offline = navigator.onLine === false;
    const nothing = () => Promise.reject(silence(method, offline));
    const answer = await fetch(url, {
      method,
      headers: { "Content-Type": file ? body.type || "application/octet-stream" : "application/json", "X-CSRFToken": csrf(), ...headers },
      body: body === undefined || file ? body : JSON.stringify(body),
      signal: AbortSignal.timeout(patience_s * 1000),
    }).catch(nothing);
    const json = (answer.headers.get("content-type") || "").startsWith("application/json");
    if (answer.ok) return answer.status === 204 ? null : json ? answer.json().catch(nothing) : answer;
    if (answer.status === 401) wangge.signIn();
    const told = json ? (await answer.json().catch(nothing)).error : null;
    throw { status: answer.status, code: told?.code ?? "error", message: told?.message ?? answer.statusText, details: told?.details ?? [] };
  };
  wangge.post = (url, body, patience_s) => wangge.send("POST", url, body, undefined, patience_s);

  // --- elements
  wangge.h = (tag, attributes, ...children) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) if (value != null) node.setAttribute(name, value);
    node.append(...children.filter((child) => child != null));
    return node;
  };
  wangge.still = matchMedia("(prefers-reduced-motion: reduce)");

  // The wall's unit: 1rem = 100 px at 1920×1080, growing with the smaller side (assets/base.css).
  const rescale = () => {
    wangge.scale = wall ? Math.min(innerWidth / 1920, innerHeight / 1080) : 1;
    wangge.emit("scale", wangge.scale);
  };
  rescale();
  addEventListener("resize", rescale);

  // React puts its layout where the page's own copy of it stood: say when, as scripts bind to the final elements.
  const root = config.screen;
  const entry = () => document.getElementById("react-entry-point");
  // What Dash never changes (data-still) is in that copy alone, and carried over.
  const still = (node) => (node.dataset.still ? [node] : [...node.querySelectorAll("[data-still]")]);
  const carry = (from, to) => {
    const made = new Map(still(to).map((node) => [node.dataset.still, node]));
    for (const node of still(from)) made.get(node.dataset.still)?.replaceChildren(...node.childNodes);
  };
  const watch = () => {
    const seen = document.getElementById(root);
    new MutationObserver((_changes, observer) => {
      const now = document.getElementById(root);
      if (!now || now === seen) return;
      observer.disconnect();
      if (seen) carry(seen, now);
      wangge.mounted = true;
      wangge.emit("mounted");
    }).observe(entry(), { childList: true, subtree: true });
  };
  if (entry()) watch();
  else addEventListener("DOMContentLoaded", watch);
})();
