// The opened ticket beside the list, and the page's keys in words.
(() => {
  "use strict";
  const wangge = window.wangge;
  const list = wangge?.list;
  if (!list) return;
  const { t, h, on } = wangge;
  const { el } = list;

  let before = null;
  list.opened = null;
  list.open = (id, { focus = true, keep = true } = {}) => {
    const side = el("side");
    if (side.hidden) before = document.activeElement;
    list.opened = id;
    if (keep) list.keep({ ticket: id });
    side.hidden = false;
    el("tickets").classList.add("beside");
    list.select(id, false);
    const body = h("div", { class: "card-of-list" });
    side.replaceChildren(body);
    wangge.ticketCard.show(body, id, {
      changed: (ticket) => list.renew({ ...ticket, ...times(ticket) }),
      closed: () => list.close(),
    });
    if (focus) side.focus({ preventScroll: true });
  };
  // The card tells times as it gets them: as text or as milliseconds.
  const TIMES = ["reported_at", "dispatched_at", "handled_at", "closed_at", "due_at", "suspended_until", "supervised_at"];
  const times = (ticket) => {
    const known = list.rows.get(ticket.id) || {};
    const told = { area: known.area, channel: known.channel, category: known.category, title: ticket.title ?? known.title };
    for (const name of TIMES) if (name in ticket) told[name] = typeof ticket[name] === "string" ? Date.parse(ticket[name]) : ticket[name];
    return told;
  };
  list.openAgain = () => list.opened && list.open(list.opened, { focus: false, keep: false });
  list.close = () => {
    const side = el("side");
    if (side.hidden) return;
    wangge.ticketCard?.clear(side.firstChild);
    side.replaceChildren();
    side.hidden = true;
    list.opened = null;
    el("tickets").classList.remove("beside");
    list.keep({ ticket: null });
    const back = list.current && el("rows").querySelector(`tr[data-id="${list.current}"]`);
    (back || before)?.focus?.({ preventScroll: true });
  };
  on("list:address", () => {
    const asked = Number(list.asked("ticket"));
    if (asked > 0) list.open(asked, { focus: false, keep: false });
    else list.close();
  });

  // --- all keys
  const KEYS = [["J \u2193", "next"], ["K \u2191", "previous"], ["Enter", "open"], ["Esc", "leave"], ["X", "pick"], ["Shift + click", "range"], ["/", "search"], ["?", "help"]];
  on("list:help", () => {
    const known = el("help");
    if (known) return known.close();
    const rows = KEYS.map(([key, word]) => [h("dt", {}, h("kbd", {}, key)), h("dd", {}, t(`list.key.${word}`))]).flat();
    const done = h("button", { type: "button", class: "main" }, t("list.help.close"));
    const dialog = h("dialog", { id: "help", "aria-label": t("list.help") }, h("h2", {}, t("list.help")), h("dl", {}, ...rows), done);
    done.addEventListener("click", () => dialog.close());
    dialog.addEventListener("keydown", (event) => event.key === "?" && dialog.close());
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
  });
})();
