// The keyboard of the desk, the list of its keys, and the tools of the header.
(() => {
  "use strict";
  const desk = window.wangge?.desk;
  if (!desk) return;
  const wangge = window.wangge;
  const { t, h, on, config } = wangge;
  const HELP = {
    queue: [[["\u2191", "\u2193"], "move"], [["Q"], "tab"], [["/"], "search"], [["V"], "view"], [["L"], "lasso"], [["X"], "pick"], [["B"], "bulk"], [["Esc"], "leave"]],
    ticket: [[["Enter"], "claim"], [["C"], "claim_or"], [["1", "\u2013", "5"], "candidate"], [["D"], "assign"], [["O"], "options"], [["W"], "whistle"], [["T"], "transfer"], [["N"], "onward"], [["R"], "recall"], [["U"], "undo"], [["F"], "whole"], [["M"], "back"]],
    desk: [[["P"], "plan"], [["I"], "incidents"], [["A"], "alarms"], [["H"], "handover"], [["E"], "leaves"], [["G"], "weights"], [["S"], "split"], [["?"], "help"]],
  }; // prettier-ignore

  const TICKETS = new Set(["Enter", "d", "w", "t", "n", "r", "c", "o", "f", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);

  const help = () => {
    const old = document.getElementById("help");
    if (old) return old.close();
    const row = ([keys, word]) => h("li", {}, h("span", {}, ...keys.map((key) => (key === "\u2013" ? key : h("kbd", {}, key)))), desk.text("b", {}, t(`dispatch.key.${word}`)));
    const parts = Object.entries(HELP).map(([name, rows]) => h("section", {}, desk.text("h3", {}, t(`dispatch.keys.${name}`)), h("ul", {}, ...rows.map(row))));
    const dialog = h("dialog", { id: "help", class: "wg-dialog", "aria-label": t("dispatch.key.help") }, desk.text("h2", {}, t("dispatch.key.help")), h("div", { class: "parts" }, ...parts), desk.button("\u00d7", { class: "close", "aria-label": t("dispatch.close") }, () => dialog.close()));
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
  };
  const leave = () => desk.stopDrawing?.() || wangge.map?.close?.() || desk.close() || (desk.picked.size ? (desk.pick?.([...desk.picked.values()], false), true) : false);
  const ACTS = {
    ArrowDown: () => desk.step?.(1),
    ArrowUp: () => desk.step?.(-1),
    j: () => desk.step?.(1),
    k: () => desk.step?.(-1),
    Enter: () => desk.claimIt?.(),
    d: () => desk.assignMeant?.(),
    w: () => desk.way?.("whistle"),
    t: () => desk.way?.("transfer"),
    n: () => desk.way?.("onward"),
    r: () => desk.way?.("recall"),
    c: () => desk.claimOr?.(),
    q: () => tab(),
    v: () => document.getElementById("in-view")?.click(),
    b: () => desk.picked.size && desk.open("bulk", "best"),
    s: () => document.querySelector("[data-tool=split]")?.click(),
    u: () => desk.undo?.(),
    x: () => desk.chosen != null && desk.row(desk.chosen) && desk.pick?.([desk.row(desk.chosen)], !desk.picked.has(desk.chosen)),
    l: () => desk.lasso?.(),
    p: () => toggle("plan"),
    i: () => toggle("incidents"),
    a: () => toggle("alarms"),
    h: () => toggle("handover"),
    e: () => toggle("leaves"),
    g: () => toggle("weights"),
    m: () => desk.back?.(),
    o: () => options(),
    f: () => document.getElementById("whole")?.click(),
    "/": () => document.getElementById("search")?.focus(),
    "?": help,
    Escape: leave,
  };
  // The next of the queue's tabs.
  const tab = () => {
    const tabs = [...document.querySelectorAll("#tabs [data-tab]")];
    const at = tabs.findIndex((one) => one.dataset.tab === desk.asked.tab);
    if (tabs.length) desk.set({ tab: tabs[(at + 1) % tabs.length].dataset.tab });
  };
  const toggle = (name) => (desk.opened() === name ? desk.close() : desk.open(name));
  const options = () => {
    const box = desk.places?.options?.querySelector("details");
    if (!box) return;
    box.open = !box.open;
    if (box.open) box.querySelector("textarea").focus();
  };
  document.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.defaultPrevented) return;
    if (document.querySelector("dialog[open]")) return event.key === "?" ? help() : undefined;
    if (desk.typing(event.target)) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    const name = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    // On a button Enter and arrows are the button's own; on the map arrows move the map.
    const on_map = event.target.closest?.(".wg-map-frame");
    if (event.key === "Enter" && event.target.closest?.("button,a,summary,input,.wg-map-frame")) return;
    if (on_map && (name.startsWith("Arrow") || name === "/")) return;
    if (desk.opened() && TICKETS.has(name)) return; // it lies under the panel: nothing is done to what is not seen
    if (/^[1-9]$/.test(name)) {
      if (desk.mean(Number(name) - 1)) event.preventDefault();
    } else if (ACTS[name]) {
      event.preventDefault();
      ACTS[name]();
    }
  });
  for (const name of ["plan", "incidents", "alarms", "handover", "leaves"]) desk.tool(name, () => toggle(name));

  // --- two windows: this one keeps queue and ticket, the other shows the map; both follow each other
  desk.tool("split", () => {
    const next = new URLSearchParams(location.search);
    next.set("pane", "map");
    const other = open(`${location.pathname}?${next}`, "wangge-map");
    if (!other) return desk.toast(t("dispatch.split.blocked"), { bad: true });
    next.set("pane", "queue");
    location.assign(`${location.pathname}?${next}`);
  });

  // --- the figures of the header
  on("desk:figures", ({ figures }) => {
    for (const [name, value] of Object.entries(figures || {})) {
      const node = document.querySelector(`[data-figure="${name}"] b`);
      if (node) wangge.roll ? wangge.roll(node, value, wangge.int) : (node.textContent = wangge.int(value));
    }
  });
  desk.badge = (tool, n, style) => {
    const node = document.querySelector(`[data-tool=${tool}] b`);
    if (!node) return;
    node.hidden = !n;
    node.textContent = n || "";
    node.className = style || "";
  };
})();
