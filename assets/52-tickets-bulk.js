// Several tickets at once: picking them, the commands that they allow, what a command must carry, undo; short notices.
(() => {
  "use strict";
  const wangge = window.wangge;
  const list = wangge?.list;
  if (!list) return;
  const { t, h, on, config } = wangge;
  const { el } = list;
  const ASK_MS = 250; // after the last pick
  const UNDO_MS = 20000; // as long as the way back is offered; the engine allows a minute
  const MOST = 200;
  const picked = (list.picked = new Map());

  // --- notices
  let fading = 0;
  list.toast = (sentence, { bad = false, action = null, stay_ms = 6000 } = {}) => {
    const node = el("toast");
    clearTimeout(fading);
    node.className = bad ? "bad" : "";
    node.setAttribute("role", bad ? "alert" : "status");
    const act = action && h("button", { type: "button" }, action.word);
    act?.addEventListener("click", () => {
      node.replaceChildren();
      action.act();
    });
    node.replaceChildren(h("span", {}, sentence), ...(act ? [act] : []));
    fading = setTimeout(() => node.replaceChildren(), stay_ms);
  };

  // --- picking
  const mark = (id) => {
    const node = el("rows").querySelector(`tr[data-id="${id}"]`);
    if (!node) return;
    node.querySelector("input").checked = picked.has(id);
    node.setAttribute("aria-selected", String(picked.has(id)));
  };
  let last = null;
  const pick = (id, wanted = !picked.has(id)) => {
    if (wanted && picked.size >= MOST) return list.toast(t("list.bulk.most", { n: MOST }), { bad: true });
    wanted ? picked.set(id, list.rows.get(id)) : picked.delete(id);
    mark(id);
    last = id;
    show();
  };
  const clear = () => {
    const ids = [...picked.keys()];
    picked.clear();
    ids.forEach(mark);
    show();
  };
  on("list:pick", (id) => pick(id));
  on("list:escape", (event) => {
    if (list.closeMenus()) return event.preventDefault();
    if (el("bulk").querySelector("form")) return show();
    if (!el("side").hidden) return list.close();
    if (picked.size) clear();
  });

  // --- what they allow
  const FIELDS = {
    reason: "words", note: "words", result: "words", decision: "words", question: "words", until: "moment",
    department: config.departments, supervision: config.supervisions, satisfaction: "satisfaction", worker: "text",
  };
  const EXTRA = { dispatch: ["department", "note"], transfer: ["department"], accept: [] }; // may be given as well
  const WITHOUT = new Set(["attach", "merge", "relocate", "regrade", "call_back", "node_done", "plan", "undo", "whistle"]); // one at a time
  const word = (command) => config.commands[command] || t(`command.${command}`);
  let waiting = 0;
  let turn = 0;
  const show = () => {
    const bar = el("bulk");
    el("keys").hidden = picked.size > 0;
    bar.hidden = !picked.size;
    clearTimeout(waiting);
    turn += 1; // what is asked for others tells nothing of these
    if (!picked.size) return bar.replaceChildren();
    bar.replaceChildren(h("b", {}, t("list.bulk.picked", { n: picked.size })), leave(), h("span", { class: "wait" }, t("page.loading")));
    waiting = setTimeout(offer, ASK_MS);
  };
  const leave = () => {
    const node = h("button", { type: "button", class: "plain" }, t("list.bulk.clear"));
    node.addEventListener("click", clear);
    return node;
  };
  const offer = async () => {
    const mine = (turn += 1);
    const ids = [...picked.keys()];
    try {
      const { commands } = await wangge.post("/api/tickets/bulk/commands", { ids });
      if (mine !== turn || !picked.size) return;
      const offered = commands.filter((one) => !WITHOUT.has(one.command) && one.needs.every((name) => name in FIELDS));
      const buttons = offered.map((one) => {
        const some = one.tickets < ids.length ? h("small", {}, t("list.bulk.some", { n: one.tickets })) : null;
        const node = h("button", { type: "button", "data-command": one.command }, word(one.command), some);
        node.addEventListener("click", () => begin(one));
        return node;
      });
      el("bulk").replaceChildren(h("b", {}, t("list.bulk.picked", { n: ids.length })), leave(), ...(buttons.length ? buttons : [h("span", { class: "wait" }, t("list.bulk.none"))]));
    } catch (error) {
      if (mine === turn) el("bulk").replaceChildren(h("b", {}, t("list.bulk.picked", { n: ids.length })), leave(), h("span", { role: "alert" }, error.message || t("list.failed.do")));
    }
  };

  // --- what a command carries
  const field = (name, needed) => {
    const kind = FIELDS[name];
    const attributes = { name, "aria-label": t(`list.field.${name}`), ...(needed ? { required: "" } : {}) };
    const options = kind === "satisfaction" ? ["satisfied", "fairly", "unsatisfied", "unrated"].map((code) => ({ code, name: t(`map.satisfaction.${code}`) })) : Array.isArray(kind) ? kind : null;
    if (options) {
      const first = h("option", { value: "" }, t(name === "department" ? "list.field.department.usual" : `list.field.${name}`));
      return h("select", attributes, first, ...options.map((one) => h("option", { value: one.code }, one.name)));
    }
    if (kind === "moment") return h("label", {}, t(`list.field.${name}`), h("input", { type: "datetime-local", ...attributes }));
    return h("input", { type: "text", maxlength: "1000", placeholder: t(`list.field.${name}`), class: kind, autocomplete: "off", ...attributes });
  };
  const begin = (one) => {
    const extra = (EXTRA[one.command] ?? ["note"]).filter((name) => !one.needs.includes(name));
    const fields = [...one.needs.map((name) => field(name, true)), ...extra.map((name) => field(name, false))];
    if (!fields.length) return give(one, {});
    const back = h("button", { type: "button", class: "plain" }, t("list.bulk.back"));
    back.addEventListener("click", show);
    const form = h("form", {}, h("b", {}, t("list.bulk.give", { command: word(one.command), n: one.tickets })), ...fields, h("button", { class: "main" }, word(one.command)), back);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const order = {};
      for (const [name, value] of new FormData(form)) if (value) order[name] = name === "until" ? moment(value) : value;
      give(one, order);
    });
    el("bulk").replaceChildren(form);
    form.querySelector("input,select").focus();
  };
  // A local moment of the place, whatever the browser's own zone is.
  const moment = (text) => {
    const offset = (utc) => {
      const told = Object.fromEntries(new Intl.DateTimeFormat("en-GB", { timeZone: config.time_zone, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" }).formatToParts(utc).map((part) => [part.type, part.value]));
      return Date.UTC(told.year, told.month - 1, told.day, told.hour, told.minute) - utc;
    };
    const guess = Date.parse(`${text}Z`);
    return new Date(guess - offset(guess)).toISOString();
  };

  // --- giving it
  const send = (command, order, tickets) =>
    fetch("/api/tickets/bulk", {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": /(?:^|;\s*)_csrf_token=([^;]*)/.exec(document.cookie)?.[1] ?? "", "Idempotency-Key": crypto.randomUUID?.() ?? String(Math.random()).slice(2) },
      body: JSON.stringify({ command, order, tickets }),
    }).then(async (answer) => {
      const told = await answer.json();
      if (!answer.ok) throw told.error;
      return told;
    });
  const take = (rows) => {
    for (const row of rows) if (row.ok) list.renew({ id: row.id, version: row.version, status: row.status, closed_at: config.list.states.ended.includes(row.status) ? (list.rows.get(row.id)?.closed_at ?? list.now()) : null });
  };
  const give = async (one, order) => {
    const bar = el("bulk");
    const tickets = [...picked.values()].map(({ id, version }) => ({ id, version }));
    for (const node of bar.querySelectorAll("button,input,select")) node.disabled = true;
    try {
      const { done, rows } = await send(one.command, order, tickets);
      take(rows);
      const refused = rows.filter((row) => !row.ok);
      const why = refused.length ? ` ${t("list.bulk.refused", { n: refused.length, why: refused[0].message })}` : "";
      const back = one.undoable && done ? { word: t("list.undo"), act: () => undo(rows.filter((row) => row.ok)) } : null;
      list.toast(t("list.bulk.done", { command: word(one.command), n: done }) + why, { bad: !done, action: back, stay_ms: back ? UNDO_MS : 8000 });
      for (const row of rows) if (row.ok) picked.delete(row.id), mark(row.id);
      show();
      if (list.opened) list.openAgain();
    } catch (error) {
      list.toast(error.message || t("list.failed.do"), { bad: true });
      show();
    }
  };
  const undo = async (rows) => {
    try {
      const told = await send("undo", {}, rows.map(({ id, version }) => ({ id, version })));
      take(told.rows);
      const refused = told.rows.filter((row) => !row.ok);
      list.toast(refused.length ? t("list.undo.some", { n: told.done, why: refused[0].message }) : t("list.undo.done", { n: told.done }), { bad: refused.length > 0 });
    } catch (error) {
      list.toast(error.message || t("list.failed.do"), { bad: true });
    }
  };

  on("mounted", () => {
    el("rows").addEventListener("click", (event) => {
      const cell = event.target.closest(".pick");
      if (!cell) return;
      const id = Number(cell.parentNode.dataset.id);
      if (event.shiftKey && last != null && list.order.includes(last)) {
        const [from, to] = [list.order.indexOf(last), list.order.indexOf(id)].sort((a, b) => a - b);
        for (const one of list.order.slice(from, to + 1)) if (!picked.has(one)) pick(one, true);
      } else pick(id);
      if (event.target.tagName === "INPUT") event.target.checked = picked.has(id);
      event.stopPropagation();
    });
  });
})();
