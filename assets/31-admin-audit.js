// The audit: its conditions are in the address, its pages go back in time, its chain is verified when asked.
(() => {
  "use strict";
  const wangge = window.wangge;
  if (!wangge || wangge.config.screen !== "admin" || wangge.config.tab !== "audit") return;
  const { t, h, on, config, admin } = wangge;
  const TYPING_MS = 300;
  const NAMES = ["period", "since", "until", "action", "actor", "text"];
  const query = () => Object.fromEntries([...new URLSearchParams(location.search)].filter(([name]) => NAMES.includes(name)));
  const pages = []; // before which row each page began that was left for an older one

  const keep = (values) => {
    const next = new URLSearchParams(location.search);
    for (const name of NAMES) values[name] ? next.set(name, values[name]) : next.delete(name);
    const text = next.toString();
    history.replaceState(history.state, "", location.pathname + (text ? `?${text}` : ""));
    const language = document.getElementById("language");
    next.set("lang", language.lang);
    language.href = `?${next}`;
  };

  const field = (name, control) => h("label", {}, h("span", {}, t(`audit.${name}`)), control);
  const draw = () => {
    const asked = query();
    const form = document.getElementById("filters");
    const period = h("select", { name: "period" });
    for (const name of ["today", "week", "month", "all", "days"]) period.append(h("option", { value: name }, t(`audit.period.${name}`)));
    period.value = asked.period || "week";
    const since = h("input", { type: "date", name: "since", value: asked.since });
    const until = h("input", { type: "date", name: "until", value: asked.until });
    const action = h("select", { name: "action" }, h("option", { value: "" }, t("audit.any")));
    for (const one of config.actions) action.append(h("option", { value: one.value }, one.label));
    action.value = asked.action || "";
    const actor = h("input", { type: "text", name: "actor", placeholder: t("audit.actor.any"), autocomplete: "off", spellcheck: "false", maxlength: "64" });
    const text = h("input", { type: "search", name: "text", placeholder: t("audit.text.any"), maxlength: "60" });
    actor.value = asked.actor || "";
    text.value = asked.text || "";
    const days = h("div", { class: "days" }, field("since", since), field("until", until));
    form.replaceChildren(field("period", period), days, field("action", action), field("actor", actor), field("text", text));
    const values = () => {
      const found = Object.fromEntries(new FormData(form));
      if (found.period !== "days") found.since = found.until = "";
      if (found.period === "week") found.period = "";
      return found;
    };
    const apply = () => {
      days.hidden = period.value !== "days";
      const found = values();
      keep(found);
      exported(found);
    };
    const search = () => {
      apply();
      pages.length = 0;
      admin.load({ ...Object.fromEntries(NAMES.map((name) => [name, ""])), ...values(), before: "" });
    };
    let typing = null;
    form.addEventListener("input", (event) => {
      clearTimeout(typing);
      typing = setTimeout(search, event.target.matches("select,[type=date]") ? 0 : TYPING_MS);
    });
    form.addEventListener("submit", (event) => (event.preventDefault(), search()));
    apply();
  };

  // The file holds every row of the period, whatever else was searched for: a chain with gaps could not be verified.
  const DAY_MS = 86400000;
  const dayBefore = (days) => new Intl.DateTimeFormat("sv-SE", { timeZone: config.time_zone }).format(Date.now() - days * DAY_MS);
  const dayAfter = (day) => new Date(Date.parse(day) + DAY_MS).toISOString().slice(0, 10);
  const exported = ({ period, since, until }) => {
    const asked = new URLSearchParams();
    const from = period === "days" ? since : period === "all" ? "" : dayBefore({ today: 0, "": 6, month: 29 }[period || ""]);
    if (from) asked.set("since", from);
    if (period === "days" && until) asked.set("until", dayAfter(until));
    document.getElementById("export").href = `/api/audit/lines?${asked}`;
  };

  // --- the state of the chain, below what the side says of the audit
  const chain = () => {
    if (!config.whole) return;
    const told = h("p", { class: "about", role: "status" }, t("audit.chain.do"));
    const button = h("button", { type: "button" }, t("audit.verify"));
    const faults = h("ul", { class: "faults" });
    const place = h("div", { class: "chain" }, h("h3", {}, t("audit.chain")), told, faults, h("div", { class: "acts" }, button));
    button.addEventListener("click", async () => {
      button.disabled = true;
      told.textContent = t("audit.verifying");
      const answer = await admin.ask({ do: "verify" });
      button.disabled = false;
      told.textContent = answer.ok ? answer.chain.told : Object.values(answer.errors).join(" ");
      place.dataset.state = answer.ok ? (answer.chain.whole ? "whole" : "broken") : "";
      faults.replaceChildren(...(answer.ok ? answer.chain.faults : []).map((fault) => h("li", {}, fault)));
      if (answer.ok && answer.chain.hash) faults.append(h("li", { class: "hash" }, h("span", {}, t("audit.hash")), h("code", {}, answer.chain.hash)));
    });
    document.getElementById("beside").append(place);
  };

  on("admin:ready", () => {
    draw();
    chain();
    const [newer, older] = ["newer", "older"].map((id) => document.getElementById(id));
    older.addEventListener("click", async () => {
      const grid = await window.dash_ag_grid.getApiAsync("audit-table");
      const last = grid.getDisplayedRowAtIndex(grid.getDisplayedRowCount() - 1);
      if (!last) return;
      pages.push(admin.query.before || "");
      admin.load({ before: last.data.key });
    });
    newer.addEventListener("click", () => admin.load({ before: pages.pop() ?? "" }));
  });
  on("admin:rows", async () => {
    const grid = await window.dash_ag_grid.getApiAsync("audit-table");
    document.getElementById("newer").disabled = !pages.length && !admin.query.before;
    document.getElementById("older").disabled = grid.getDisplayedRowCount() < config.page;
    grid.ensureIndexVisible(0, "top");
  });
})();
