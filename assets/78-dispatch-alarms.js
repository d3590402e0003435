// Alarms: what has come up, by grade, with a sound that can be muted, acknowledged by name.
(() => {
  "use strict";
  const desk = window.wangge?.desk;
  if (!desk || desk.pane === "map") return;
  const wangge = window.wangge;
  const { t, h, on, config } = wangge;
  const { text, button } = desk;
  const MUTED = "wangge.dispatch.muted";
  const RETRY_MS = 5000;
  const AGAIN_MS = 20000; // an urgent one sounds again until somebody has acknowledged it

  // --- the sound: two soft notes, or three urgent ones; the browser allows it after the first click or key
  let player = null;
  let muted = false;
  try {
    muted = localStorage.getItem(MUTED) === "1";
  } catch {
    // a browser that keeps nothing: the mute lasts as long as the page
  }
  const audio = () => {
    const Context = window.AudioContext || window.webkitAudioContext;
    player = player || (Context ? new Context() : null);
    return player;
  };
  const blocked = () => !player || player.state !== "running";
  const wake = () => {
    const context = audio();
    if (context?.state === "suspended") context.resume().then(() => desk.opened() === "alarms" && draw(), () => {});
  };
  for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, wake, { passive: true });
  const NOTES = { soft: [660, 880], urgent: [880, 660, 880] };
  const ring = (kind) => {
    if (muted || blocked() || !NOTES[kind]) return;
    NOTES[kind].forEach((pitch, n) => {
      const at = player.currentTime + n * 0.18;
      const note = player.createOscillator();
      const volume = player.createGain();
      note.frequency.value = pitch;
      volume.gain.setValueAtTime(0.0001, at);
      volume.gain.exponentialRampToValueAtTime(kind === "urgent" ? 0.22 : 0.1, at + 0.02);
      volume.gain.exponentialRampToValueAtTime(0.0001, at + 0.16);
      note.connect(volume).connect(player.destination);
      note.start(at);
      note.stop(at + 0.17);
    });
  };

  // --- what there is
  let told = null;
  let known = null; // ids that have been heard
  let fault = null; // why the last question had no answer
  let retry = 0;
  let asking = false;
  let again = false;
  const load = async () => {
    if (asking) return void (again = true);
    asking = true;
    again = false;
    try {
      told = await desk.ask(desk.url("/api/dispatch/alarms", { state: "open", within: config.within }));
      const open = told.rows.filter((one) => !one.acknowledged_at);
      const urgent = open.filter((one) => one.sound === "urgent");
      desk.badge("alarms", told.counts.open, urgent.length ? "urgent" : "");
      const fresh = known && open.filter((one) => !known.has(one.id));
      known = new Set(open.map((one) => one.id));
      if (fresh?.length) {
        ring(fresh.some((one) => one.sound === "urgent") ? "urgent" : fresh.some((one) => one.sound === "soft") ? "soft" : null);
        notice(fresh.find((one) => one.sound === "urgent"));
      }
      fault = null;
      clearTimeout(retry);
    } catch (error) {
      fault = error; // the badge keeps what it showed
      clearTimeout(retry);
      retry = setTimeout(load, RETRY_MS);
    } finally {
      if (desk.opened() === "alarms") draw();
      asking = false;
      if (again) load();
    }
  };
  setInterval(() => !muted && told?.rows.some((one) => one.sound === "urgent" && !one.acknowledged_at) && ring("urgent"), AGAIN_MS);
  const kind = (one) => desk.reason({ key: one.kind, args: { ...one.data, severity: one.severity } }, "alarm.kind");
  const matter = (one) => one.ticket?.title || (one.ticket ? wangge.categoryName(one.ticket.category) : one.incident?.title) || kind(one);
  const notice = (one) => one && desk.toast(`${kind(one)} \u00b7 ${matter(one)}`, { bad: true, seconds: 15 });

  const acknowledge = async (one) => {
    try {
      await wangge.post(`/api/dispatch/alarms/${one.id}/acknowledge`, {});
    } catch (error) {
      desk.toast(wangge.sentence(error), { bad: true });
    }
    load();
  };
  const item = (one) => {
    const where = one.town ? desk.town(one.area_no, one.town) : desk.area(one.area_no, one.area);
    const say = [kind(one), where, desk.moment(one.raised_at), one.level ? t("alarm.level", { level: one.level }) : null, one.escalates_at && !one.acknowledged_at ? t("dispatch.alarm.escalates", { at: desk.at(one.escalates_at) }) : null];
    const go = one.ticket ? () => (desk.close(), desk.choose(one.ticket.id, { by: "alarm" })) : one.incident ? () => desk.open("incidents", { id: one.incident.id ?? one.incident }) : null;
    const name = go ? button(matter(one), { class: "link" }, go) : text("b", {}, matter(one));
    return h("div", { class: "one", "data-alarm": one.id }, name, text("p", { class: one.level ? "late" : null }, say.filter(Boolean).join(" \u00b7 ")), h("div", { class: "do" }, one.acknowledged_at ? text("small", { class: "none" }, t("dispatch.alarm.by", { name: one.by_name || one.by, at: desk.at(one.acknowledged_at) })) : button(t("dispatch.alarm.acknowledge"), {}, () => acknowledge(one))));
  };
  const draw = () => {
    const place = document.getElementById("panel");
    const silent = muted ? t("dispatch.alarm.muted") : blocked() ? t("dispatch.alarm.blocked") : t("dispatch.alarm.sounds");
    const mute = button(t(muted ? "dispatch.alarm.unmute" : "dispatch.alarm.mute"), { "aria-pressed": String(muted) }, () => {
      muted = !muted;
      try {
        localStorage.setItem(MUTED, muted ? "1" : "0");
      } catch {
        // kept for this page
      }
      draw();
    });
    const rows = (told?.rows || []).map(item);
    const none = told ? [text("p", { class: "note" }, t("dispatch.alarms.none"))] : fault ? [] : Array.from({ length: 3 }, () => h("div", { class: "wait" }));
    const failed = fault ? [text("p", { class: "error", role: "alert" }, wangge.sentence(fault))] : [];
    const scroll = place.querySelector(".body")?.scrollTop ?? 0;
    const body = h("div", { class: "body" }, text("p", { class: blocked() && !muted ? "note strong" : "note" }, silent), ...failed, ...(rows.length ? rows : none));
    place.replaceChildren(desk.head(t("dispatch.alarms"), t("dispatch.alarms.lead")), body, h("footer", {}, mute, button(t("dispatch.alarm.try"), {}, () => (wake(), setTimeout(() => ring("soft"), 120)))));
    body.scrollTop = scroll;
  };
  desk.panel("alarms", () => {
    draw();
    load();
  });
  on("mounted", load);
  wangge.live?.on("desks", (news) => news.some(([name]) => name === "alarm") && load());
  wangge.live?.on("snapshot", () => told && load()); // after a gap anything may have changed
  setInterval(() => !document.hidden && load(), 60000);
})();
