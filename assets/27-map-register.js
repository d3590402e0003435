// The register of people owed care in an area as a table: masked, by visit, with its export for a reason.
(() => {
  "use strict";
  const wangge = window.wangge;
  const map = wangge?.map;
  if (!map?.care) return;
  const { config, t, h } = wangge;
  const { text, button } = map.dom;
  const { form, field, require, day, may, area: textarea, MARK, SHORTEST_REASON } = map.care;
  const STATES = ["overdue", "due", "later", "ended"];
  const PAGE = 50;
  const categories = new Map((config.care || []).map((one) => [one.code, one.name]));

  map.cards.MORE.area.push((card) => (may("care.markers") && config.screen !== "wall" ? button(t("care.register"), {}, () => show(card)) : null));

  const show = (place) => {
    const before = document.activeElement;
    const option = (value, words) => text("option", { value }, words);
    const state = h("select", { "aria-label": t("care.register.state") }, option("", t("care.register.all")), ...STATES.map((one) => option(one, t(`care.state.${one}`))));
    const category = h("select", { "aria-label": t("care.category") }, option("", t("care.register.any")), ...[...categories].map(([code, name]) => option(code, name)));
    const total = text("p", { role: "status" }, "");
    const rows = h("tbody", {});
    const columns = ["care.register.state", "care.register.name", "care.category", "care.register.grid", "care.last", "care.next"];
    const table = h("table", {}, h("thead", {}, h("tr", {}, ...columns.map((key) => text("th", { scope: "col" }, t(key))))), rows);
    const more = button(t("care.register.more"), { hidden: "" }, () => load(false));
    const close = button(t("care.register.close"), {}, () => dialog.close());
    const take = may("care.export") ? button(t("care.register.export"), {}, () => ask()) : null;
    const bottom = h("footer", {}, total, more, take, close);
    const title = text("h3", { id: "wg-register-title" }, t("care.register.title", { area: map.nameOf(place.id) || place.name }));
    const dialog = h("dialog", { class: "wg-dialog wg-register", "aria-labelledby": "wg-register-title" }, h("header", {}, title, state, category), h("div", { class: "wg-scroll", tabindex: "0", role: "region", "aria-labelledby": "wg-register-title" }, table), bottom);
    const asked = () => ({ within: place.code, state: state.value, category: category.value });

    let after = null;
    let turn = 0;
    const load = async (anew) => {
      const mine = (turn += 1);
      try {
        const page = await map.fetch(map.url("/api/care", { ...asked(), limit: PAGE, after: anew ? null : after }), { retry: false });
        if (mine !== turn) return;
        if (anew) rows.replaceChildren();
        rows.append(...page.rows.map(line));
        after = page.after;
        more.hidden = after == null;
        total.textContent = page.total ? t("care.register.total", { count: wangge.int(page.total) }) : t("care.register.none");
      } catch (error) {
        if (mine === turn) total.textContent = t("care.register.failed");
        console.error(error);
      }
    };
    const line = (one) => {
      const [sign, style] = MARK[one.state];
      const open = button(one.name, {}, () => {
        dialog.close();
        map.open("care", one.id);
      });
      return h(
        "tr",
        {},
        text("td", { class: style || null }, sign + t(`care.state.${one.state}`)),
        h("td", {}, open),
        text("td", {}, categories.get(one.category) || one.category),
        text("td", {}, map.nameOf(one.area_no) || one.area || ""),
        text("td", {}, day(one.last_visit_on) || t("care.never")),
        text("td", {}, one.state === "ended" ? "\u2013" : day(one.next_visit_on)),
      );
    };
    state.addEventListener("change", () => load(true));
    category.addEventListener("change", () => load(true));

    const ask = () => {
      const reason = textarea({ required: "" });
      const away = () => {
        asking.remove();
        bottom.hidden = false;
        take.focus();
      };
      const send = async (box) => {
        if (!require(box, "reason", reason.value.trim().length >= SHORTEST_REASON)) return;
        const given = asked();
        const answer = await wangge.post("/api/care/export", { reason: reason.value, within: given.within, state: given.state || null, category: given.category || null, lang: config.language }, wangge.FILE_S);
        const name = /filename="([^"]+)"/.exec(answer.headers.get("content-disposition") || "")?.[1] || "care.xlsx";
        const url = URL.createObjectURL(await answer.blob());
        h("a", { href: url, download: name }).click();
        setTimeout(() => URL.revokeObjectURL(url), 10000);
        away();
        total.textContent = t("care.register.saved");
      };
      const asking = form(t("care.register.export"), [field("reason", t("care.register.reason"), reason)], t("care.register.export"), send, away);
      bottom.hidden = true;
      dialog.append(asking);
      reason.focus();
    };

    dialog.addEventListener("keydown", (event) => event.key === "Escape" && event.stopPropagation()); // not the card below
    dialog.addEventListener("close", () => {
      dialog.remove();
      if (before && document.contains(before)) before.focus({ preventScroll: true });
    });
    map.main.frame.append(dialog);
    L.DomEvent.disableClickPropagation(dialog);
    L.DomEvent.disableScrollPropagation(dialog);
    dialog.showModal();
    state.focus();
    load(true);
  };
})();
