// The board of mediation: which dispute to go on with and why, its tiers, meetings and parties, opened for a reason.
(() => {
  "use strict";
  const wangge = window.wangge;
  const board = wangge?.board;
  if (!board || wangge.config.screen !== "mediation") return;
  const { t, h, config } = wangge;
  const DAY_MS = 86400000;
  const HOUR_MS = 3600000;
  const FORMS = ["oral", "written", "confirmed"];
  const OUTCOMES = ["agreed", "continued", "absent"];
  const PRESSING = { late: "late", record: "soon", settle: "soon", accept: "soon", follow: "soon", assign: "calm", plan: "calm", meet: "wait", wait: "wait", done: "done" };
  const dayMs = (day) => (day ? Date.parse(wangge.toMoment(`${day}T00:00`)) : null); // midnight of the place
  const written = new Intl.DateTimeFormat(config.language === "en" ? "en-GB" : config.language, { timeZone: config.time_zone, month: config.language === "en" ? "short" : "numeric", day: "numeric" });
  const dayOf = (day) => written.format(dayMs(day));

  const parties = (names) => names.join(t("list.comma"));
  const when = (row) => {
    if (row.reason === "done") return { text: t(`desk.mediation_state.${row.state}`), mark: "done" };
    if (row.reason === "follow") {
      const over = board.due(dayMs(row.perform_by) + DAY_MS);
      return over.mark === "late" ? over : { text: t("mediation.by", { day: dayOf(row.perform_by) }), mark: "soon" };
    }
    if (row.reason === "late") return board.due(row.due_at);
    if (row.reason === "meet" || row.reason === "record") return { text: board.at(row.next_session), mark: row.reason === "record" ? "soon" : "wait" };
    if (row.reason === "accept") return { text: t("mediation.waits", { span: board.span(board.now() - row.received_at) }), mark: "soon" };
    return row.due_at ? board.due(row.due_at) : { text: "", mark: "calm" };
  };

  // --- what each command carries; who may mediate and where is asked when a case is drawn
  let known = { id: null, mediators: [], rooms: [] };
  const candidates = async (id) => {
    if (known.id === id) return;
    const found = await board.get(`/api/mediation/${id}/mediators`).catch(() => ({ mediators: [], rooms: [] }));
    known = { id, ...found };
  };
  const reason = () => ({ name: "reason", kind: "words", label: t("board.reason"), required: true, most: 200, hint: t("mediation.reason.hint") });
  const room = (value) => ({ name: "room", kind: "text", label: t("mediation.room"), most: 60, value, list: known.rooms });
  const waiting = (told) => told.sessions.find((one) => one.outcome === null);
  const FIELDS = {
    accept: () => null,
    decline: () => [reason()],
    assign: (told) => [
      { name: "post", kind: "select", label: t("mediation.mediator"), value: told.post_id && String(told.post_id), options: known.mediators.map((one) => ({ value: String(one.id), label: [one.name, board.name("post", one.role), one.area].join(" \u00b7 ") })) },
      room(told.room),
    ],
    plan_session: (told) => [{ name: "planned_at", kind: "moment", label: t("mediation.planned_at"), required: true, value: wangge.localMoment(Math.ceil((board.now() + DAY_MS) / HOUR_MS) * HOUR_MS) }, room(told.room)],
    hold_session: (told) => [
      { name: "outcome", kind: "choice", label: t("mediation.outcome"), required: true, options: OUTCOMES.map((value) => ({ value, label: t(`mediation.outcome.${value}`) })) },
      { name: "held_at", kind: "moment", label: t("mediation.held_at"), required: true, value: wangge.localMoment(Math.min(waiting(told).planned_at, board.now())) },
      { name: "ended_at", kind: "moment", label: t("mediation.ended_at") },
    ],
    settle: () => [
      { name: "form", kind: "choice", label: t("mediation.form"), required: true, options: FORMS.map((value) => ({ value, label: t(`desk.agreement_form.${value}`) })) },
      { name: "agreement", kind: "words", label: t("mediation.agreement"), required: true, most: 2000, hint: t("mediation.agreement.hint") },
      { name: "perform_by", kind: "day", label: t("mediation.perform_by") },
    ],
    move_up: () => [reason()],
    fail: () => [reason()],
    withdraw: () => [reason()],
    perform: () => [{ name: "performed_on", kind: "day", label: t("mediation.performed_on"), required: true, value: wangge.localDay(board.now()) }],
    breach: () => [reason()],
  };
  // The command that goes on from where the case stands, and those that make no sense there.
  const MAIN = { accept: "accept", assign: "assign", plan: "plan_session", record: "hold_session", meet: "hold_session", settle: "settle", follow: "perform", late: "settle" };
  const sensible = (told, name) => {
    if (name === "plan_session") return !waiting(told);
    if (name === "hold_session") return Boolean(waiting(told));
    if (name === "move_up") return told.tier < config.tiers.length;
    if (name === "perform" || name === "breach") return told.performed === null;
    return true;
  };
  const shaped = {
    assign: ({ post, ...values }) => ({ ...values, ...(post ? { post: Number(post) } : {}) }),
    hold_session: (values, told) => ({ ...values, session: waiting(told).seq }),
  };
  const key = () => crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;
  const send = async (url, body, sent) => {
    const csrf = /(?:^|;\s*)_csrf_token=([^;]*)/.exec(document.cookie)?.[1] ?? "";
    const answer = await fetch(url, { method: "POST", headers: { "Content-Type": "application/json", "X-CSRFToken": csrf, "Idempotency-Key": sent }, body: JSON.stringify(body) });
    if (answer.ok) return answer.json();
    if (answer.status === 401) wangge.signIn();
    const told = (await answer.json().catch(() => ({}))).error;
    throw { status: answer.status, code: told?.code ?? "error", message: told?.message ?? answer.statusText, details: told?.details ?? [] };
  };
  const commands = (told, why) =>
    told.commands
      .filter((name) => sensible(told, name))
      .map((name) => {
        const once = key(); // a command that is sent twice is done once
        const fields = name === "accept" ? null : () => FIELDS[name](told);
        return {
          name, label: t(`mediation.command.${name}`), needs: t(`mediation.needs.${name}`), fields, main: MAIN[why] === name,
          danger: ["decline", "fail", "withdraw", "breach"].includes(name),
          send: (values) => send(`/api/mediation/${told.id}/${name}`, { version: board.lock, ...(shaped[name]?.(values, told) ?? values) }, once),
        };
      })
      .sort((a, b) => Number(b.main) - Number(a.main) || Number(a.danger) - Number(b.danger));

  // --- a new case
  const receive = () => {
    const button = h("button", { type: "button", class: "main", id: "receive" }, t("mediation.receive"));
    button.addEventListener("click", () => {
      const once = key();
      wangge.dialog(t("mediation.receive"), t("mediation.receive.lead"), (close) =>
        wangge.form({
          submit: t("mediation.receive.submit"),
          fields: [
            { name: "area", kind: "area", label: t("board.fact.place"), required: true },
            { name: "category", kind: "select", label: t("mediation.kind"), required: true, options: config.disputes.map(({ code, name }) => ({ value: code, label: name })) },
            { name: "parties", kind: "parties", label: t("mediation.parties"), required: true },
            { name: "matter", kind: "words", label: t("mediation.matter"), most: 2000, hint: t("mediation.matter.hint") },
          ],
          withdrawn: () => close(),
          send: async (values) => {
            const made = await send("/api/mediation", values, once);
            close(t("mediation.received", { number: made.number }));
            board.chosen = String(made.id);
            await board.reload();
            board.choose(made.id);
          },
        }),
      );
    });
    return button;
  };

  // --- parties: masked until opened for a reason
  let closing = 0;
  const people = (told) => {
    const list = h("ul", { class: "people" }, ...told.parties.map((one) =>
      h("li", {}, h("small", {}, t(`mediation.side.${one.side}`)), h("b", {}, one.name), one.phone ? (told.open_until ? h("a", { href: `tel:${one.phone}` }, one.phone) : h("span", {}, one.phone)) : h("span", { class: "none" }, t("mediation.party.no_phone")))));
    clearTimeout(closing);
    if (told.open_until) {
      const left = told.open_until - board.now();
      closing = setTimeout(() => board.openCase(), Math.max(0, left) + 500);
      return [
        list,
        board.facts([[t("mediation.matter"), told.matter], [t("mediation.agreement"), told.agreement]]),
        h("p", { class: "opened", role: "status" }, t("mediation.opened", { at: board.at(told.open_until), reason: told.reason })),
      ];
    }
    const open = board.commands([{
      name: "open", label: t("mediation.open"), needs: t("mediation.open.needs"), say: t("mediation.open.done"),
      note: t("mediation.open.note", { n: told.open_minutes }),
      fields: () => [{ name: "reason", kind: "text", label: t("mediation.open.reason"), required: true, most: 200, hint: t("mediation.open.reason.hint") }],
      send: (values) => wangge.post(`/api/mediation/${told.id}/open`, values),
    }]);
    for (const one of open.querySelectorAll("[data-key]")) {
      one.removeAttribute("data-key");
      one.querySelector("kbd")?.remove();
    }
    return [list, open];
  };

  // --- the tiers as a way: where the case was and where it stands
  const way = (told) =>
    h("ol", { class: "tiers", "aria-label": t("mediation.tier") }, ...config.tiers.map(({ name }, at) => {
      const n = at + 1;
      const state = n < told.tier ? "past" : n === told.tier ? (told.closed_at ? told.state : "here") : "next";
      const where = n === told.tier ? [told.mediator, told.room].filter(Boolean).join(" \u00b7 ") : "";
      return h("li", { class: state, "aria-current": n === told.tier ? "step" : null }, h("i", {}), h("b", {}, name), h("small", {}, where || (n === told.tier && !told.closed_at ? t("mediation.nobody") : "")));
    }));
  const sessions = (told) =>
    told.sessions.length
      ? board.timeline([...told.sessions].reverse().map((one) => ({
          at: one.held_at ?? one.planned_at,
          what: `${t("mediation.session", { n: one.seq })} \u00b7 ${one.outcome ? t(`mediation.outcome.${one.outcome}`) : one.planned_at < board.now() ? t("mediation.session.record") : t("mediation.session.planned")}`,
          who: [board.name("tier", one.tier), one.room, one.ended_at && t("mediation.session.ended", { at: board.at(one.ended_at) })].filter(Boolean).join(" \u00b7 "),
          kind: one.outcome ? "" : "soon",
        })))
      : h("p", { class: "quiet" }, t("mediation.sessions.none"));
  const happened = (told) =>
    board.timeline([...told.history].reverse().map((one) => ({
      at: one.at, what: t(`mediation.command.${one.kind}`), who: board.who(one.actor),
      words: [one.data?.reason, one.data?.form && t(`desk.agreement_form.${one.data.form}`), one.data?.outcome && t(`mediation.outcome.${one.data.outcome}`), one.data?.planned_at && board.at(Date.parse(one.data.planned_at)), one.data?.performed_on].filter(Boolean).join(" \u00b7 "),
    })));
  const result = (told) => {
    if (told.state !== "settled") return null;
    const performed = told.performed === null ? t(dayMs(told.perform_by) === null ? "mediation.performed.unknown" : "mediation.performed.waits") : t(told.performed ? "mediation.performed.yes" : "mediation.performed.no");
    return board.section(t("mediation.result"), board.facts([
      [t("mediation.form"), t(`desk.agreement_form.${told.agreement_form}`)], [t("mediation.perform_by"), told.perform_by || t("mediation.perform_by.none")],
      [t("mediation.performed"), [performed, told.performed_on].filter(Boolean).join(" \u00b7 ")],
    ]));
  };

  board.define({
    url: (tab) => {
      const url = new URL("/api/mediation", location.href);
      url.searchParams.set("view", tab);
      for (const name of ["reason", "tier", "category"]) if (board.asked(name)) url.searchParams.set(name, board.asked(name));
      return url.href;
    },
    caseUrl: (id) => `/api/mediation/${id}`,
    version: (told) => told.version,
    lock: (told) => told.version,
    follows: (desk) => desk === "mediation",
    empty: (tab) => t(["reason", "tier", "category"].some(board.asked) ? "board.empty.filtered" : `mediation.empty.${tab}`),
    count: (tab, told) => (tab === board.tab() ? told.total : tab === "open" ? told.figures.open : undefined),
    foot: (told) => t("board.foot", { n: told.rows.length, total: told.total }),
    filters: (told) => [
      board.filter("reason", t("mediation.filter.reason"), told.reasons, (value) => t(`mediation.reason.${value}`)),
      board.filter("tier", t("mediation.filter.tier"), Object.fromEntries(told.tiers.map((one) => [one.tier, board.tab() === "ended" ? one.cases - one.open : one.open])), (value) => board.name("tier", value)),
    ].filter(Boolean),
    tools: () => [...board.exports(), receive()],
    tiles: ({ figures, tiers }) => ({
      open: { n: figures.open, unit: t("unit.case"), note: figures.late ? t("mediation.note.late", { n: wangge.int(figures.late) }) : t("mediation.note.open", { tiers: tiers.filter((one) => one.open).map((one) => `${board.name("tier", one.tier)} ${one.open}`).join(" \u00b7 ") }) },
      accepted: { n: figures.accepted, d: figures.received, note: t("mediation.note.accepted", { days: figures.days }) },
      closed: { n: figures.closed, d: figures.accepted, note: t("mediation.note.closed", { days: figures.days }) },
      settled: { n: figures.settled, d: figures.settled + figures.failed, note: t("mediation.note.settled", { days: figures.days }) },
      performed: { n: figures.performed, d: figures.due, note: t("mediation.note.performed", { days: figures.days }) },
    }),
    item: (row) => {
      const due = when(row);
      return {
        id: row.id, mark: due.mark === "late" ? "late" : PRESSING[row.reason], title: board.name("category", row.category), when: due.text,
        place: [parties(row.parties), board.place(row)].filter(Boolean).join(" \u00b7 "), why: t(`mediation.reason.${row.reason}`),
        chips: [board.chip(board.name("tier", row.tier), "tier"), board.mixed(row)],
      };
    },
    draw: (told) => {
      const row = board.rows.find((one) => String(one.id) === board.chosen);
      const why = row?.version === told.version ? row.reason : null;
      const due = row && why ? when(row) : null;
      const id = told.id;
      if (!told.closed_at && known.id !== id) candidates(id);
      const bar = commands(told, why);
      return [
        board.head(board.name("category", told.category), told.number,
          [board.chip(t(`desk.mediation_state.${told.state}`)), why && why !== "done" ? board.chip(t(`mediation.reason.${why}`), why === "late" ? "late" : "") : null, told.ticket_id ? h("a", { class: "chip", href: `/tickets/?ticket=${told.ticket_id}` }, t("mediation.ticket")) : null, board.generated(told)],
          told.closed_at ? null : due, t("mediation.clock")),
        way(told),
        why && why !== "done" ? h("p", { class: "because" }, t(`mediation.why.${why}`)) : null,
        bar.length ? board.commands(bar) : null,
        board.section(t("mediation.parties"), ...people(told)),
        result(told),
        board.facts([
          [t("board.fact.place"), board.place(told)], [t("mediation.mediator"), told.mediator], [t("mediation.room"), told.room], [t("mediation.received_at"), board.at(told.received_at)],
          [t("mediation.accepted_at"), board.at(told.accepted_at)], [t("board.fact.due"), board.at(told.due_at)], [t("mediation.closed_at"), board.at(told.closed_at)],
        ]),
        board.section(t("mediation.sessions"), sessions(told)),
        board.section(t("board.history"), happened(told)),
      ];
    },
  });
})();
