// Row 8: note when each ticket's line stands in the ticker and a frame with it has been painted.
(() => {
  window.benchSeen = {};
  let waiting = [];
  const painted = (ids) =>
    requestAnimationFrame(() =>
      requestAnimationFrame(() => {
        for (const id of ids) window.benchSeen[id] ??= Date.now();
      }),
    );
  wangge.live.on("tickets", (tickets) => waiting.push(...tickets.map((ticket) => ticket.id)));
  new MutationObserver(() => {
    painted(waiting);
    waiting = [];
  }).observe(document.getElementById("ticker-rows"), { childList: true, characterData: true, subtree: true });
})();
