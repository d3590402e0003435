// What a page shows when its session or pairing has ended: nothing of the map, and where to go from here.
(() => {
  "use strict";
  const wangge = window.wangge;
  if (!wangge || !wangge.live || !wangge.t) return;
  const LEAVE_MS = 5000; // a wall goes back to its code after so long
  const { t, h, config } = wangge;
  const paired = config.viewer ? config.viewer.kind === "wall" : config.screen === "wall";

  const asked = new URLSearchParams(location.search).get("lang");
  const lang = asked ? `?lang=${encodeURIComponent(asked)}` : "";

  // A browser that is sent to a server that is away shows its own error for ever: go when somebody answers.
  const leave = async () => {
    try {
      if ((await fetch("/api/health", { cache: "no-store" })).ok) return location.replace(`/wall/${lang}`);
    } catch {
      // tried again below
    }
    setTimeout(leave, LEAVE_MS);
  };

  const back = `/sign-in?${new URLSearchParams({ to: location.pathname + location.search, ...(asked ? { lang: asked } : {}) })}`;
  wangge.live.on("ended", () => {
    const link = paired ? null : h("a", { href: back }, t("ended.account.sign_in"));
    const title = h("h1", { id: "ended-title" }, t(paired ? "ended.wall" : "ended.account"));
    const words = h("p", { id: "ended-words" }, t(paired ? "ended.wall.do" : "ended.account.do"));
    const notice = h(
      "div",
      { id: "ended", role: "alertdialog", "aria-labelledby": "ended-title", "aria-describedby": "ended-words", tabindex: "-1" },
      h("main", {}, title, words, link),
    );
    for (const node of [...document.body.children]) node.hidden = true; // what was on the screen is not theirs any more
    document.body.append(notice);
    document.documentElement.dataset.ended = paired ? "wall" : "account";
    (link || notice).focus();
    if (paired) setTimeout(leave, LEAVE_MS);
  });
})();
