// How a ticket's deadline came about, line by line, as the server worked it out; for the map's card and the desk's.
(() => {
  "use strict";
  const wangge = window.wangge;
  if (!wangge) return;
  const { config, t, h } = wangge;
  const english = config.language === "en";
  const text = (tag, attributes, words) => h(tag, attributes, String(words));
  const date = new Intl.DateTimeFormat(english ? "en-GB" : "zh-CN", { timeZone: config.time_zone, month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const moment = (ms) => (ms == null ? null : date.format(ms));
  const word = (named) => (english ? named.name_en : named.name) || named.name;
  const row = (name, value) => (value == null || value === "" ? [] : [text("dt", {}, name), text("dd", {}, value)]);
  const list = (...rows) => h("dl", {}, ...rows.flat());
  // A length of time in its largest unit that says enough.
  wangge.span = (seconds) => {
    const minutes = Math.round(seconds / 60);
    if (minutes < 60) return t("map.span.minutes", { n: minutes });
    const hours = Math.round(minutes / 60);
    return hours < 48 ? t("map.span.hours", { n: hours }) : t("map.span.days", { n: Math.round(hours / 24) });
  };

  // How a ticket's deadline came about: what was counted, what was not, and what is left after each line.
  const plain = new Intl.NumberFormat(english ? "en" : "zh-CN", { maximumFractionDigits: 2 });
  const amount = (value, unit) => t(`clock.unit.${unit}`, { amount: plain.format(value), n: value });
  const clockLine = (line) => {
    const own = line.params.name_key ? t(line.params.name_key) : line.params.name;
    const what = own ? t("clock.named", { kind: t(line.key), name: own }) : t(line.key);
    const end = new Date(line.to - 1); // 24:00 of a day, not 00:00 of the next
    const midnight = moment(line.to).endsWith("00:00");
    const until = midnight ? `${moment(end.getTime()).slice(0, -5)}24:00` : moment(line.to);
    const span = line.from === line.to ? moment(line.from) : `${moment(line.from)} \u2013 ${until.startsWith(moment(line.from).slice(0, -5)) ? until.slice(-5) : until}`;
    const sum = `+ ${amount(line.counted, line.unit)}`;
    return h("li", { class: line.counted ? "wg-counts" : null }, text("span", {}, what), line.counted ? text("b", {}, sum) : null, text("time", {}, span), text("small", {}, t("clock.left", { amount: amount(line.left, line.unit) })));
  };
  wangge.clockPart = (clock) => {
    if (!clock) return null;
    const hints = [clock.given ? "clock.given" : null, clock.provisional ? "clock.provisional" : null, clock.state === "paused" ? "clock.paused" : null].filter(Boolean);
    const days = (part) => (part.unit.endsWith("days") ? t("clock.named", { kind: amount(part.amount, part.unit), name: t(`clock.counting.${part.counting}`) }) : amount(part.amount, part.unit));
    const limit = clock.limit.map(days).join(t("clock.then"));
    const working = clock.limit.some((part) => part.unit.startsWith("working"));
    return h(
      "details",
      { class: "wg-clock" },
      h("summary", {}, text("span", {}, t("clock.how")), text("b", { class: `wg-clock-${clock.state}` }, t(`clock.state.${clock.state}`))),
      list(
        row(t("clock.limit"), limit),
        row(t("clock.office"), working ? clock.hours.join(" ").replaceAll("-", "\u2013") : null),
        row(t("clock.start"), moment(clock.start)),
        row(t("clock.used"), t("clock.percent", { share: Math.floor(clock.share * 100) })),
        row(t("clock.unsigned"), clock.unsigned_s == null ? null : wangge.span(clock.unsigned_s)),
        row(t("clock.level"), clock.level ? word(clock.level) : null),
      ),
      ...hints.map((key) => text("p", { class: "wg-hint" }, t(key))),
      ...clock.warnings.map((one) => text("p", { class: "wg-hint" }, `\u26a0 ${t(one.key, one.params)}`)),
      clock.lines.length ? h("ol", {}, ...clock.lines.map(clockLine), h("li", { class: "wg-clock-end" }, text("span", {}, t("clock.due")), text("time", {}, moment(clock.due)))) : null,
    );
  };
})();
