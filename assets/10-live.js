// The live feed of this page: one WebSocket that never gives up, polling where none is possible, and the data's age.
//
// wangge.live.start({within}) · wangge.live.on(name, fn) → off() · wangge.live.state = {mode, age_s, since} · end()
// Names: snapshot, grids, tickets, heat, positions, stations, desks ([desk, id] of what changed), figures, areas, state, ended (docs/reference/live.md).
(() => {
  "use strict";
  const wangge = window.wangge;
  if (!wangge) return;

  const LATE_S = 4; // the age of the data from which it is not "live" any more; a beat comes every 2 s
  const STALE_S = 15;
  const SILENT_MS = 5000; // a connection that says nothing for so long is dead, whatever TCP says
  const RETRY_MS = [300, 5000]; // first and longest pause before the next attempt
  const POLL_MS = 1000;
  const POLL_AFTER = 3; // attempts in a row that did not open a WebSocket
  const SOCKET_AGAIN_MS = 15000; // how often polling tries for a WebSocket
  const SIGNED_OUT = 4401; // a WebSocket's close: the session or the pairing has ended, as an answer of 401 says

  // --- who listens
  const listeners = new Map();
  const on = (name, fn) => {
    if (!listeners.has(name)) listeners.set(name, new Set());
    listeners.get(name).add(fn);
    return () => listeners.get(name).delete(fn);
  };
  const emit = (name, value) => {
    for (const fn of listeners.get(name) || []) {
      try {
        fn(value);
      } catch (error) {
        console.error(`wangge.live: a listener of ${name} failed`, error);
      }
    }
  };

  // --- one run: from start() to the next start()
  const state = { mode: "connecting", age_s: null, since: null };
  let run = 0;
  let within = null;
  let version = null; // of the state that the page shows; null = none yet
  let channel = null; // of the server's, to which that version belongs
  let revision = null; // of the map
  let waiting = null; // frames that came while a snapshot is fetched; null = none is
  let turn = 0; // of the positions, when polling
  let socket = null;
  let heard_at = 0; // performance.now() of the last sign of the server
  let as_of = null; // ms since 1970 by the server's clock: everything up to then is shown
  let as_of_age = 0; // its age (ms) when it was told, by the server's clock
  let as_of_at = 0; // performance.now() then
  let healthy = true; // the server's own stores answer
  let failures = 0;
  let timer = 0;
  let polling = false;

  const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const pause = (attempt) => Math.min(RETRY_MS[1], RETRY_MS[0] * 2 ** attempt) * (0.5 + Math.random() / 2);
  const address = (path, parameters) => {
    const url = new URL(path, location.href);
    for (const [name, value] of Object.entries(parameters)) if (value != null) url.searchParams.set(name, value);
    return url;
  };
  const get = async (url) => {
    const answer = await fetch(url, { signal: AbortSignal.timeout(10000) });
    if (answer.status === 401) end();
    if (!answer.ok) throw new Error(`${answer.status} ${url}`);
    return answer.json();
  };

  // --- the age of what is shown
  const told = (frame) => {
    heard_at = performance.now();
    if (frame.as_of == null || frame.now == null) return;
    as_of = frame.as_of;
    as_of_age = frame.now - frame.as_of;
    as_of_at = heard_at;
  };
  const show = () => {
    const age_s = as_of == null ? null : (as_of_age + performance.now() - as_of_at) / 1000;
    const connected = polling || (socket !== null && socket.readyState === WebSocket.OPEN);
    const was = state.mode;
    if (version === null || age_s === null) state.mode = was === "stale" ? "stale" : "connecting";
    else if (age_s >= STALE_S) state.mode = "stale";
    else state.mode = age_s < LATE_S && connected && healthy ? "live" : "late";
    state.age_s = age_s;
    state.since = state.mode === "stale" ? as_of : null;
    emit("state", state);
  };

  // --- what comes
  const LISTS = ["grids", "tickets", "heat", "stations", "desks"];
  const apply = (frame) => {
    if (frame instanceof ArrayBuffer) {
      emit("positions", decode(frame));
      return;
    }
    if (frame.v < version) return; // older than the snapshot
    const news = frame.v > version;
    version = frame.v;
    for (const name of LISTS) {
      const additive = name === "tickets" || name === "heat" || name === "desks";
      if (frame[name] && (news || !additive)) emit(name, frame[name]);
    }
    if (frame.figures) emit("figures", frame.figures);
  };
  const decode = (buffer) => {
    const count = new DataView(buffer).getUint32(4, true);
    const whole = new Uint32Array(buffer, 8, count * 4);
    const real = new Float32Array(buffer, 8, count * 4);
    const moves = movesOf(count, new Uint8Array(buffer)[0] === 2);
    for (let i = 0, at = 0; i < count; i += 1, at += 4) {
      moves.ids[i] = whole[at];
      moves.lon[i] = real[at + 1];
      moves.lat[i] = real[at + 2];
      moves.age[i] = whole[at + 3];
    }
    return moves;
  };
  const movesOf = (count, full) => ({
    full,
    ids: new Uint32Array(count),
    lon: new Float64Array(count),
    lat: new Float64Array(count),
    age: new Uint32Array(count),
  });
  const take = (frame) => {
    if (!(frame instanceof ArrayBuffer)) {
      if (frame.t === "gap") return void begin(run);
      if (frame.t === "beat") healthy = frame.postgres && frame.redis;
      told(frame);
      if (frame.t === "hello") return;
    }
    if (waiting) waiting.push(frame);
    else if (version !== null) apply(frame);
  };

  // --- a snapshot, fetched until it comes; what arrives meanwhile is applied after it
  let fetching = 0;
  const begin = async (mine) => {
    const fetch_no = ++fetching; // a newer gap makes this one worthless
    waiting = [];
    for (let attempt = 0; ; attempt += 1) {
      try {
        const preloaded = attempt === 0 && version === null && wangge.config.feeds?.snapshot;
        const fits = preloaded && within === (wangge.config.within ?? null);
        const snapshot = await get(fits ? preloaded : address("/api/live/snapshot", { within }));
        if (mine !== run || fetch_no !== fetching) return false;
        put(snapshot);
        return true;
      } catch (error) {
        if (mine !== run || fetch_no !== fetching) return false;
        show();
        await sleep(pause(attempt));
        if (mine !== run || fetch_no !== fetching) return false;
      }
    }
  };
  const put = (snapshot) => {
    const later = waiting;
    waiting = null;
    told(snapshot);
    const moved = revision !== null && snapshot.revision !== revision;
    revision = snapshot.revision;
    version = snapshot.v;
    channel = snapshot.of;
    if (moved) emit("areas", { revision });
    emit("snapshot", snapshot);
    emit("stations", snapshot.stations);
    emit("figures", snapshot.figures);
    for (const frame of later) if (frame instanceof ArrayBuffer || frame.t !== "beat") apply(frame);
    show();
  };

  // --- the WebSocket
  const connect = (mine) => {
    clearTimeout(timer);
    const url = address("/api/live", { within, since: version, of: channel });
    url.protocol = url.protocol.replace("http", "ws");
    const opened = new WebSocket(url);
    opened.binaryType = "arraybuffer";
    socket = opened;
    heard_at = performance.now();
    opened.onopen = () => {
      if (mine !== run) return opened.close();
      failures = 0;
      polling = false;
    };
    opened.onmessage = ({ data }) => {
      if (mine === run && socket === opened) take(typeof data === "string" ? JSON.parse(data) : (told({}), data));
    };
    opened.onclose = ({ code }) => {
      if (mine !== run || socket !== opened) return;
      socket = null;
      if (code === SIGNED_OUT) return end();
      failures += 1;
      show();
      if (failures >= POLL_AFTER && !polling) poll(mine);
      timer = setTimeout(connect, polling ? SOCKET_AGAIN_MS : pause(failures - 1), mine);
    };
  };
  const poll = async (mine) => {
    polling = true;
    turn = 0;
    let missed = 0;
    while (polling && mine === run) {
      try {
        const answer = await get(address("/api/live/poll", { within, since: version ?? 0, of: channel, turn }));
        if (!polling || mine !== run) return;
        missed = 0;
        healthy = answer.postgres && answer.redis;
        for (const frame of answer.frames) take({ ...frame, now: answer.now, as_of: answer.as_of });
        take({ t: "beat", v: answer.v, now: answer.now, as_of: answer.as_of, postgres: answer.postgres, redis: answer.redis });
        if (answer.positions.length) emit("positions", polled(answer.positions, turn === 0));
        turn = answer.turn;
      } catch (error) {
        missed += 1;
        if (missed >= POLL_AFTER) polling = false; // nothing answers at all: only the WebSocket goes on trying
      }
      await sleep(POLL_MS);
    }
    if (mine === run && socket === null) {
      clearTimeout(timer);
      timer = setTimeout(connect, pause(2), mine);
    }
  };
  const polled = (rows, full) => {
    const moves = movesOf(rows.length, full);
    rows.forEach(([id, lon, lat, age], i) => {
      moves.ids[i] = id;
      moves.lon[i] = lon ?? NaN;
      moves.lat[i] = lat ?? NaN;
      moves.age[i] = age;
    });
    return moves;
  };

  // --- once a second: is it alive, how old is it
  const watch = () => {
    if (socket !== null && performance.now() - heard_at > SILENT_MS) {
      const dead = socket;
      socket = null;
      dead.close(); // its own end may take minutes to be noticed
      failures += 1;
      if (failures >= POLL_AFTER && !polling) poll(run);
      clearTimeout(timer);
      timer = setTimeout(connect, polling ? SOCKET_AGAIN_MS : pause(failures - 1), run);
    }
    show();
  };
  const hurry = () => {
    if (run && !ended && socket === null && version !== null && !document.hidden) {
      clearTimeout(timer);
      connect(run);
    }
  };
  addEventListener("online", hurry);
  document.addEventListener("visibilitychange", hurry);

  // --- who looked may not look any more: nothing is tried again until the next start()
  let watching = 0;
  let ended = false;
  const end = () => {
    if (ended) return;
    ended = true;
    run += 1;
    clearTimeout(timer);
    clearInterval(watching);
    polling = false;
    const last = socket;
    socket = null;
    if (last !== null) last.close();
    emit("ended");
  };

  const start = async (options) => {
    run += 1;
    ended = false;
    const mine = run;
    clearTimeout(timer);
    if (socket !== null) socket.close();
    socket = null;
    polling = false;
    within = (options && options.within) || null;
    version = as_of = null;
    failures = turn = 0;
    Object.assign(state, { mode: "connecting", age_s: null, since: null });
    clearInterval(watching);
    watching = setInterval(watch, 1000);
    show();
    if (await begin(mine)) connect(mine);
  };

  wangge.live = { start, on, state, end };
})();
