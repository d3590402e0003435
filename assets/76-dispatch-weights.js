// How candidates are ranked: the weights, what each means, and what other weights would change before they are kept.
(() => {
  "use strict";
  const desk = window.wangge?.desk;
  if (!desk || desk.pane === "map") return;
  const wangge = window.wangge;
  const { t, h } = wangge;
  const { text, button } = desk;

  // A file that the server makes, kept under the name that it gives.
  wangge.save = async (url, body) => {
    try {
      const answer = await wangge.send(body ? "POST" : "GET", url, body);
      const name = /filename="([^"]+)"/.exec(answer.headers.get("content-disposition") || "")?.[1] ?? "export.xlsx";
      const link = h("a", { href: URL.createObjectURL(await answer.blob()), download: name });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    } catch (error) {
      desk.toast(wangge.sentence(error), { bad: true });
    }
  };

  desk.weights = () => desk.open("weights");
  desk.panel("weights", async (place) => {
    const body = h("div", { class: "body" }, ...Array.from({ length: 8 }, () => h("div", { class: "wait" })));
    place.replaceChildren(desk.head(t("dispatch.weights"), t("dispatch.weights.lead")), body);
    let told;
    try {
      told = await desk.ask("/api/dispatch/weights");
    } catch (error) {
      return body.replaceChildren(text("p", { class: "note" }, wangge.sentence(error)), button(t("dispatch.again"), {}, () => desk.open("weights")));
    }
    const now = { ...told.weights };
    const latest = desk.latest();
    const change = h("div", { class: "change" });
    const sum = h("b", {}, "");
    const keep = button(t("dispatch.weights.keep"), { class: "main", disabled: "" }, async () => {
      try {
        told = await wangge.send("PUT", "/api/dispatch/weights", { version: told.version, weights: now });
        desk.toast(t("dispatch.weights.kept"));
        tell();
        desk.rank();
      } catch (error) {
        desk.toast(wangge.sentence(error), { bad: true });
      }
    });
    const changed = () => Object.keys(now).some((name) => now[name] !== told.weights[name]);
    const who = (one) => (one ? `${one.name || one.key} \u00b7 ${one.score}` : "\u2013");
    const preview = async () => {
      if (!changed()) return change.replaceChildren();
      const mine = latest.next();
      try {
        const answer = await wangge.post("/api/dispatch/weights/preview", { weights: now });
        if (!latest.is(mine)) return;
        change.replaceChildren(
          text("p", { class: "note strong" }, t("dispatch.weights.changes", { n: answer.changed, of: answer.tickets })),
          ...answer.examples.map((one) => h("div", { class: "one" }, text("b", {}, one.ticket.title || one.ticket.number), text("p", {}, `${who(one.was)} \u2192 ${who(one.now)}`))),
        );
      } catch (error) {
        if (latest.is(mine)) change.replaceChildren(text("p", { class: "note" }, wangge.sentence(error)));
      }
    };
    let timer = 0;
    const tell = () => {
      sum.textContent = t("dispatch.weights.sum", { n: Object.values(now).reduce((all, one) => all + one, 0) });
      keep.disabled = !changed();
      clearTimeout(timer);
      timer = setTimeout(preview, 300);
    };
    const rows = Object.entries(told.weights).map(([name, value]) => {
      const range = h("input", { type: "range", min: "0", max: "60", step: "1", "aria-label": t(`dispatch.part.${name}`) });
      const shown = text("b", {}, value);
      range.value = value;
      range.addEventListener("input", () => {
        now[name] = Number(range.value);
        shown.textContent = range.value;
        tell();
      });
      return h("div", { class: "weight" }, h("div", {}, text("b", {}, t(`dispatch.part.${name}`)), text("p", {}, t(`dispatch.part.${name}.hint`))), range, shown);
    });
    body.replaceChildren(...rows, change);
    place.append(h("footer", {}, sum, told.may_edit ? keep : text("small", { class: "none" }, t("dispatch.weights.only_look"))));
    tell();
  });
})();
