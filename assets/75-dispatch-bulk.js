// Many at once: what is picked, a preview of who would get what, one command, and one undo for all of it.
(() => {
  "use strict";
  const desk = window.wangge?.desk;
  if (!desk || desk.pane === "map") return;
  const wangge = window.wangge;
  const { t, h, on, config } = wangge;
  const { text, button } = desk;

  const MOST = 200; // of one command for many, or of one incident
  const MOST_RINGED = 1000;

  const chosen_now = () => [...desk.picked.values()].slice(0, MOST);
  const items = () => chosen_now().map(({ id, version }) => ({ id, version }));
  // A ring picks all that lies inside, also what the list has not loaded; what was unticked meanwhile stays so.
  on("desk:rows", async (got) => {
    const ring = desk.asked.lasso;
    if (!desk.pickNext || !ring) return;
    desk.pickNext = false;
    desk.pick(got.rows);
    if (got.total <= got.rows.length) return;
    const all = await desk.ask(desk.url("/api/dispatch/queue", { ...desk.question(), limit: MOST_RINGED })).catch((error) => error);
    if (desk.asked.lasso !== ring) return;
    if (!all.rows) return desk.toast(t("dispatch.lasso.part", { n: got.rows.length, of: got.total, why: wangge.sentence(all) }), { bad: true });
    const first = new Set(got.rows.map((row) => row.id));
    desk.pick(all.rows.filter((row) => !first.has(row.id)));
    if (all.total > all.rows.length) desk.toast(t("dispatch.lasso.cut", { n: wangge.int(all.rows.length), of: wangge.int(all.total) }), { bad: true });
  });
  const bar = () => {
    const node = document.getElementById("bulk");
    const n = desk.picked.size;
    node.hidden = !n;
    if (!n) return node.replaceChildren();
    node.replaceChildren(
      text("b", {}, t("dispatch.picked", { n })),
      button(t("dispatch.bulk.best"), { class: "main" }, () => desk.open("bulk", "best")),
      button(t("dispatch.bulk.department"), {}, () => desk.open("bulk", "department")),
      button(t("dispatch.bulk.incident"), {}, () => desk.open("incidents", { tickets: items() })),
      button(t("dispatch.bulk.none"), { class: "plain" }, () => (desk.pick([...desk.picked.values()], false), desk.asked.lasso && desk.set({ lasso: null }))),
    );
  };
  on("desk:picked", bar);

  const who = (to) => (!to ? "\u2013" : to.kind === "department" ? desk.named(config.departments, to.code) : to.name || to.code);
  const why = (row) => (row.why?.code ? desk.refusal({ status: 409, ...row.why }) : row.sign_due ? t("dispatch.bulk.sign_due", { at: desk.moment(row.sign_due) }) : "");
  desk.panel("bulk", async (place, kind) => {
    const chosen = chosen_now();
    const rest = desk.picked.size - chosen.length;
    const target = h("select", { "aria-label": t("dispatch.department") }, h("option", { value: "" }, t("form.choose")), ...config.departments.map((one) => h("option", { value: one.code }, one.name)));
    const note = h("textarea", { rows: "2", maxlength: "1000", placeholder: t("dispatch.note.hint"), "aria-label": t("dispatch.note") });
    const body = h("div", { class: "body" });
    const send = button(t("dispatch.bulk.send", { n: chosen.length }), { class: "main", disabled: "" }, () => give());
    const to = () => (kind === "best" ? "best" : target.value ? { kind: "department", code: target.value } : null);
    const latest = desk.latest();
    let rows = [];
    let sent = null; // the same again, after no answer came, has the same key
    let key = null;
    let shown = new Map(); // id → its check box
    const fault = h("p", { class: "error", role: "alert" });
    const preview = async () => {
      fault.textContent = "";
      if (!to()) return body.replaceChildren(text("p", { class: "none" }, t("dispatch.bulk.choose")));
      const mine = latest.next();
      body.replaceChildren(...chosen.slice(0, 8).map(() => h("div", { class: "wait" })));
      try {
        const answer = await wangge.post("/api/dispatch/bulk/preview", { items: chosen.map(({ id, version }) => ({ id, version })), to: to() });
        if (latest.is(mine)) draw(answer.rows);
      } catch (error) {
        if (latest.is(mine)) body.replaceChildren(text("p", { class: "error" }, wangge.sentence(error)), button(t("dispatch.again"), {}, preview));
      }
    };
    const draw = (told) => {
      rows = told;
      const known = new Map(chosen.map((row) => [row.id, row]));
      shown = new Map();
      const made = told.map((one) => {
        const box = h("input", { type: "checkbox" });
        box.checked = one.ok;
        box.disabled = !one.ok;
        box.addEventListener("change", tell);
        shown.set(one.id, box);
        const row = known.get(one.id);
        return h("label", { class: one.ok ? "line" : "line no" }, box, h("span", {}, text("b", {}, row ? desk.title(row) : one.id), text("small", {}, row ? desk.town(row.area_no, row.town || row.area) : "")), h("span", { class: "to" }, text("b", {}, one.ok ? who(one.to) : t("dispatch.bulk.not")), text("small", {}, why(one))));
      });
      body.replaceChildren(...made);
      tell();
    };
    const tell = () => {
      const n = rows.filter((one) => shown.get(one.id)?.checked).length;
      send.disabled = !n;
      send.textContent = t("dispatch.bulk.send", { n });
    };
    const give = async () => {
      const wanted = rows.filter((one) => shown.get(one.id)?.checked);
      const seen = new Map(chosen.map((row) => [row.id, row.version]));
      const body = { items: wanted.map((one) => ({ id: one.id, version: seen.get(one.id), ...(one.to ? { to: { kind: one.to.kind, code: one.to.code } } : {}) })), to: to(), ...(note.value.trim() ? { note: note.value.trim() } : {}) };
      const what = JSON.stringify(body);
      if (what !== sent) [sent, key] = [what, desk.key()];
      send.disabled = true;
      fault.textContent = "";
      try {
        const answer = await desk.command("/api/dispatch/bulk", body, key);
        done(answer, key);
      } catch (error) {
        fault.textContent = wangge.sentence(error);
        send.disabled = false;
      }
    };
    const done = (answer, key) => {
      const bad = answer.rows.filter((one) => !one.ok);
      const good = answer.rows.length - bad.length;
      const undo = async () => {
        const back = await desk.command("/api/dispatch/bulk/undo", { key });
        desk.toast(t("dispatch.bulk.undone", { n: back.rows.filter((one) => one.ok).length, of: back.rows.length }));
        desk.reload();
      };
      desk.pick(answer.rows.filter((one) => one.ok).map((one) => ({ id: one.id })), false);
      if (good) desk.remember({ act: undo });
      desk.toast(t(bad.length ? "dispatch.bulk.partly" : "dispatch.bulk.done", { n: good, bad: bad.length }), { act: good ? desk.undo : null, label: t("dispatch.undo"), seconds: 60 });
      desk.reload();
      if (!bad.length) return desk.close();
      draw(bad);
      send.hidden = true;
    };
    target.addEventListener("change", preview);
    place.replaceChildren(
      desk.head(t("dispatch.bulk"), [t(`dispatch.bulk.${kind}.lead`, { n: chosen.length }), rest ? t("dispatch.bulk.rest", { n: rest }) : ""].filter(Boolean).join(" \u00b7 ")),
      h("div", { class: "fields" }, kind === "best" ? null : h("label", {}, text("span", {}, t("dispatch.department")), target), h("label", {}, text("span", {}, t("dispatch.note")), note)),
      body,
      h("footer", {}, fault, send, button(t("form.cancel"), {}, () => desk.close())),
    );
    preview();
  });
})();
