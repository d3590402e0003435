// The desk of call-backs: whom to call next, three answers, and what becomes of a call that reached nobody.
(() => {
  "use strict";
  const wangge = window.wangge;
  const board = wangge?.board;
  if (!board || wangge.config.screen !== "callbacks") return;
  const { t, h, config } = wangge;
  const STATES = { due: null, later: "later", given_up: "given_up" };
  const SATISFACTION = ["satisfied", "fairly", "unsatisfied", "unrated"];
  const SOLVED = ["solved", "partly", "unsolved"];
  const IN_VAIN = ["no_answer", "busy", "wrong_number", "declined"];

  const options = (vocabulary, values) => values.map((value) => ({ value, label: t(`desk.${vocabulary}.${value}`) }));
  const why = (call) => t(`callbacks.reason.${call.reason}`);
  const when = (call) => {
    if (call.state === "later") return { text: t("callbacks.again", { at: board.at(call.again_at) }), mark: "wait" };
    if (call.state === "given_up") return { text: t("callbacks.given_up"), mark: "done" };
    return call.due == null ? { text: t("callbacks.no_limit"), mark: "calm" } : board.due(call.due);
  };

  const answer = (told) => {
    const { ticket } = told;
    return wangge.form({
      stale: board.reread,
      inline: true,
      submit: t("callbacks.record"),
      note: t("callbacks.record.note"),
      fields: [
        { name: "satisfaction", kind: "choice", label: t("callbacks.satisfaction"), required: true, options: options("satisfaction", SATISFACTION) },
        { name: "solved", kind: "choice", label: t("callbacks.solved"), required: true, options: options("solved", SOLVED) },
        { name: "comment", kind: "words", label: t("callbacks.comment"), most: 1000, hint: t("callbacks.comment.hint") },
      ],
      send: async (values) => {
        await board.sends(() => wangge.post(`/api/tickets/${ticket.id}/call_back`, { version: board.lock, ...values }));
        await board.done(t(values.satisfaction === "unsatisfied" ? "callbacks.done.unsatisfied" : "callbacks.done"), { advance: true });
      },
    });
  };
  const inVain = (told) => ({
    name: "in_vain", label: t("callbacks.in_vain"), needs: t("callbacks.in_vain.needs"), advance: true, say: t("callbacks.in_vain.done"),
    note: t("callbacks.in_vain.note", { n: told.most_attempts }),
    fields: [
      { name: "outcome", kind: "choice", label: t("callbacks.outcome"), required: true, options: options("outcome", IN_VAIN) },
      { name: "again_at", kind: "moment", label: t("callbacks.again_at"), hint: t("callbacks.again_at.hint") },
    ],
    send: (values) => wangge.post(`/api/desks/call-backs/${told.ticket.id}/attempts`, values),
  });
  // The number is shown for a look that stands in the audit, and not kept in the page.
  const reporter = (told) => {
    const place = h("div", { class: "reporter" });
    const button = h("button", { type: "button", "data-key": "1" }, h("kbd", { "aria-hidden": "true" }, "1"), h("span", {}, t("callbacks.number"), h("small", {}, t("callbacks.number.needs"))));
    button.addEventListener("click", async () => {
      button.disabled = true;
      try {
        const found = await wangge.post(`/api/desks/call-backs/${told.ticket.id}/reporter`, undefined);
        place.replaceChildren(
          found.phone ? h("a", { href: `tel:${found.phone}`, class: "phone" }, found.phone) : h("b", {}, found.email || t("callbacks.number.none")),
          h("span", {}, found.name || t("callbacks.nameless")));
      } catch (error) {
        if (error instanceof Error) throw error;
        place.replaceChildren(h("span", { class: "none" }, error.status === 404 ? t("callbacks.number.unknown") : board.sentence(error)));
      }
    });
    place.append(button);
    return place;
  };
  const calls = (told) =>
    told.attempts.length
      ? board.timeline([...told.attempts].reverse().map((one) => ({
          at: one.at, who: board.who(one.actor), kind: one.satisfaction === "unsatisfied" ? "strong" : "",
          what: one.outcome === "answered"
            ? [t(`desk.satisfaction.${one.satisfaction}`), one.solved && t(`desk.solved.${one.solved}`)].filter(Boolean).join(" \u00b7 ")
            : t(`desk.outcome.${one.outcome}`) + (one.again_at ? ` \u00b7 ${t("callbacks.again", { at: board.at(one.again_at) })}` : ""),
          words: one.comment,
        })))
      : h("p", { class: "quiet" }, t("callbacks.calls.none"));

  board.define({
    url: (tab) => {
      const url = new URL("/api/desks/call-backs", location.href);
      if (STATES[tab]) url.searchParams.set("state", STATES[tab]);
      if (board.asked("reason")) url.searchParams.set("reason", board.asked("reason"));
      return url.href;
    },
    rows: (told) => (board.tab() === "due" ? told.rows.filter((row) => row.state !== "later") : told.rows),
    caseUrl: (id) => `/api/desks/call-backs/${id}`,
    version: (told) => told.ticket.version,
    lock: (told) => told.ticket.version,
    follows: (desk) => desk === "ticket" || desk === "call_back",
    empty: (tab) => t(`callbacks.empty.${tab}`),
    count: (tab, { states }) => ({ due: (states.late || 0) + (states.now || 0), later: states.later || 0, given_up: states.given_up || 0 })[tab],
    foot: (told) => t("board.foot", { n: board.rows.length, total: Math.max(board.rows.length, told.total - (board.tab() === "due" ? told.states.later || 0 : 0)) }),
    filters: (told) => [board.filter("reason", t("callbacks.filter.reason"), told.reasons, (value) => t(`callbacks.reason.${value}`))].filter(Boolean),
    tools: () => board.exports(),
    tiles: ({ states, figures }) => ({
      queue: { n: (states.late || 0) + (states.now || 0) + (states.later || 0), note: t("callbacks.note.queue", { later: wangge.int(states.later || 0) }) },
      late: { n: states.late || 0, late: true, note: t("callbacks.note.late") },
      reached: { n: figures.answered, d: figures.calls, note: t("callbacks.note.reached", { days: figures.days }) },
      content: { n: figures.content, d: figures.rated, note: t("callbacks.note.content", { days: figures.days }) },
      solved: { n: figures.solved, d: figures.told, note: t("callbacks.note.solved", { days: figures.days }) },
    }),
    item: (row) => {
      const due = when(row);
      const tried = row.attempts ? t("callbacks.tried", { n: row.attempts }) : null;
      return {
        id: row.id, mark: due.mark, title: row.title || board.name("category", row.category), when: due.text,
        place: [board.name("category", row.category), board.place(row)].filter(Boolean).join(" \u00b7 "),
        why: [why(row), tried].filter(Boolean).join(" \u00b7 "),
        chips: [board.mixed(row)],
      };
    },
    draw: (told) => {
      const { ticket, call } = told;
      const due = call ? when(call) : null;
      const sampled = t("callbacks.why.sample", { draw: told.draw.toFixed(4), rate: told.rate, channel: board.name("channel", ticket.channel) });
      const reason = call ? (call.reason === "sample" ? sampled : t(`callbacks.why.${call.reason}`)) : t("callbacks.why.none");
      const may = call && config.rights.includes("tickets.call_back");
      return [
        board.head(ticket.title || board.name("category", ticket.category), ticket.number,
          [board.chip(call ? why(call) : t("callbacks.not_due"), call?.reason === "unsatisfied" ? "strong" : ""), board.chip(board.name("channel", ticket.channel)), board.chip(board.name("category", ticket.category)), board.chip(board.name("status", ticket.status)), board.generated(ticket)],
          due, call?.state === "later" ? t("callbacks.clock.again") : t("callbacks.clock")),
        h("p", { class: "because" }, reason),
        board.facts([
          [t("board.fact.place"), board.place(ticket)], [t("board.fact.address"), ticket.address], [t("board.fact.reported"), board.at(ticket.reported_at)],
          [t("board.fact.department"), board.name("department", ticket.department)], [t("board.fact.handled"), board.at(ticket.handled_at ?? ticket.closed_at)],
          [t("board.fact.description"), ticket.description], [t("board.fact.result"), ticket.result],
        ]),
        may ? board.section(t("callbacks.call"), h("div", { class: "reach" }, reporter(told), commandsFrom(2, inVain(told))), answer(told)) : null,
        board.section(t("callbacks.calls"), calls(told)),
      ];
    },
  });
  // The first key shows the number.
  const commandsFrom = (key, command) => {
    const bar = board.commands([command]);
    const button = bar.querySelector("[data-key]");
    button.dataset.key = String(key);
    button.querySelector("kbd").textContent = String(key);
    return bar;
  };
})();
