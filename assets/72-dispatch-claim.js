// The claim on the chosen ticket: taken on opening it to decide, renewed while working, given up on leaving.
(() => {
  "use strict";
  const desk = window.wangge?.desk;
  if (!desk || desk.pane === "map") return;
  const wangge = window.wangge;
  const { t, h, on } = wangge;
  const RENEW_MS = 40000; // of a lease of two minutes
  const DONE = ["handled", "verified"]; // nothing to hand out
  const IDLE_MS = 300000; // nobody has touched anything for so long: the lease ends by itself

  let touched = Date.now();
  let clicked = null; // id of a ticket that was opened to decide before anything was known of it
  for (const kind of ["pointerdown", "keydown", "wheel"]) addEventListener(kind, () => (touched = Date.now()), { passive: true });
  const path = (id) => `/api/dispatch/tickets/${id}/claim`;
  const put = (id, claim) => {
    if (desk.chosen !== id) return;
    desk.claim = claim;
    wangge.emit("desk:claim", claim);
  };
  const held = (error) => ({ mine: false, ...(error.details?.[0] || {}) });

  // Resolves with the claim; one that somebody else holds is told and not taken without a word.
  desk.claimIt = async (more = {}, { quiet = false } = {}) => {
    const id = desk.chosen;
    if (id == null) return null;
    try {
      const claim = await wangge.send("POST", path(id), more);
      put(id, claim);
      return claim;
    } catch (error) {
      if (error.status === 409 && error.code === "claimed") put(id, held(error));
      else if (desk.claim?.mine && desk.claim.until < desk.now()) put(id, null); // not renewed in time: nobody's again
      if (!quiet) desk.toast(error.code === "claimed" ? t("dispatch.claimed", { name: held(error).by_name, at: desk.at(held(error).since) }) : wangge.sentence(error), { bad: true });
      return null;
    }
  };
  desk.release = async (id = desk.chosen, { keepalive = false } = {}) => {
    if (id == null) return;
    if (desk.chosen === id) put(id, null);
    if (!keepalive) return wangge.send("DELETE", path(id)).catch(() => {}); // a lease ends by itself
    const token = /(?:^|;\s*)_csrf_token=([^;]*)/.exec(document.cookie)?.[1] ?? "";
    fetch(path(id), { method: "DELETE", keepalive: true, headers: { "X-CSRFToken": token } }).catch(() => {});
  };
  // The one key for all of it: claim, give up, or take over from somebody else.
  desk.claimOr = () => (desk.chosen == null ? null : desk.claim?.mine ? desk.release() : desk.claim ? desk.takeOver() : desk.claimIt());
  // Taking over needs a word, which its former holder reads.
  desk.takeOver = () => {
    const { claim } = desk;
    if (!claim || claim.mine) return;
    wangge.dialog(t("dispatch.take_over"), t("dispatch.take_over.lead", { name: claim.by_name }), (close) =>
      wangge.form({
        submit: t("dispatch.take_over"),
        fields: [{ name: "word", kind: "words", label: t("dispatch.take_over.word"), required: true, most: 200 }],
        withdrawn: () => close(),
        send: async (values) => {
          const id = desk.chosen;
          put(id, await wangge.send("POST", path(id), { take_over: true, ...values }));
          close(t("dispatch.taken_over"));
        },
      }),
    );
  };

  on("desk:chosen", ({ id, before, by }) => {
    const was = desk.mineBefore;
    if (before != null && was === before) desk.release(before);
    desk.mineBefore = null;
    const row = desk.row(id);
    if (row?.claim) put(id, row.claim);
    // A click opens it to decide; with the arrows one looks first and claims by Enter. What the list has not loaded is
    // claimed once it is known what it is.
    clicked = by === "click" && !row ? id : null;
    if (by === "click" && row && !(row.claim && !row.claim.mine) && !DONE.includes(row.status)) desk.claimIt({}, { quiet: true });
  });
  on("desk:card", (error) => {
    if (error || clicked == null || clicked !== desk.chosen) return;
    clicked = null;
    const { ticket } = desk.card;
    if (ticket.closed_at == null && !DONE.includes(ticket.status)) desk.claimIt({}, { quiet: true });
  });
  on("desk:claim", (claim) => (desk.mineBefore = claim?.mine ? desk.chosen : null));
  on("desk:rows", () => {
    const row = desk.row(desk.chosen);
    if (!row) return;
    const told = row.claim;
    if (!told && desk.claim && !desk.claim.mine) put(row.id, null);
    else if (told && !told.mine && desk.claim?.by_name !== told.by_name) put(row.id, told);
  });
  setInterval(() => {
    if (desk.claim?.mine && Date.now() - touched < IDLE_MS) desk.claimIt({}, { quiet: true });
    else if (desk.claim && desk.claim.until < desk.now()) put(desk.chosen, null);
  }, RENEW_MS);
  addEventListener("pagehide", () => desk.claim?.mine && desk.release(desk.chosen, { keepalive: true }));

  // A word of somebody who took a ticket over from me.
  const read = new Set();
  const opened = Date.now() - 60000;
  wangge.live?.on("desks", async (news) => {
    if (!news.some(([name]) => name === "claim")) return;
    if (news.some(([name, id]) => name === "claim" && id === desk.chosen) && desk.claim?.mine !== false) desk.reload?.();
    const answer = await desk.ask("/api/dispatch/claims?words=mine").catch(() => null);
    for (const one of answer?.words || []) {
      if (read.has(one.id) || one.at < opened) continue;
      read.add(one.id);
      if (one.ticket_id === desk.chosen) put(one.ticket_id, answer.rows.find((row) => row.ticket_id === one.ticket_id) || null);
      desk.toast(t("dispatch.taken_from_you", { name: one.by_name || one.by, word: one.word }), { bad: true, seconds: 30 });
    }
  });

  // The line that says whose it is.
  desk.claimLine = () => {
    const { claim } = desk;
    const since = claim?.since ? desk.text("time", {}, t("dispatch.since", { at: desk.at(claim.since) })) : null;
    if (claim?.mine) return h("div", { class: "claim mine" }, h("b", {}, t("dispatch.claim.mine")), desk.text("span", {}, t("dispatch.claim.mine.note")), since, desk.button([t("dispatch.release"), h("kbd", {}, "C")], {}, () => desk.release()));
    if (claim) return h("div", { class: "claim other", role: "alert" }, h("b", {}, t("dispatch.claim.other", { name: claim.by_name })), desk.text("span", {}, t("dispatch.claim.other.note")), since, desk.button([t("dispatch.take_over"), h("kbd", {}, "C")], {}, () => desk.takeOver()));
    return h("div", { class: "claim none" }, desk.text("span", {}, t("dispatch.claim.none")), desk.button([t("dispatch.claim"), h("kbd", {}, "Enter")], {}, () => desk.claimIt()));
  };
})();
