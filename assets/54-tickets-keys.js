// The current row of the list of tickets, and the keys that move it, open it, pick it.
(() => {
  "use strict";
  const wangge = window.wangge;
  const list = wangge?.list;
  if (!list) return;
  const { el } = list;

  list.select = (id, focus = true) => {
    const before = list.current && list.nodeOf(list.current);
    before?.removeAttribute("aria-current");
    list.current = id;
    const node = id && list.nodeOf(id);
    if (!node) return;
    node.setAttribute("aria-current", "true");
    if (focus) node.focus({ preventScroll: true });
    node.scrollIntoView({ block: "nearest" });
  };
  const move = (step) => {
    const at = list.order.indexOf(list.current);
    const next = list.order[Math.min(list.order.length - 1, Math.max(0, at + step))];
    if (next == null) return;
    list.select(next);
    if (!el("side").hidden) list.open(next, { focus: false });
    if (at + step > list.order.length - 8) list.more();
  };

  const typing = (target) => target.closest?.("input:not([type=checkbox]),textarea,select,[contenteditable]");
  const keys = (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.target.closest?.("dialog")) return;
    if (event.key === "Escape") return wangge.emit("list:escape", event);
    if (typing(event.target)) return;
    const { key } = event;
    if (key === "j" || key === "ArrowDown") move(1);
    else if (key === "k" || key === "ArrowUp") move(-1);
    else if (key === "Enter" && list.current && !event.target.closest("button,a,summary")) list.open(list.current);
    else if (key === "x" && list.current) wangge.emit("list:pick", list.current);
    else if (key === "/") el("search")?.focus();
    else if (key === "?") wangge.emit("list:help");
    else return;
    event.preventDefault();
  };
  wangge.on("mounted", () => {
    el("rows").addEventListener("click", (event) => {
      const node = event.target.closest("tr[data-id]");
      if (!node || event.target.closest(".pick")) return;
      const id = Number(node.dataset.id);
      list.select(id);
      list.open(id, { focus: false });
    });
    document.addEventListener("keydown", keys);
  });
})();
