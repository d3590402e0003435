// The board of supervision: what to look at next and why, urging and the other commands, and consultations.
(() => {
  "use strict";
  const wangge = window.wangge;
  const board = wangge?.board;
  if (!board || wangge.config.screen !== "supervision") return;
  const { t, h, config } = wangge;
  const FILTERS = { reason: "reason", class: "supervision", level: "level", department: "department", town: "town", age: "age" };
  const meetings = () => board.tab() === "consultations";

  const townName = (code) => board.answer?.rows.find((row) => row.town_code === code)?.town ?? code;
  const towns = {};
  const say = {
    reason: (value) => t(`supervision.reason.${value}`),
    supervision: (value) => board.name("supervision", value),
    level: (value) => (value === "0" ? t("supervision.level.none") : board.level(Number(value))),
    department: (value) => board.name("department", value),
    town: (value) => towns[value] ?? townName(value),
    age: (value) => t(`supervision.age.${value}`),
  };
  const because = (row) =>
    ({
      unsatisfied: () => t("supervision.why.unsatisfied", { at: board.at(row.supervised_at) }),
      overdue_watch: () => t("supervision.why.overdue_watch", { class: board.name("supervision", row.supervision) }),
      watched: () => t("supervision.why.watched", { class: board.name("supervision", row.supervision) }),
      escalated: () => t("supervision.why.escalated", { level: board.level(row.escalation) }),
      redone: () => t("supervision.why.redone", { n: row.redos, most: config.limits.most_redos }),
      passed_on: () => t("supervision.why.passed_on", { n: row.transfers, most: config.limits.most_transfers }),
      late: () => t("supervision.why.late"),
    })[row.reason]();

  // --- the commands; those that the server says the viewer may give now
  const give = (ticket, command) => (values) => wangge.post(`/api/tickets/${ticket.id}/${command}`, { version: board.lock, ...values });
  const supervisions = () => config.supervisions.map(({ code, name }) => ({ value: code, label: name }));
  const COMMANDS = {
    urge: (ticket) => ({ main: ticket.status !== "consulted", fields: () => [{ name: "note", kind: "words", label: t("supervision.urge.note"), required: true, most: 500, hint: holders(ticket) }] }),
    supervise: (ticket) => ({
      label: t(ticket.supervised_at ? "supervision.reclass" : "command.supervise"),
      fields: () => [
        { name: "supervision", kind: "choice", label: t("supervision.class"), required: true, value: ticket.supervision || config.supervisions[0]?.code, options: supervisions() },
        { name: "reason", kind: "words", label: t("board.reason"), required: true, most: 500 },
      ],
    }),
    redo: () => ({ fields: () => [{ name: "reason", kind: "words", label: t("board.reason"), required: true, most: 500 }] }),
    regrade: (ticket) => ({
      fields: () => [
        { name: "category", kind: "select", label: t("board.fact.category"), value: ticket.category, options: config.categories.filter((one) => one.parent).map(({ code, name }) => ({ value: code, label: name })) },
        ...(config.severities.length ? [{ name: "severity", kind: "choice", label: t("supervision.severity"), value: ticket.severity, options: config.severities.map(({ code, name }) => ({ value: code, label: name })) }] : []),
      ],
    }),
    remark: () => ({ fields: () => [{ name: "note", kind: "words", label: t("supervision.remark"), required: true, most: 1000 }] }),
    consult: () => ({
      fields: () => [
        { name: "question", kind: "words", label: t("consultation.question"), required: true, most: 1000 },
        { name: "participants", kind: "checks", label: t("consultation.participants"), options: config.departments.map(({ code, name }) => ({ value: code, label: name })) },
      ],
    }),
    conclude: () => ({ main: true, fields: () => [{ name: "decision", kind: "words", label: t("consultation.decision"), required: true, most: 2000 }] }),
  };
  const NEEDS = { urge: "urge", supervise: "supervise", redo: "reason", regrade: "regrade", remark: "words", consult: "consult", conclude: "conclude" };
  const holders = (ticket) => {
    const who = [board.name("department", ticket.department), ticket.worker].filter(Boolean).join(" \u00b7 ");
    return who ? t("supervision.urge.who", { who }) : t("supervision.urge.nobody");
  };
  const commands = (told, only) => {
    const may = new Set(told.commands.map(({ command }) => command));
    return Object.keys(COMMANDS)
      .filter((name) => may.has(name) && (!only || only.includes(name)))
      .map((name) => ({ name, label: t(`command.${name}`), needs: t(`supervision.needs.${NEEDS[name]}`), send: give(told.ticket, name), ...COMMANDS[name](told.ticket) }))
      .sort((a, b) => Number(Boolean(b.main)) - Number(Boolean(a.main)));
  };

  // --- consultations
  const meeting = (one, may) => {
    const facts = board.facts([
      [t("consultation.question"), one.question], [t("consultation.participants"), one.participants.map((code) => board.name("department", code)).join(t("list.comma"))],
      [t("consultation.people"), one.people.join(t("list.comma"))], [t("consultation.meets_at"), board.at(one.meets_at)], [t("consultation.minutes"), one.minutes],
      [t("consultation.decision"), one.decision && `${one.decision} (${board.at(one.decided_at)})`],
    ]);
    if (!may || one.decided_at) return [facts];
    const change = {
      name: "meeting", label: t("consultation.change"), needs: t("consultation.change.needs"),
      fields: () => [
        { name: "meets_at", kind: "moment", label: t("consultation.meets_at"), value: one.meets_at && wangge.localMoment(one.meets_at) },
        { name: "people", kind: "text", label: t("consultation.people"), value: one.people.join("; "), most: 400, hint: t("consultation.people.hint") },
        { name: "minutes", kind: "words", label: t("consultation.minutes"), value: one.minutes, most: 4000 },
      ],
      send: ({ people = "", ...values }) =>
        wangge.send("PATCH", `/api/desks/consultations/${one.id}`, { version: one.version, people: people.split(/[;\uff1b\u3001,\uff0c]/).map((name) => name.trim()).filter(Boolean), ...values }),
    };
    return [facts, change];
  };

  const KINDS = { unsatisfied: "strong", call_back: "" };
  const happened = (told) =>
    board.timeline(told.history.filter((one) => one.kind !== "imported").map((one) => ({
      at: one.at, who: board.who(one.actor), kind: one.kind === "urge" ? "urge" : one.data?.satisfaction ? KINDS[one.data.satisfaction] || "" : "",
      what: t(`command.${one.kind}`) === `command.${one.kind}` ? board.name("status", one.kind) : t(`command.${one.kind}`),
      words: [one.note, one.data?.reason, one.data?.result, one.data?.question, one.data?.decision, one.data?.comment, one.data?.satisfaction && t(`desk.satisfaction.${one.data.satisfaction}`), one.data?.supervision && board.name("supervision", one.data.supervision)].filter(Boolean).join(" \u00b7 "),
    })));

  board.define({
    url: () => {
      if (meetings()) return new URL("/api/desks/consultations", location.href).href;
      const url = new URL("/api/desks/supervision", location.href);
      for (const [asked, facet] of Object.entries(FILTERS)) if (board.asked(asked)) url.searchParams.set(facet === "supervision" ? "supervision_class" : facet, board.asked(asked));
      return url.href;
    },
    // A ticket that was consulted on twice stands in the list once.
    rows: (told) => (meetings() ? told.rows.filter((row, at) => told.rows.findIndex((one) => one.ticket_id === row.ticket_id) === at) : told.rows),
    caseUrl: (id) => `/api/desks/supervision/${id}`,
    version: (told) => told.ticket.version + told.consultations.reduce((sum, one) => sum + one.version, 0) / 1000,
    lock: (told) => told.ticket.version,
    follows: (desk) => desk === "ticket" || desk === "consultation",
    empty: () => t(meetings() ? "consultation.empty" : Object.keys(FILTERS).some(board.asked) ? "board.empty.filtered" : "supervision.empty"),
    count: (tab, told) => (tab === "cases" ? told.whole : undefined),
    foot: (told) => t("board.foot", { n: board.rows.length, total: told.total ?? board.rows.length }),
    filters: (told) => {
      if (!told.facets) return [];
      for (const row of told.rows) if (row.town_code) towns[row.town_code] = config.language === "en" ? wangge.areaName(Math.floor(row.area_no / 1e6) * 1e6) : row.town;
      return Object.entries(FILTERS).map(([asked, facet]) => board.filter(asked, t(`supervision.filter.${facet}`), told.facets[facet], say[facet])).filter(Boolean);
    },
    tools: () => board.exports(),
    tiles: ({ figures, reasons }) => ({
      watched: { n: figures.watched, note: t("supervision.note.watched") },
      watched_late: { n: figures.watched_late, late: true, note: t("supervision.note.watched_late", { of: wangge.int(figures.watched) }) },
      unsatisfied: { n: reasons.unsatisfied || 0, note: t("supervision.note.unsatisfied") },
      late: { n: (reasons.late || 0) + (reasons.escalated || 0), late: true, note: t("supervision.note.late") },
      done: { n: figures.done, d: figures.supervised, note: t("supervision.note.done", { days: figures.days }) },
    }),
    item: (row) => {
      if (meetings()) {
        const due = row.decided_at ? { text: t("consultation.decided"), mark: "done" } : row.meets_at ? board.due(row.meets_at) : { text: t("consultation.no_meeting"), mark: "soon" };
        return {
          id: row.ticket_id, mark: due.mark === "late" ? "soon" : due.mark, title: row.question || board.name("category", row.category),
          when: row.decided_at ? due.text : row.meets_at ? board.at(row.meets_at) : due.text, why: t("consultation.asked", { at: board.at(row.asked_at) }),
          place: [board.name("category", row.category), board.place(row)].join(" \u00b7 "), chips: [board.mixed(row)],
        };
      }
      const due = board.due(row.due);
      const urged = row.urges ? t("supervision.urged", { n: row.urges }) : null;
      return {
        id: row.id, mark: row.late ? "late" : due.mark, title: row.title || board.name("category", row.category), when: due.text,
        place: [board.name("category", row.category), board.place(row), board.name("department", row.department)].filter(Boolean).join(" \u00b7 "),
        why: [t(`supervision.reason.${row.reason}`), urged].filter(Boolean).join(" \u00b7 "), chips: [board.mixed(row)],
      };
    },
    draw: (told) => {
      const { ticket } = told;
      const row = board.rows.find((one) => String(one.id ?? "") === board.chosen);
      const shown = !meetings() && row ? row : null;
      const due = shown ? board.due(shown.due) : board.due(ticket.due_at);
      const may = config.rights.includes("tickets.supervise");
      const held = told.consultations.map((one) => meeting(one, may));
      const changes = held.map(([, change]) => change).filter(Boolean);
      const bar = [...commands(told), ...changes];
      return [
        board.head(ticket.title || board.name("category", ticket.category), ticket.number,
          [shown && board.chip(t(`supervision.reason.${shown.reason}`), shown.reason === "unsatisfied" ? "strong" : ["overdue_watch", "late"].includes(shown.reason) ? "late" : ""), board.chip(board.name("supervision", ticket.supervision)), board.chip(board.level(ticket.escalation)), board.chip(board.name("status", ticket.status)), board.chip(board.name("channel", ticket.channel)), board.generated(ticket)],
          ticket.closed_at ? null : due, t(shown?.supervised_at ? "supervision.clock.watch" : "supervision.clock")),
        shown ? h("p", { class: "because" }, because(shown)) : null,
        bar.length ? board.commands(bar) : h("p", { class: "quiet" }, t("supervision.no_commands")),
        board.facts([
          [t("board.fact.place"), board.place(ticket)], [t("board.fact.address"), ticket.address], [t("board.fact.category"), board.name("category", ticket.category)],
          [t("board.fact.department"), board.name("department", ticket.department)], [t("board.fact.worker"), ticket.worker],
          [t("board.fact.reported"), board.at(ticket.reported_at)], [t("board.fact.due"), board.at(ticket.due_at)], [t("board.fact.supervised"), board.at(ticket.supervised_at)],
          [t("board.fact.turns"), ticket.redos || ticket.transfers ? t("board.turns", { redos: ticket.redos, transfers: ticket.transfers }) : null],
          [t("board.fact.description"), ticket.description], [t("board.fact.result"), ticket.result],
        ]),
        ...held.map(([facts]) => board.section(t("consultation.title"), facts)),
        board.section(t("board.history"), happened(told)),
      ];
    },
  });
})();
