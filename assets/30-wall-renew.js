// A paired wall renews its token once a day, without anybody touching it; the server says when there is a new one.
(() => {
  "use strict";
  const wangge = window.wangge;
  if (!wangge || wangge.config.viewer?.kind !== "wall") return;
  const DAY_MS = 86400000;
  const AGAIN_MS = 60000; // a renewal that got no answer; the token before stays valid for ten minutes

  const renew = async () => {
    try {
      const answer = await fetch("/api/walls/renew", { method: "POST", signal: AbortSignal.timeout(10000) });
      if (answer.status === 401) return wangge.live?.end();
      setTimeout(renew, answer.ok || answer.status === 403 ? DAY_MS : AGAIN_MS);
    } catch {
      setTimeout(renew, AGAIN_MS);
    }
  };
  setTimeout(renew, 5000 + Math.random() * AGAIN_MS); // not while the page fills, nor all walls at once after a power cut
})();
