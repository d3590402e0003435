// Leaves of workers: who is away now and who will be, entering one and ending one; who is away is proposed for nothing.
(() => {
  "use strict";
  const desk = window.wangge?.desk || window.wangge?.rules;
  if (!desk || desk.pane === "map") return;
  const wangge = window.wangge;
  const { t, h, on } = wangge;
  const { text, button } = desk;
  const TYPED_MS = 150;
  const DAY_MS = 24 * 3600000;
  const latest = desk.latest();

  // A worker by a part of the name or the start of the code; `value` is one that is known already.
  const worker = (field, id) => {
    let code = field.value?.code;
    const says = (one) => `${one.name || one.code} \u00b7 ${desk.area(one.area_no, one.area)}`;
    const input = h("input", { id, type: "text", autocomplete: "off", role: "combobox", "aria-expanded": "false", "aria-controls": `${id}-list`, placeholder: t("dispatch.leave.worker.hint") });
    if (field.value) input.value = says(field.value);
    const list = h("ul", { id: `${id}-list`, role: "listbox", class: "found", hidden: "" });
    let options = [];
    let at = 0;
    let timer = 0;
    const turn = desk.latest();
    const show = (open) => {
      list.hidden = !open;
      input.setAttribute("aria-expanded", String(open));
    };
    const mark = () => [...list.children].forEach((item, n) => item.setAttribute("aria-selected", String(n === at)));
    const take = (one) => {
      code = one.code;
      input.value = says(one);
      show(false);
    };
    const look = async (words) => {
      const mine = turn.next();
      const answer = await desk.ask(desk.url("/api/dispatch/workers", { q: words })).catch((error) => error);
      if (!turn.is(mine) || input.value.trim() !== words) return;
      options = answer.rows || [];
      at = 0;
      list.replaceChildren(
        ...options.map((one) => {
          const aside = [one.code, desk.area(one.area_no, one.area), one.away_until ? t("dispatch.leave.until", { at: desk.moment(one.away_until) }) : null].filter(Boolean);
          const item = h("li", { role: "option" }, text("b", {}, one.name), text("small", {}, aside.join(" \u00b7 ")));
          item.addEventListener("mousedown", (event) => (event.preventDefault(), take(one)));
          return item;
        }),
      );
      if (!options.length) list.append(text("li", { class: "none" }, answer.rows ? t("dispatch.leave.worker.none") : wangge.sentence(answer)));
      mark();
      show(true);
    };
    input.addEventListener("input", () => {
      code = undefined;
      clearTimeout(timer);
      const words = input.value.trim();
      turn.next();
      if (!words) return show(false);
      timer = setTimeout(look, TYPED_MS, words);
    });
    input.addEventListener("keydown", (event) => {
      if (list.hidden) return;
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (step && options.length) {
        at = (at + step + options.length) % options.length;
        mark();
      } else if (event.key === "Enter" && options.length) take(options[at]);
      else if (event.key === "Escape") show(false);
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
    input.addEventListener("blur", () => setTimeout(show, 150, false));
    return { node: h("div", { class: "picker" }, input, list), read: () => code };
  };
  if (wangge.form) wangge.form.KINDS.worker = worker;

  // --- the list: drawn anew by itself; the form stays as it is
  const enter = (place, given) => {
    const now = desk.now();
    return wangge.form({
      inline: true,
      submit: t("dispatch.leave.save"),
      fields: [
        { name: "worker", kind: "worker", label: t("dispatch.leave.worker"), required: true, value: given },
        { name: "begins", kind: "moment", label: t("dispatch.leave.begins"), required: true, value: wangge.localMoment(now) },
        { name: "ends", kind: "moment", label: t("dispatch.leave.ends"), required: true, value: `${wangge.localDay(now + DAY_MS)}T00:00` },
      ],
      send: async (values) => {
        await wangge.post("/api/dispatch/leaves", values);
        desk.toast(t("dispatch.leave.added"));
        place.querySelector(".enter")?.replaceWith(form(place));
        after(place);
      },
    });
  };
  const form = (place, given) => h("div", { class: "enter" }, text("h3", {}, t("dispatch.leave.add")), enter(place, given));
  const after = (place) => {
    if (desk.opened() === "leaves") load(place);
    if (desk.chosen != null) desk.rank?.();
  };
  const end = async (place, one) => {
    try {
      await wangge.send("DELETE", `/api/dispatch/leaves/${one.id}`);
    } catch (error) {
      desk.toast(wangge.sentence(error), { bad: true });
      return after(place);
    }
    const lasted = one.begins < desk.now();
    const back = async () => {
      const body = { worker: one.code, begins: new Date(lasted ? desk.now() + 1000 : one.begins).toISOString(), ends: new Date(one.ends).toISOString() };
      await wangge.post("/api/dispatch/leaves", body).then(() => desk.toast(t("dispatch.leave.back")), (error) => desk.toast(wangge.sentence(error), { bad: true }));
      after(place);
    };
    desk.remember?.({ act: back });
    desk.toast(t(lasted ? "dispatch.leave.ended" : "dispatch.leave.dropped", { name: one.name || one.code }), desk.undo ? { act: desk.undo, label: t("dispatch.undo"), seconds: 30 } : {});
    after(place);
  };
  const item = (place, one, may) => {
    const lasts = one.begins <= desk.now();
    const when = lasts ? t("dispatch.leave.until", { at: desk.moment(one.ends) }) : t("dispatch.leave.from", { from: desk.moment(one.begins), at: desk.moment(one.ends) });
    const act = may ? button(t(lasts ? "dispatch.leave.end" : "dispatch.leave.drop"), {}, () => end(place, one)) : null;
    return h("div", { class: "one", "data-leave": one.id }, text("b", {}, one.name || one.code), text("p", {}, [desk.area(one.area_no), when, t("dispatch.leave.by", { name: one.entered_by })].join(" \u00b7 ")), h("div", { class: "do" }, act || ""));
  };
  const load = async (place) => {
    const mine = latest.next();
    const list = place.querySelector(".away");
    try {
      const told = await desk.ask("/api/dispatch/leaves");
      if (!latest.is(mine) || !list.isConnected) return;
      const away = told.rows.filter((one) => one.begins <= desk.now());
      const coming = told.rows.filter((one) => one.begins > desk.now());
      const part = (words, rows, none) => [text("h3", {}, words), ...(rows.length ? rows.map((one) => item(place, one, told.may_edit)) : [text("p", { class: "none" }, none)])];
      list.replaceChildren(...part(t("dispatch.leave.now", { n: away.length }), away, t("dispatch.leave.now.none")), ...part(t("dispatch.leave.coming", { n: coming.length }), coming, t("dispatch.leave.coming.none")));
      if (!told.may_edit) list.prepend(text("p", { class: "note" }, t("dispatch.leave.only_look")));
    } catch (error) {
      if (latest.is(mine)) list.replaceChildren(text("p", { class: "note" }, wangge.sentence(error)), button(t("dispatch.again"), {}, () => load(place)));
    }
  };
  desk.panel("leaves", (place, given) => {
    const may = wangge.config.rights.includes("leaves");
    const list = h("div", { class: "away" }, ...Array.from({ length: 4 }, () => h("div", { class: "wait" })));
    place.replaceChildren(desk.head(t("dispatch.leaves"), t("dispatch.leaves.lead")), h("div", { class: "body" }, ...(may ? [form(place, given)] : []), list));
    load(place);
  });
  if (desk.pane === "rules") desk.tool("leaves", () => desk.open("leaves"));
  on("desk:closed", (name) => name === "leaves" && latest.next());
})();
