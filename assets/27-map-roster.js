// The roster of an area, changed from its card: a day's turns, one entered or taken out, somebody standing in.
(() => {
  "use strict";
  const wangge = window.wangge;
  const map = wangge?.map;
  if (!map?.cards || wangge.config.screen !== "area" || !wangge.config.rights.includes("roster.edit")) return;
  const { config, t, h } = wangge;
  const { text, button } = map.dom;
  const { MORE, element, word } = map.cards;
  const today = () => new Intl.DateTimeFormat("sv-SE", { timeZone: config.time_zone }).format(wangge.now ? wangge.now() : Date.now());
  const FIELDS = ["role", "from", "to", "name", "phone", "substitute_for", "date"];

  let serial = 0;
  const field = (name, input, attributes = {}) => {
    const id = `wg-turn-${(serial += 1)}`;
    input.id = id;
    input.name = name;
    input.setAttribute("aria-describedby", `${id}-error`);
    return h("p", { class: "wg-field", "data-field": name, ...attributes }, text("label", { for: id }, t(`roster.${name}`)), input, h("small", { id: `${id}-error`, class: "wg-error", role: "alert" }));
  };

  const editor = (card) => {
    const day = h("input", { type: "date", value: today(), required: "" });
    const role = h("select", {});
    const from = h("input", { type: "time", value: "08:00", required: "" });
    const to = h("input", { type: "time", value: "18:00", required: "" });
    const name = h("input", { type: "text", maxlength: "100", autocomplete: "off", required: "" });
    const phone = h("input", { type: "tel", maxlength: "30", autocomplete: "off" });
    const instead = h("select", {});
    const turns = h("ul", { class: "wg-turns" });
    const said = h("p", { class: "wg-status", role: "status", hidden: "" });
    const failed = h("p", { class: "wg-error wg-form-error", role: "alert", tabindex: "-1" });
    const add = button(t("roster.add"), { class: "wg-primary", type: "submit" }, () => {});
    let rows = [];

    const tell = (words) => {
      said.textContent = words;
      said.hidden = !words;
    };
    const complain = (error) => {
      let first = null;
      for (const detail of error.details || []) {
        const wanted = detail.field || String(detail.where || "").replace(/^body\./, "").split(".")[0];
        const box = FIELDS.includes(wanted) && form.querySelector(`[data-field="${wanted}"]`);
        if (!box) continue;
        box.querySelector(".wg-error").textContent = t(`roster.error.${wanted}`);
        first = first || box.querySelector("input,select");
        box.querySelector("input,select").setAttribute("aria-invalid", "true");
      }
      if (!first) failed.textContent = t("roster.error.other", { message: error.message || "" });
      (first || failed).focus();
    };
    const clean = () => {
      tell("");
      for (const error of form.querySelectorAll(".wg-error")) error.textContent = "";
      for (const input of form.querySelectorAll("[aria-invalid]")) input.removeAttribute("aria-invalid");
    };
    const stand_ins = () => {
      const names = rows.filter((row) => row.role.code === role.value && !row.substitute_for).map((row) => row.name);
      instead.replaceChildren(text("option", { value: "" }, t("roster.nobody")), ...[...new Set(names)].map((one) => text("option", { value: one }, one)));
    };
    const load = async () => {
      const answer = await map.fetch(map.url("/api/roster", { within: card.code, on: day.value || null }), { retry: false });
      rows = answer.rows.filter((row) => row.area_no === card.id);
      if (!role.options.length) {
        role.replaceChildren(...answer.posts.map((post) => text("option", { value: post.code }, word(post))));
        role.value = answer.posts.find((post) => post.level === card.level)?.code || answer.posts[0]?.code;
      }
      turns.replaceChildren(
        ...rows.map((row) =>
          h(
            "li",
            {},
            h("span", {}, text("b", {}, row.name || ""), row.substitute_for ? text("small", {}, t("map.card.stands_in", { name: row.substitute_for })) : null, text("small", {}, `${word(row.role)} ${row.from}\u2013${row.to}`)),
            button("\u00d7", { type: "button", "aria-label": t("roster.remove", { name: row.name || word(row.role) }) }, () => remove(row)),
          ),
        ),
        ...(rows.length ? [] : [text("li", { class: "wg-none" }, t("roster.empty"))]),
      );
      stand_ins();
    };
    const remove = async (row) => {
      clean();
      try {
        await wangge.send("DELETE", `/api/roster/${row.id}`);
        await load();
        tell(t("roster.removed", { name: row.name || "" }));
        name.focus();
      } catch (error) {
        complain(error);
      }
    };
    const end = () => map.open("area", card.id);

    const form = h(
      "form",
      { class: "wg-form wg-roster", "aria-label": t("roster.change"), novalidate: "" },
      field("date", day),
      turns,
      said,
      field("role", role),
      h("div", { class: "wg-pair" }, field("from", from), field("to", to)),
      field("name", name),
      field("phone", phone),
      field("substitute_for", instead),
      failed,
      h("div", { class: "wg-form-actions" }, button(t("roster.done"), { type: "button" }, end), add),
    );
    day.addEventListener("change", () => {
      clean();
      load().catch(complain);
    });
    role.addEventListener("change", stand_ins);
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (add.disabled) return;
      clean();
      for (const input of [day, from, to, name]) if (!input.value.trim()) return complain({ details: [{ field: input.name }] });
      add.disabled = true;
      try {
        const turn = { area: card.code, role: role.value, date: day.value, from: from.value, to: to.value, name: name.value, phone: phone.value.trim() || null, substitute_for: instead.value || null };
        await wangge.post("/api/roster", turn);
        await load();
        tell(t("roster.added", { name: name.value.trim() }));
        name.value = phone.value = "";
        name.focus();
      } catch (error) {
        complain(error);
      } finally {
        add.disabled = false;
      }
    });
    form.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      end();
    });
    load().catch(complain);
    return form;
  };

  MORE.area.push((card) =>
    button(t("roster.change"), {}, () => {
      const box = element();
      const form = editor(card);
      box.querySelector(".wg-card-body").replaceChildren(form);
      box.querySelector("footer").hidden = true;
      form.querySelector("input").focus();
    }),
  );
})();
