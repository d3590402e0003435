// The page of signing in: one form a step, each sent to /api/session; what went wrong is said in words of the page.
(() => {
  "use strict";
  const { step: first, to, lang, login: mine, min, words, ...told } = JSON.parse(document.getElementById("told").textContent);
  let pending = told.pending;
  const error = document.getElementById("error");
  const form = (name) => document.getElementById(name);
  const STEPS = ["password", "code", "change", "enrol", "scan", "own"];
  const kept = { login: mine, password: "" }; // what was typed, until the page is left
  let enrolment = null;

  const t = (key, params = {}) => (words[`sign_in.${key}`] || key).replace(/\{(\w+)\}/g, (all, name) => (name in params ? params[name] : all));
  const say = (text) => {
    error.textContent = "";
    if (text) requestAnimationFrame(() => (error.textContent = text)); // said again when it is the same
  };

  // --- steps
  const show = (name, { focus = true } = {}) => {
    for (const step of STEPS) if (form(step)) form(step).hidden = step !== name;
    document.body.dataset.step = name;
    const now = form(name);
    for (const hidden of now.querySelectorAll("input[name=login][hidden]")) hidden.value = kept.login;
    if (name === "change") {
      const current = now.elements.current;
      current.value = kept.password;
      current.closest(".field").hidden = kept.password !== "";
      now.querySelector(".lead").textContent = t(pending.includes("password") ? "change.first" : "change.do");
    }
    if (name === "password" && kept.login && !now.elements.login.value) now.elements.login.value = kept.login;
    if (focus) (now.querySelector(".field:not([hidden]) input:not([hidden])") || now.querySelector("a, button")).focus();
  };

  // --- asking the server
  class Refused extends Error {
    constructor(status, body, wait_s) {
      super(body.code);
      Object.assign(this, { status, code: body.code, details: body.details || [], wait_s });
    }
  }
  const ask = async (method, path, body) => {
    const csrf = /(?:^|; )_csrf_token=([^;]*)/.exec(document.cookie)?.[1];
    const headers = { ...(body ? { "Content-Type": "application/json" } : {}), ...(csrf ? { "X-CSRFToken": decodeURIComponent(csrf) } : {}) };
    const answer = await fetch(path, { method, headers, body: body && JSON.stringify(body), cache: "no-store" });
    const read = answer.status === 204 ? {} : await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Refused(answer.status, read.error || { code: "other" }, Number(answer.headers.get("Retry-After")) || 60);
    return read;
  };
  const sentence = (fault) => {
    if (!(fault instanceof Refused)) return t("error.unreachable");
    if (fault.code === "locked") return t("error.locked", { minutes: Math.ceil(fault.wait_s / 60) });
    if (fault.status === 503) return t("away");
    if (fault.status === 429) return t("error.too_many", { seconds: fault.wait_s });
    if (fault.code === "bad_password") return fault.details.map(({ rule }) => t(`error.${rule}`, { n: min })).join(" ");
    if (fault.code === "unauthorized" || fault.code === "forged") return t("error.ended");
    return `sign_in.error.${fault.code}` in words ? t(`error.${fault.code}`) : t("error.other");
  };
  const mark = (now, fault) => {
    for (const input of now.querySelectorAll("[aria-invalid]")) input.removeAttribute("aria-invalid");
    const wrong = { wrong_credentials: ["password", "current"], wrong_code: ["code"], bad_password: ["new"], unequal: ["again"] }[fault] || [];
    for (const name of wrong) {
      const input = now.elements[name];
      if (!input || input.closest("[hidden]")) continue;
      input.setAttribute("aria-invalid", "true");
      input.setAttribute("aria-errormessage", "error");
      input.select();
      input.focus();
    }
  };

  // --- what an answer leads to
  const go = (who) => {
    pending = who.pending;
    kept.login = who.login;
    if (pending.includes("password")) return show("change");
    if (pending.includes("second_factor")) return kept.password ? begin() : show("enrol");
    document.body.dataset.step = "done";
    location.assign(to || who.home + (lang ? `?lang=${lang}` : ""));
  };
  const begin = async () => {
    const begun = await ask("POST", "/api/session/second-factor", { password: kept.password });
    enrolment = begun.enrolment;
    document.getElementById("qr").src = `data:image/svg+xml,${encodeURIComponent(begun.svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" '))}`;
    document.getElementById("key").textContent = begun.key.replace(/(.{4})(?=.)/g, "$1 ");
    show("scan");
  };
  const acts = {
    password: async (now) => {
      kept.login = now.login.value.trim();
      kept.password = now.password.value;
      try {
        go(await ask("POST", "/api/session", { login: kept.login, password: kept.password }));
      } catch (fault) {
        if (fault.code !== "code_needed") throw fault;
        form("code").elements.code.value = "";
        show("code");
      }
    },
    code: async (now) => go(await ask("POST", "/api/session", { ...kept, code: now.code.value })),
    change: async (now) => {
      if (now.new.value !== now.again.value) throw new Refused(422, { code: "unequal" });
      const who = await ask("POST", "/api/session/password", { current: now.current.value, new: now.new.value });
      kept.password = now.new.value;
      go(who);
    },
    enrol: async (now) => {
      kept.password = now.password.value;
      await begin();
    },
    scan: async (now) => go(await ask("POST", "/api/session/second-factor", { enrolment, code: now.code.value })),
  };

  for (const [name, act] of Object.entries(acts)) {
    const now = form(name);
    const button = now.querySelector("button[type=submit]");
    const word = button.textContent;
    now.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (now.getAttribute("aria-busy") === "true") return;
      const empty = [...now.querySelectorAll("input[required]")].find((input) => !input.value && !input.closest("[hidden]"));
      if (empty) return empty.focus();
      now.setAttribute("aria-busy", "true");
      button.textContent = t("busy");
      say("");
      try {
        await act(now.elements);
      } catch (fault) {
        if (!(fault instanceof Refused) && !(fault instanceof TypeError)) console.error(fault);
        say(sentence(fault));
        if (["unauthorized", "forged"].includes(fault.code)) show("password");
        else mark(now, fault.code);
      }
      now.removeAttribute("aria-busy");
      button.textContent = word;
    });
  }

  // --- the rest of the page
  for (const eye of document.querySelectorAll(".eye")) {
    eye.addEventListener("click", () => {
      const input = eye.parentElement.querySelector("input");
      const shown = input.type === "password";
      input.type = shown ? "text" : "password";
      eye.setAttribute("aria-pressed", String(shown));
      eye.title = t(shown ? "hide" : "show");
      eye.setAttribute("aria-label", eye.title);
      input.focus();
    });
  }
  for (const button of document.querySelectorAll("[data-step]")) {
    if (button.tagName !== "BUTTON") continue;
    button.addEventListener("click", async () => {
      say("");
      if (button.dataset.step === "password" && document.body.dataset.step !== "code") {
        if (first === "own") return show("own"); // from one's own page and back to it
        await ask("DELETE", "/api/session").catch(() => {});
      }
      kept.password = "";
      show(button.dataset.step);
    });
  }
  document.getElementById("out")?.addEventListener("click", async () => {
    try {
      await ask("DELETE", "/api/session");
      location.assign("/sign-in" + location.search);
    } catch (fault) {
      say(sentence(fault));
    }
  });
  for (const row of document.querySelectorAll(".demo tr[data-login]")) {
    row.addEventListener("click", () => {
      const { login, password } = form("password").elements;
      show("password", { focus: false });
      login.value = row.dataset.login;
      password.value = row.dataset.password;
      form("password").querySelector("button[type=submit]").focus();
    });
  }

  show(first);
})();
