// Controls around the map: buttons, the panel of layers with filters, zoom, coordinates, full screen.
(() => {
  "use strict";
  const wangge = window.wangge;
  const map = wangge?.map;
  if (!map) return;
  const { config, t, h } = wangge;
  const WINDOWS = ["1d", "7d", "30d", "365d", "all", "custom"];
  const AWAKE_MS = 12000;

  const text = (tag, attributes, words) => {
    const node = h(tag, attributes);
    node.textContent = words;
    return node;
  };
  const button = (words, attributes, fn) => {
    const node = text("button", { type: "button", ...attributes }, words);
    node.addEventListener("click", fn);
    return node;
  };
  map.dom = { text, button };

  // A small picture of a shape, for the panel and the legend; drawn anew as long as it stands on the page.
  const icons = new WeakMap(); // its canvas → how it is drawn
  const redraw = () => document.querySelectorAll("canvas.wg-icon").forEach((canvas) => icons.get(canvas)?.());
  wangge.on("map:theme", redraw);
  wangge.on("scale", redraw);
  map.icon = (shape, token, { faded = false, size = 18 } = {}) => {
    const canvas = h("canvas", { class: "wg-icon", "aria-hidden": "true" });
    const draw = () => {
      const ratio = Math.min(3, (window.devicePixelRatio || 1) * Math.max(1, wangge.scale || 1));
      canvas.width = canvas.height = size * ratio;
      const context = canvas.getContext("2d");
      context.scale(ratio, ratio);
      map.shape(context, shape, size / 2, size / 2, { fill: map.colour(token), off: faded && shape === "camera", alpha: faded && shape !== "camera" ? 0.4 : 1 });
    };
    draw();
    icons.set(canvas, draw);
    return canvas;
  };

  // One of several, as buttons that behave as radios.
  const choice = (name, options, chosen, choose) => {
    const group = h("div", { class: "wg-choice", role: "radiogroup", "aria-label": name });
    const mark = (value) => {
      for (const node of group.children) {
        const on = node.dataset.value === value;
        node.setAttribute("aria-checked", String(on));
        node.tabIndex = on ? 0 : -1;
      }
    };
    for (const [value, words] of options) {
      group.append(button(words, { role: "radio", "data-value": value }, () => choose(value)));
    }
    group.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (!step) return;
      const nodes = [...group.children];
      const next = nodes[(nodes.indexOf(document.activeElement) + step + nodes.length) % nodes.length];
      next.focus();
      next.click();
      event.preventDefault();
      event.stopPropagation();
    });
    mark(chosen());
    wangge.on("map:state", () => mark(chosen()));
    return group;
  };
  // Any of several; none chosen means all.
  const several = (name, options, field) => {
    const group = h("div", { class: "wg-chips", role: "group", "aria-label": name });
    const all = button(t("map.all"), { "aria-pressed": "true" }, () => map.set(field, []));
    group.append(all);
    for (const [value, words] of options) {
      group.append(
        button(words, { "data-value": value, "aria-pressed": "false" }, () => {
          const now = map.state[field];
          map.set(field, now.includes(value) ? now.filter((one) => one !== value) : [...now, value]);
        }),
      );
    }
    const mark = () => {
      const now = map.state[field];
      all.setAttribute("aria-pressed", String(!now.length));
      for (const node of [...group.children].slice(1)) node.setAttribute("aria-pressed", String(now.includes(node.dataset.value)));
    };
    mark();
    wangge.on("map:state", mark);
    return group;
  };
  const section = (words, ...children) => h("section", {}, text("h3", {}, words), ...children);

  const layerRow = (spec, view) => {
    const id = `wg-layer-${spec.id}`;
    const box = h("input", { type: "checkbox", id });
    box.checked = map.state.shown[spec.id];
    box.disabled = spec.fixed;
    box.addEventListener("change", () => map.show(spec.id, box.checked));
    const range = h("input", { type: "range", min: "0.1", max: "1", step: "0.05", "aria-label": t("map.opacity_of", { layer: t(spec.title) }) });
    range.value = map.state.opacity[spec.id];
    range.addEventListener("input", () => map.fade(spec.id, Number(range.value)));
    const note = h("small");
    const label = h("label", { for: id }, spec.icon ? map.icon(spec.icon, (spec.legend.find((one) => one.shape === spec.icon) || spec.legend[0]).token) : h("i", { class: `wg-line wg-line-${spec.id}` }), t(spec.title), note);
    const row = h("li", {}, spec.fixed ? h("span", { class: "wg-box" }) : box, label, range);
    const mark = () => {
      const on = map.state.shown[spec.id];
      box.checked = on;
      range.value = map.state.opacity[spec.id];
      row.classList.toggle("off", !on);
      const far = on && view.zoom < spec.min_zoom && !(spec.id === "tickets" && view.ticketsClose);
      note.textContent = far ? t(spec.id === "workers" ? "map.counted_here" : "map.closer") : "";
    };
    mark();
    wangge.on("map:state", mark);
    view.leaflet.on("zoomend moveend", mark);
    return row;
  };

  const panel = (view) => {
    const { state } = map;
    const modes = [["fill", t("map.mode.fill")], ["heat", t("map.mode.heat")]];
    if (config.map?.mode === "lines") modes.unshift(["lines", t("map.mode.lines")]);
    const measures = map.spec("grids").measures.map((one) => [one.id, t(one.title)]);
    const classes = config.categories.filter((one) => !one.parent).map((one) => [one.code, one.name]);
    const channels = config.channels.map((one) => [one.code, one.name]);
    const dates = h("div", { class: "wg-dates" });
    for (const field of ["from", "to"]) {
      const input = h("input", { type: "date", "aria-label": t(`map.window.${field}`) });
      input.addEventListener("change", () => map.set(field, input.value || null));
      wangge.on("map:state", () => (input.value = state[field] || ""));
      input.value = state[field] || "";
      dates.append(input);
      if (field === "from") dates.append(text("span", { "aria-hidden": "true" }, "\u2013"));
    }
    const fill = section(t("map.measure"), choice(t("map.measure"), measures, () => state.measure, (value) => map.set("measure", value)));
    const windows = WINDOWS.map((one) => [one, t(`map.window.${one}`)]);
    const heat = h(
      "div",
      {},
      section(t("map.window"), choice(t("map.window"), windows, () => state.window, (value) => map.set("window", value)), dates),
      section(t("map.category"), several(t("map.category"), classes, "category")),
      section(t("map.channel"), several(t("map.channel"), channels, "channel")),
    );
    const rows = h("ul", { class: "wg-layers" });
    const listed = config.layers.filter((spec) => spec.group !== "ground" && !spec.fixed);
    if (config.map?.basemap) listed.push(map.spec("basemap"));
    for (const spec of [...listed].reverse()) rows.append(layerRow(spec, view));
    const body = h(
      "div",
      { class: "wg-panel", id: "wg-panel", role: "dialog", "aria-label": t("map.layers"), hidden: "" },
      choice(t("map.mode"), modes, () => state.mode, (value) => map.set("mode", value)),
      fill,
      heat,
      section(t("map.layers"), rows),
    );
    const mark = () => {
      fill.hidden = state.mode !== "fill";
      heat.hidden = state.mode !== "heat";
      dates.hidden = state.window !== "custom";
    };
    mark();
    wangge.on("map:state", mark);
    L.DomEvent.disableScrollPropagation(body);
    return body;
  };

  map.part((view) => {
    const { frame, leaflet } = view;
    const layers = panel(view);
    const open = button(t("map.layers"), { "aria-expanded": "false", "aria-controls": "wg-panel" }, () => toggle(layers.hidden));
    const toggle = (on) => {
      layers.hidden = !on;
      open.setAttribute("aria-expanded", String(on));
      if (on) layers.querySelector("[tabindex='0']")?.focus({ preventScroll: true });
    };
    const measuring = button(t("map.measuring"), { "aria-pressed": "false" }, () => view.measure?.toggle());
    view.measuringButton = measuring;
    const full = button(t("map.full"), { "aria-pressed": "false" }, () => (document.fullscreenElement ? document.exitFullscreen() : frame.requestFullscreen?.()));
    document.addEventListener("fullscreenchange", () => {
      const on = document.fullscreenElement === frame;
      full.setAttribute("aria-pressed", String(on));
      full.textContent = t(on ? "map.full.leave" : "map.full");
    });
    const bar = h("div", { class: "wg-bar", role: "toolbar", "aria-label": t("map.tools") }, open, measuring, full);
    const zoom = h(
      "div",
      { class: "wg-zoom" },
      button("+", { "aria-label": t("map.zoom_in") }, () => leaflet.zoomIn(1)),
      button("\u2212", { "aria-label": t("map.zoom_out") }, () => leaflet.zoomOut(1)),
      button(t("map.home"), {}, () => view.home()),
    );
    const coordinates = h("output", { class: "wg-coordinates", "aria-label": t("map.coordinates") });
    leaflet.on("mousemove", ({ latlng }) => (coordinates.textContent = `${latlng.lng.toFixed(5)}, ${latlng.lat.toFixed(5)}`));
    leaflet.on("mouseout", () => (coordinates.textContent = ""));
    frame.append(bar, layers, zoom, coordinates);
    view.closePanel = () => !layers.hidden && (toggle(false), open.focus({ preventScroll: true }), true);
    for (const node of [bar, layers, zoom]) L.DomEvent.disableClickPropagation(node);
    addEventListener("pointerdown", (event) => {
      if (!layers.hidden && !layers.contains(event.target) && !bar.contains(event.target) && !leaflet.getContainer().contains(event.target)) toggle(false);
    });

    // A wall keeps its controls to itself until somebody is there.
    let asleep = 0;
    const wake = () => {
      frame.classList.add("wg-awake");
      clearTimeout(asleep);
      asleep = setTimeout(() => layers.hidden && !frame.contains(document.activeElement) && frame.classList.remove("wg-awake"), AWAKE_MS);
    };
    if (config.screen === "wall") for (const kind of ["pointermove", "pointerdown", "focusin"]) frame.addEventListener(kind, wake, { passive: true });
    else frame.classList.add("wg-awake");
    wangge.emit("map:controls", view);
  }, "main");
})();
