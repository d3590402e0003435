// The handover of a shift: what is open, promised and watched, with notes, given by one and taken by another.
(() => {
  "use strict";
  const desk = window.wangge?.desk;
  if (!desk || desk.pane === "map") return;
  const wangge = window.wangge;
  const { t, h, on, config } = wangge;
  const { text, button } = desk;
  const FIGURES = ["handed_out", "signed", "closed", "overdue"];
  const MOST = 200; // that the server tells of each list
  const latest = desk.latest();

  const ticket = (one) =>
    h("div", { class: "one" }, button(desk.title(one), { class: "link" }, () => (desk.close(), desk.choose(one.id, { by: "handover" }))), text("p", {}, [t(`dispatch.handover.why.${one.why}`), desk.town(one.area_no, one.town), desk.status(one.status), one.until ? t("dispatch.limit", { at: desk.moment(one.until) }) : one.due_at ? t("dispatch.limit", { at: desk.moment(one.due_at) }) : null].filter(Boolean).join(" \u00b7 ")));
  const note = (one, done) =>
    h("div", { class: "one" }, text("b", {}, one.words), text("p", {}, [t(`dispatch.handover.kind.${one.kind}`), one.ticket ? desk.title(one.ticket) : null, one.due_at ? t("dispatch.limit", { at: desk.moment(one.due_at) }) : null, one.by_name || one.by, desk.moment(one.at)].filter(Boolean).join(" \u00b7 ")), h("div", { class: "do" }, one.done_at || !done ? text("small", { class: "none" }, one.done_at ? t("dispatch.handover.done_at", { at: desk.at(one.done_at) }) : "") : button(t("dispatch.handover.done"), {}, () => done(one))));
  const part = (words, rows, none) => [text("h3", {}, words), ...(rows.length ? rows : [text("p", { class: "none" }, none)])];

  let typed = false; // somebody is writing: news wait
  const show = async (place) => {
    const mine = latest.next();
    typed = false;
    if (!place.querySelector(".body")) place.replaceChildren(desk.head(t("dispatch.handover")), h("div", { class: "body" }, ...Array.from({ length: 6 }, () => h("div", { class: "wait" }))));
    try {
      const told = await desk.ask(desk.url("/api/dispatch/handover", { within: config.within }));
      if (latest.is(mine) && desk.opened() === "handover") draw(place, told);
    } catch (error) {
      if (latest.is(mine)) place.replaceChildren(desk.head(t("dispatch.handover")), h("div", { class: "body" }, text("p", { class: "note" }, wangge.sentence(error)), button(t("dispatch.again"), {}, () => show(place))));
    }
  };
  const act = async (place, send, words) => {
    try {
      await send();
      if (words) desk.toast(words);
    } catch (error) {
      desk.toast(error.code === "own_handover" ? t("dispatch.handover.own") : wangge.sentence(error), { bad: true });
    }
    if (desk.opened() === "handover") show(place);
  };
  const sign = (place, told) => {
    const { given, to_take: coming } = told;
    const words = h("textarea", { rows: "2", maxlength: "1000", placeholder: t("dispatch.handover.words"), "aria-label": t("dispatch.handover.words") });
    words.addEventListener("input", () => (typed = true));
    const mine = given
      ? h("div", { class: "done" }, text("b", {}, t("dispatch.handover.given", { at: desk.at(given.given_at) })), text("span", {}, t("dispatch.handover.waits")), button(t("dispatch.handover.withdraw"), {}, () => act(place, () => wangge.send("DELETE", `/api/dispatch/handover/${given.id}`), t("dispatch.handover.withdrawn"))))
      : h("div", {}, text("b", {}, t("dispatch.handover.give")), words, button(t("dispatch.handover.sign"), { class: "main" }, () => act(place, () => wangge.post("/api/dispatch/handover/give", words.value.trim() ? { words: words.value.trim() } : {}), t("dispatch.handover.signed"))));
    const theirs = coming.length
      ? coming.map((one) => h("div", {}, text("b", {}, t("dispatch.handover.from", { name: one.given_name || one.given_by, at: desk.at(one.given_at) })), one.snapshot?.figures ? text("span", { class: "none" }, t("dispatch.handover.then", { open: one.snapshot.open?.length ?? 0, promised: one.snapshot.promised?.length ?? 0, overdue: one.snapshot.figures.overdue ?? 0 })) : null, one.words ? text("span", {}, one.words) : null, button(t("dispatch.handover.take"), { class: "main" }, () => act(place, () => wangge.post(`/api/dispatch/handover/${one.id}/take`, { digest: one.digest }), t("dispatch.handover.taken")))))
      : [h("div", {}, text("b", {}, t("dispatch.handover.take")), text("span", { class: "none" }, t("dispatch.handover.nobody")))];
    return h("div", { class: "sign" }, mine, ...theirs);
  };
  const draw = (place, told) => {
    const add = wangge.form({
      inline: true,
      submit: t("dispatch.handover.add"),
      fields: [
        { name: "kind", kind: "choice", label: t("dispatch.handover.kind"), required: true, value: "note", options: ["note", "promised", "watched"].map((value) => ({ value, label: t(`dispatch.handover.kind.${value}`) })) },
        { name: "words", kind: "words", label: t("dispatch.handover.note"), required: true, most: 500, hint: desk.chosen != null ? t("dispatch.handover.note.about", { number: desk.card?.ticket.number ?? desk.chosen }) : null },
        { name: "due_at", kind: "moment", label: t("dispatch.handover.due") },
      ],
      send: async (values) => {
        await wangge.post("/api/dispatch/handover/notes", { ...values, ...(desk.chosen != null && values.kind !== "note" ? { ticket_id: desk.chosen } : {}) });
        desk.toast(t("dispatch.handover.added"));
        show(place);
      },
    });
    add.addEventListener("input", () => (typed = true));
    const done = (one) => act(place, () => wangge.post(`/api/dispatch/handover/notes/${one.id}/done`, {}));
    const tiles = h("div", { class: "tiles" }, ...FIGURES.map((name) => h("div", {}, text("b", {}, wangge.int(told.figures[name] ?? 0)), text("span", {}, t(`dispatch.handover.figure.${name}`)))));
    const promised = told.promised.map((one) => (one.words ? note(one, done) : ticket(one)));
    const rest = told.notes.filter((one) => !told.promised.some((other) => other.id === one.id && other.words)).map((one) => note(one, done));
    const scroll = place.querySelector(".body")?.scrollTop ?? 0;
    const body = h("div", { class: "body" }, tiles, sign(place, told),
      ...part(t("dispatch.handover.open", { n: told.open.length < MOST ? told.open.length : `${MOST}+` }), told.open.map(ticket), t("dispatch.handover.open.none")),
      ...part(t("dispatch.handover.promised", { n: promised.length }), promised, t("dispatch.handover.promised.none")),
      ...part(t("dispatch.handover.watched", { n: told.watched.length }), told.watched.map(ticket), t("dispatch.handover.watched.none")),
      ...part(t("dispatch.handover.notes", { n: rest.length }), rest, t("dispatch.handover.notes.none")),
      text("h3", {}, t("dispatch.handover.add")), add);
    const log = config.rights.includes("export") ? button(t("dispatch.handover.log"), {}, () => wangge.save("/api/dispatch/handover/export", { since: new Date(told.shift.since).toISOString(), lang: config.language, whose: "mine" })) : null;
    place.replaceChildren(desk.head(t("dispatch.handover"), t("dispatch.handover.lead", { at: desk.moment(told.shift.since) })), body, ...(log ? [h("footer", {}, log)] : []));
    body.scrollTop = scroll;
  };
  desk.panel("handover", show);
  const count = () => desk.ask(desk.url("/api/dispatch/handover", { within: config.within })).then((told) => desk.badge("handover", told.to_take.length, ""), () => {});
  on("mounted", count);
  on("desk:closed", (name) => name === "handover" && latest.next());
  wangge.live?.on("desks", (news) => {
    if (!news.some(([name]) => name === "handover")) return;
    count();
    if (desk.opened() === "handover" && !typed) show(document.getElementById("panel"));
  });
})();
