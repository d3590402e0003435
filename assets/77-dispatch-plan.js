// The plan of the whole queue: a proposal as lines on the map, to accept whole, in part, or drop.
(() => {
  "use strict";
  const desk = window.wangge?.desk;
  if (!desk) return;
  const wangge = window.wangge;
  const { t, h, on, config } = wangge;
  const { text, button } = desk;

  const show = (plan, off, meant) => {
    desk.lines = plan && plan.lines.map((one) => ({ ...one, off: off.has(one.ticket.id), meant: one.ticket.id === meant }));
    wangge.emit("desk:lines");
  };
  const decimal = new Intl.NumberFormat(config.language, { maximumFractionDigits: 1 });
  const compare = (before, after) => {
    const rows = [
      ["placed", (one) => wangge.int(one.placed)], ["mean_distance", (one) => desk.distance(one.mean_distance_m)], ["mean_minutes", (one) => (one.mean_minutes == null ? "\u2013" : t("dispatch.minutes", { n: Math.round(one.mean_minutes) }))],
      ["max_load", (one) => (one.max_load == null ? "\u2013" : t("dispatch.pieces", { n: one.max_load }))], ["spread", (one) => (one.spread == null ? "\u2013" : decimal.format(one.spread))],
    ]; // prettier-ignore
    return h("table", { class: "compare" }, h("thead", {}, h("tr", {}, h("th"), text("th", {}, t("dispatch.plan.before")), text("th", {}, t("dispatch.plan.after")))), h("tbody", {}, ...rows.map(([name, tell]) => h("tr", {}, text("th", { title: t(`dispatch.plan.${name}.hint`) }, t(`dispatch.plan.${name}`)), text("td", {}, tell(before)), text("td", {}, tell(after))))));
  };
  const latest = desk.latest();
  let plan = null;
  desk.panel("plan", async (place) => {
    const mine = latest.next();
    const body = h("div", { class: "body" }, ...Array.from({ length: 8 }, () => h("div", { class: "wait" })));
    const fault = h("p", { class: "error", role: "alert" });
    const accept = button("", { class: "main", disabled: "" }, () => take());
    const foot = h("footer", {}, fault, accept, button(t("dispatch.plan.drop"), {}, () => drop()), text("small", { class: "none" }, t("dispatch.plan.nothing_yet")));
    const off = new Set();
    let meant = null;
    const title = (lead) => desk.head(t("dispatch.plan"), lead);
    place.replaceChildren(title(t("dispatch.plan.asking")), body, foot);
    const tell = () => {
      const n = plan.lines.filter((one) => !off.has(one.ticket.id) && !one.answer?.ok).length;
      accept.disabled = !n;
      accept.textContent = t("dispatch.plan.accept", { n });
      show(plan, off, meant);
    };
    const line = (one) => {
      const box = h("input", { type: "checkbox", "aria-label": t("dispatch.plan.take", { title: one.ticket.title }) });
      box.checked = !off.has(one.ticket.id) && !(one.answer && !one.answer.ok);
      box.disabled = Boolean(one.answer);
      const node = h("label", { class: `line${one.answer && !one.answer.ok ? " no" : ""}`, "data-line": one.ticket.id }, box,
        h("span", {}, text("b", {}, one.ticket.title || wangge.categoryName(one.ticket.category)), ((words) => text("small", { title: words }, words))(one.answer ? (one.answer.ok ? t("dispatch.plan.given") : desk.refusal({ status: 409, ...one.answer })) : desk.reason(one.why, "dispatch.plan.why"))),
        h("span", { class: "to" }, text("b", {}, one.worker.name || one.worker.code), text("small", {}, `${desk.distance(one.distance_m)} \u00b7 ${t("dispatch.minutes", { n: Math.max(1, Math.round(one.minutes)) })}`)));
      box.addEventListener("change", () => {
        box.checked ? off.delete(one.ticket.id) : off.add(one.ticket.id);
        node.classList.toggle("off", !box.checked);
        tell();
      });
      const mean = (id) => {
        meant = id;
        body.querySelectorAll(".line.meant").forEach((other) => other.classList.remove("meant"));
        if (id != null) node.classList.add("meant");
        show(plan, off, meant);
      };
      node.addEventListener("pointerenter", () => mean(one.ticket.id));
      node.addEventListener("pointerleave", () => mean(null));
      box.addEventListener("focus", () => mean(one.ticket.id));
      return node;
    };
    const draw = () => {
      const until = t("dispatch.plan.until", { at: desk.at(plan.expires_at), crew: plan.crew?.free ?? 0 });
      place.firstChild.replaceWith(title(plan.lines.length ? t("dispatch.plan.lead", { n: plan.lines.length, until }) : t("dispatch.plan.none")));
      const left = plan.unplaced.map((one) => h("div", { class: "one" }, text("b", {}, one.title || one.number), text("p", {}, desk.reason(one.why, "dispatch.plan.why"))));
      const more = plan.left_over ? text("p", { class: "note" }, t("dispatch.plan.left_over", { n: plan.left_over })) : null;
      body.replaceChildren(...[plan.lines.length ? compare(plan.before, plan.after) : null, plan.lines.length ? h("h3", {}, t("dispatch.plan.lines"), text("small", {}, t("dispatch.plan.lines.hint"))) : null, ...plan.lines.map(line), left.length ? text("h3", {}, t("dispatch.plan.unplaced", { n: left.length })) : null, ...left, more].filter(Boolean));
      tell();
    };
    const take = async () => {
      const wanted = plan.lines.filter((one) => !off.has(one.ticket.id) && !one.answer).map((one) => one.ticket.id);
      accept.disabled = true;
      fault.textContent = "";
      try {
        const answer = await desk.command(`/api/dispatch/plans/${plan.id}/accept`, { lines: wanted });
        const refused = new Map(answer.refused.map((one) => [one.id, one]));
        desk.toast(t(refused.size ? "dispatch.plan.partly" : "dispatch.plan.done", { n: answer.assigned.length, bad: refused.size }), { bad: refused.size > 0 });
        desk.reload?.();
        if (desk.opened() !== "plan") return;
        if (!refused.size) return desk.close();
        plan.lines = plan.lines.filter((one) => refused.has(one.ticket.id)).map((one) => ({ ...one, answer: { ok: false, ...refused.get(one.ticket.id).why, details: [refused.get(one.ticket.id)] } }));
        draw();
      } catch (error) {
        fault.textContent = error.code === "plan_over" ? t("dispatch.plan.over") : wangge.sentence(error);
        accept.disabled = error.code === "plan_over";
      }
    };
    const drop = () => {
      if (plan) wangge.send("DELETE", `/api/dispatch/plans/${plan.id}`).catch(() => {}); // it expires by itself
      plan = null;
      desk.close();
    };
    try {
      const tickets = [...desk.picked.keys()];
      const made = await desk.command("/api/dispatch/plans", { ...(config.within ? { within: config.within } : {}), ...(tickets.length ? { tickets } : {}) });
      if (!latest.is(mine) || desk.opened() !== "plan") return;
      plan = made;
      draw();
      view();
    } catch (error) {
      if (!latest.is(mine)) return;
      place.firstChild.replaceWith(title(null));
      body.replaceChildren(text("p", { class: "note" }, wangge.sentence(error)), button(t("dispatch.again"), {}, () => desk.open("plan")));
    }
  });
  // The whole of the plan comes into view.
  const view = () => {
    const spots = plan.lines.flatMap((one) => [one.ticket, one.worker]).filter((one) => one.lon != null);
    if (!wangge.map?.main || spots.length < 2) return;
    wangge.map.main.atHome = false;
    wangge.map.main.go(L.latLngBounds(spots.map((one) => [one.lat, one.lon])).pad(0.05), { maxZoom: 14 });
  };
  on("desk:closed", (name) => {
    if (name !== "plan") return;
    latest.next();
    show(null);
    desk.back?.();
  });
})();
