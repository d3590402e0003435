// How candidates are ranked: the weights, what each means, and what other weights would change before they are kept.
(() => {
  "use strict";
  const desk = window.wangge?.desk || window.wangge?.rules;
  if (!desk || desk.pane === "map") return;
  const wangge = window.wangge;
  const { t, h } = wangge;
  const { text, button } = desk;
  const MOST = 60;

  let tried = {}; // part → weight that differs from the one in force; kept while the panel is closed
  const latest = desk.latest();
  const previews = desk.latest();

  desk.weights = () => desk.open("weights");
  desk.tool("weights", desk.weights);
  desk.panel("weights", async (place) => {
    const mine = latest.next();
    const body = h("div", { class: "body" }, ...Array.from({ length: 8 }, () => h("div", { class: "wait" })));
    place.replaceChildren(desk.head(t("dispatch.weights"), t("dispatch.weights.lead")), body);
    try {
      const told = await desk.ask("/api/dispatch/weights");
      if (latest.is(mine) && desk.opened() === "weights") draw(place, body, told);
    } catch (error) {
      if (latest.is(mine)) body.replaceChildren(text("p", { class: "note" }, wangge.sentence(error)), button(t("dispatch.again"), {}, desk.weights));
    }
  });

  // Why somebody may only look.
  const only = (told) => (told.may_edit ? null : t(wangge.config.rights.includes("dispatch.rules.set") ? "dispatch.weights.part_only" : "dispatch.weights.only_look"));
  const since = (told) => (told.version ? t("dispatch.weights.since", { n: told.version, name: told.changed_by, at: desk.moment(told.changed_at) }) : t("dispatch.weights.usual"));
  const who = (one) => (one ? `${one.name || one.code} \u00b7 ${one.score}` : "\u2013");

  const draw = (place, body, told) => {
    const fault = h("p", { class: "error", role: "alert" });
    const lead = text("p", { class: "none" }, "");
    const change = h("div", { class: "change", "aria-live": "polite" });
    const sum = h("small", { class: "sum" });
    const keep = button(t("dispatch.weights.keep"), { class: "main", disabled: "" }, () => set());
    const drop = button(t("dispatch.weights.drop"), {}, () => put({}));
    const usual = button(t("dispatch.weights.to_usual"), { class: "plain" }, () => put(told.defaults));
    const lines = {};
    const now = () => ({ ...told.weights, ...tried });
    const changed = () => Object.keys(tried).length > 0;

    const put = (weights) => {
      tried = {};
      for (const [name, value] of Object.entries(weights)) if (value !== told.weights[name]) tried[name] = value;
      tell();
    };
    const set = async () => {
      const wanted = now();
      keep.disabled = true;
      fault.textContent = "";
      try {
        told = await wangge.send("PUT", "/api/dispatch/weights", { version: told.version, weights: wanted });
        tried = {};
        desk.toast(t("dispatch.weights.kept"));
        if (desk.chosen != null) desk.rank();
      } catch (error) {
        fault.textContent = wangge.sentence(error);
        if (error.status === 409) await again(wanted);
      }
      tell();
    };
    // Somebody else was quicker: what is in force is theirs, what was tried here stays to be looked at again.
    const again = async (wanted) => {
      const fresh = await desk.ask("/api/dispatch/weights").catch(() => null);
      if (!fresh) return;
      told = fresh;
      tried = Object.fromEntries(Object.entries(wanted).filter(([name, value]) => value !== told.weights[name]));
      fault.textContent = t("dispatch.weights.stale", { name: told.changed_by, at: desk.moment(told.changed_at) });
    };
    let timer = 0;
    const preview = async () => {
      const mine = previews.next();
      if (!changed()) return change.replaceChildren();
      change.setAttribute("aria-busy", "true");
      if (!change.childElementCount) change.replaceChildren(...Array.from({ length: 3 }, () => h("div", { class: "wait" })));
      try {
        const answer = await wangge.post("/api/dispatch/weights/preview", { weights: now() });
        if (!previews.is(mine)) return;
        const sentence = t(answer.tickets ? "dispatch.weights.changes" : "dispatch.weights.nothing_waits", { n: answer.changed, of: wangge.int(answer.tickets), total: wangge.int(answer.total) });
        change.replaceChildren(
          text("p", { class: "note strong" }, sentence),
          ...answer.examples.map((one) => h("div", { class: "one" }, text("b", {}, one.ticket.title || one.ticket.number), text("p", {}, `${who(one.was)} \u2192 ${who(one.now)}`))),
        );
      } catch (error) {
        if (previews.is(mine)) change.replaceChildren(text("p", { class: "note" }, wangge.sentence(error)));
      }
      change.removeAttribute("aria-busy");
    };
    const tell = () => {
      for (const [name, value] of Object.entries(now())) {
        const { range, shown, was, row } = lines[name];
        range.value = value;
        range.style.setProperty("--share", value / range.max);
        shown.textContent = value;
        was.textContent = name in tried ? t("dispatch.weights.was", { n: told.weights[name] }) : "";
        row.classList.toggle("tried", name in tried);
      }
      const values = Object.values(now());
      lead.textContent = since(told);
      sum.textContent = t("dispatch.weights.sum", { n: values.reduce((all, one) => all + one, 0) });
      keep.disabled = !changed() || !values.some(Boolean);
      drop.disabled = !changed();
      usual.hidden = Object.entries(told.defaults).every(([name, value]) => now()[name] === value);
      clearTimeout(timer);
      timer = setTimeout(preview, 300);
    };
    const rows = Object.keys(told.weights).map((name) => {
      const range = h("input", { type: "range", min: "0", max: String(Math.max(MOST, told.weights[name], told.defaults[name])), step: "1", "aria-label": t(`dispatch.part.${name}`), "data-part": name });
      const shown = h("b");
      const was = h("small");
      range.addEventListener("input", () => {
        if (Number(range.value) === told.weights[name]) delete tried[name];
        else tried[name] = Number(range.value);
        tell();
      });
      const row = h("div", { class: "weight" }, h("div", {}, text("b", {}, t(`dispatch.part.${name}`)), text("p", {}, t(`dispatch.part.${name}.hint`))), range, h("span", {}, shown, was));
      lines[name] = { range, shown, was, row };
      return row;
    });
    const why = only(told);
    body.replaceChildren(...[why && text("p", { class: "note" }, why), lead, ...rows, change].filter(Boolean));
    place.append(h("footer", {}, fault, ...(why ? [] : [keep]), drop, usual, sum));
    tell();
  };
})();
