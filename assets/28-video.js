// The player of a video station: real HLS through hls.js, which is loaded when first needed; no signal is said so.
(() => {
  "use strict";
  const wangge = window.wangge;
  const map = wangge?.map;
  if (!map) return;
  const { config, t, h } = wangge;
  const { text } = map.dom;
  const LIBRARY = `${config.assets}vendor/hls.light.min.js`;
  let library = null;
  let playing = null;

  const load = () => {
    library =
      library ||
      new Promise((done, failed) => {
        const script = h("script", { src: LIBRARY });
        script.onload = () => done(window.Hls);
        script.onerror = () => {
          library = null;
          failed(new Error("hls.js cannot be had"));
        };
        document.head.append(script);
      });
    return library;
  };
  const reason = (code) => {
    if (!code) return "";
    const http = /^http_(\d+)$/.exec(code);
    return http ? t("map.video.http", { status: http[1] }) : t(`map.video.${code}`);
  };

  // What a station's card shows: the picture, or why there is none and since when that is known.
  map.player = (card) => {
    const box = h("div", { class: "wg-player", "data-state": card.state });
    const say = (title, detail) =>
      box.replaceChildren(h("div", { class: "wg-no-signal", role: "status" }, text("b", {}, title), detail ? text("span", {}, detail) : null));
    const checked = card.checked_at ? t("map.video.checked", { time: wangge.time(card.checked_at) }) : "";
    if (card.state !== "live" || !card.stream_url) {
      say(t(card.state === "unknown" ? "map.station.unknown" : "map.station.no_signal"), [reason(card.state_reason), checked].filter(Boolean).join(" \u00b7 "));
      return box;
    }
    const video = h("video", { muted: "", playsinline: "", autoplay: "", "aria-label": card.name });
    video.muted = true;
    const note = h("p", { class: "wg-live" }, h("i"), text("b", {}, t("map.station.live")), text("span", {}, checked));
    box.append(video, note);
    const fail = (detail) => {
      stop();
      say(t("map.station.no_signal"), detail);
    };
    const stop = () => {
      playing?.destroy();
      playing = null;
      video.removeAttribute("src");
    };
    load().then((Hls) => {
      if (!box.isConnected) return;
      if (!Hls.isSupported()) {
        video.src = card.stream_url; // Safari plays HLS by itself
        return;
      }
      const player = (playing = new Hls({ liveSyncDurationCount: 2, maxBufferLength: 12, backBufferLength: 10 }));
      player.on(Hls.Events.ERROR, (_event, { fatal, type }) => {
        if (!fatal) return;
        if (type === Hls.ErrorTypes.MEDIA_ERROR) player.recoverMediaError();
        else fail(t("map.video.broke"));
      });
      player.loadSource(new URL(card.stream_url, location.href).href);
      player.attachMedia(video);
      video.play().catch(() => {}); // muted video may always play; a refusal leaves the first picture
    }, () => fail(t("map.video.no_player")));
    return box;
  };
  map.stopPlayer = () => {
    playing?.destroy();
    playing = null;
  };
})();
