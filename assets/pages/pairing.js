// A wall that is not paired: shows a code, asks every two seconds whether it was confirmed, and then opens the wall.
(() => {
  "use strict";
  const ASK_MS = 2000;
  const RETRY_MS = [1000, 10000]; // first and longest pause while the server does not answer
  const KEPT = "wangge.pairing"; // of this tab: a reload shows the same code
  const { words, life_s } = JSON.parse(document.getElementById("told").textContent);
  const code = document.querySelector(".code");
  const life = document.querySelector(".life i");
  const state = document.querySelector(".state");

  const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const fill = (word, params) => word.replace(/\{(\w+)\}/g, (all, name) => (name in params ? params[name] : all));
  const now_s = () => Date.now() / 1000;

  // A browser in which somebody is signed in as well must say that the request is its own.
  const post = async (path, body) => {
    const csrf = /(?:^|; )_csrf_token=([^;]*)/.exec(document.cookie)?.[1];
    const headers = { "Content-Type": "application/json", ...(csrf ? { "X-CSRFToken": decodeURIComponent(csrf) } : {}) };
    const answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(body), cache: "no-store", signal: AbortSignal.timeout(10000) });
    if (answer.status === 429) throw Object.assign(new Error("busy"), { wait_s: Number(answer.headers.get("Retry-After")) || 10 });
    if (!answer.ok) throw new Error(String(answer.status));
    return answer.json();
  };

  // --- what is shown
  let pairing = null; // {code, secret, until}
  let trouble = null; // words instead of the remaining time
  const say = (text) => {
    if (state.textContent !== text) state.textContent = text;
  };
  const show = () => {
    const left_s = pairing ? Math.max(0, Math.round(pairing.until - now_s())) : 0;
    life.style.width = `${Math.min(100, (100 * left_s) / life_s)}%`;
    if (trouble) return say(trouble);
    if (!pairing) return say(words.starting);
    say(fill(words.left, { time: `${Math.floor(left_s / 60)}:${String(left_s % 60).padStart(2, "0")}` }));
  };
  const spell = () => {
    code.classList.toggle("none", !pairing);
    code.setAttribute("aria-label", pairing ? [...pairing.code.replace("-", "")].join(" ") : words.starting);
    const shown = pairing ? pairing.code.replace("-", "") : "";
    code.querySelectorAll("span").forEach((place, i) => {
      place.textContent = shown[i] || "";
    });
    document.body.dataset.code = pairing ? pairing.code : "";
  };
  const keep = (next) => {
    pairing = next;
    try {
      if (next) sessionStorage.setItem(KEPT, JSON.stringify(next));
      else sessionStorage.removeItem(KEPT);
    } catch {
      // a browser without storage shows a new code after a reload
    }
    spell();
    show();
  };
  const kept = () => {
    try {
      const found = JSON.parse(sessionStorage.getItem(KEPT));
      return found && found.until > now_s() + 5 ? found : null;
    } catch {
      return null;
    }
  };

  // --- one step: get a code, or ask how it stands
  const step = async () => {
    if (!pairing || pairing.until <= now_s()) {
      const { code: given, secret, left_s } = await post("/api/walls/pairing", {});
      keep({ code: given, secret, until: now_s() + left_s });
      return false;
    }
    const answer = await post("/api/walls/pairing/claim", { secret: pairing.secret });
    if (answer.state === "paired") return true;
    if (answer.state === "expired") keep(null);
    else pairing.until = now_s() + answer.left_s;
    return false;
  };
  // A browser that is sent to a server that is away shows its own error for ever: go when somebody answers.
  const open = async () => {
    keep(null);
    trouble = words.paired;
    show();
    document.body.dataset.state = "paired";
    for (;;) {
      try {
        if ((await fetch("/api/health", { cache: "no-store" })).ok) return location.replace(location.href);
      } catch {
        // tried again below
      }
      await sleep(ASK_MS);
    }
  };
  const run = async () => {
    for (let missed = 0; ; ) {
      try {
        if (await step()) return open();
        missed = 0;
        trouble = null;
        show();
        await sleep(pairing ? ASK_MS : 0);
      } catch (error) {
        missed += 1;
        trouble = error.wait_s ? fill(words.busy, { n: error.wait_s }) : missed > 1 ? words.away : trouble;
        show();
        await sleep(error.wait_s ? error.wait_s * 1000 : Math.min(RETRY_MS[1], RETRY_MS[0] * 2 ** (missed - 1)));
      }
    }
  };

  setInterval(show, 1000);
  keep(kept());
  run();
})();
