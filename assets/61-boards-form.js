// What the boards add to forms: the bar of commands of a case, parties of a dispute, ledgers to take away.
(() => {
  "use strict";
  const wangge = window.wangge;
  const board = wangge?.board;
  if (!board) return;
  const { t, h, on, config } = wangge;
  on("said", (sentence) => board.say(sentence));

  // Parties of a dispute: one line each.
  const parties = () => {
    const rows = h("div", { class: "parties-in" });
    const line = (side) => {
      const pick = h("select", { "aria-label": t("mediation.side") }, ...["applicant", "respondent", "other"].map((value) => h("option", { value }, t(`mediation.side.${value}`))));
      pick.value = side;
      const name = h("input", { type: "text", maxlength: "60", placeholder: t("mediation.party.name"), "aria-label": t("mediation.party.name"), autocomplete: "off" });
      const phone = h("input", { type: "text", maxlength: "40", placeholder: t("mediation.party.phone"), "aria-label": t("mediation.party.phone"), autocomplete: "off" });
      return h("div", {}, pick, name, phone);
    };
    const more = h("button", { type: "button", class: "plain" }, t("mediation.party.add"));
    more.addEventListener("click", () => rows.children.length < 10 && rows.append(line("other")));
    rows.append(line("applicant"), line("respondent"));
    const read = () =>
      [...rows.children]
        .map((row) => ({ side: row.children[0].value, name: row.children[1].value.trim(), phone: row.children[2].value.trim() || undefined }))
        .filter((one) => one.name);
    return { node: h("div", {}, rows, more), read };
  };
  wangge.form.KINDS.parties = parties;

  // --- the bar of commands: [{name, label, needs, main, danger, fields, send, say, advance}]
  let closeOpen = null;
  board.closeForm = () => {
    if (!closeOpen) return false;
    closeOpen();
    return true;
  };
  board.commands = (commands) => {
    const place = h("div", { class: "form-place" });
    const buttons = commands.map((command, at) => {
      const key = at < 9 ? String(at + 1) : null;
      const button = h("button", { type: "button", class: command.main ? "main" : command.danger ? "danger" : "", "data-key": key, "data-command": command.name, "aria-expanded": command.fields ? "false" : null },
        key ? h("kbd", { "aria-hidden": "true" }, key) : null, h("span", {}, command.label, command.needs ? h("small", {}, command.needs) : null));
      button.addEventListener("click", () => (command.fields ? toggle(command, button) : direct(command, button)));
      return button;
    });
    const close = () => {
      place.replaceChildren();
      for (const button of buttons) if (button.hasAttribute("aria-expanded")) button.setAttribute("aria-expanded", "false");
      closeOpen = null;
    };
    const toggle = (command, button) => {
      const was = button.getAttribute("aria-expanded") === "true";
      close();
      if (was) return;
      button.setAttribute("aria-expanded", "true");
      const form = wangge.form({
        fields: typeof command.fields === "function" ? command.fields() : command.fields,
        stale: board.reread, submit: command.label, danger: command.danger, note: command.note, withdrawn: () => closeOpen(),
        send: async (values) => {
          await board.sends(() => command.send(values));
          close();
          await board.done(command.say || t("board.done", { command: command.label }), { advance: command.advance });
        },
      });
      place.replaceChildren(form);
      closeOpen = () => {
        close();
        button.focus();
        if (button.closest("#case")?.querySelector(".newer")) board.openCase();
      };
      form.querySelector("input,textarea,select")?.focus();
      form.scrollIntoView({ block: "nearest" });
    };
    const direct = async (command, button) => {
      bar.inert = true; // nothing else is begun on what is about to change
      try {
        await board.sends(() => command.send({}));
        await board.done(command.say || t("board.done", { command: command.label }), { advance: command.advance });
      } catch (error) {
        if (error instanceof Error) throw error;
        board.say(board.sentence(error), true);
        await board.reread();
      } finally {
        bar.inert = false;
      }
    };
    const bar = h("section", { class: "commands", "aria-label": t("board.commands") }, h("div", { class: "acts" }, ...buttons), place);
    return bar;
  };

  // --- ledgers
  const DAY_MS = 86400000;
  board.exports = () => {
    if (!config.rights.includes("export")) return [];
    const button = h("button", { type: "button", id: "export" }, t("board.export"));
    button.addEventListener("click", () =>
      wangge.dialog(t("board.export.title"), t("board.export.lead"), (close) =>
        wangge.form({
          submit: t("board.export.submit"),
          fields: [
            ...(config.board.ledgers.length > 1
              ? [{ name: "ledger", kind: "choice", label: t("board.export.ledger"), required: true, value: config.board.ledgers[0], options: config.board.ledgers.map((value) => ({ value, label: t(`desk.ledger.${value}`) })) }]
              : []),
            { name: "since", kind: "day", label: t("board.export.since"), required: true, value: wangge.localDay(board.now() - 30 * DAY_MS) },
            { name: "until", kind: "day", label: t("board.export.until"), required: true, value: wangge.localDay(board.now()) },
            { name: "reason", kind: "text", label: t("board.export.reason"), required: true, most: 200, hint: t("board.export.reason.hint") },
          ],
          withdrawn: () => close(),
          send: async ({ ledger = config.board.ledgers[0], since, until, reason }) => {
            const after = new Date(Date.parse(`${until}T00:00Z`) + DAY_MS).toISOString().slice(0, 10);
            const answer = await wangge.post("/api/desks/export", {
              ledger, reason, lang: config.language, since: wangge.toMoment(`${since}T00:00`), until: wangge.toMoment(`${after}T00:00`), within: config.within || undefined,
            }, wangge.FILE_S);
            const name = /filename="([^"]+)"/.exec(answer.headers.get("content-disposition") || "")?.[1] || `${ledger}.xlsx`;
            const link = h("a", { href: URL.createObjectURL(await answer.blob()), download: name });
            link.click();
            setTimeout(() => URL.revokeObjectURL(link.href), 10000);
            close(t("board.export.done", { name }));
          },
        }),
      ),
    );
    return [button];
  };
})();
