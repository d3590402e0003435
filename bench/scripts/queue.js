// Row 17: note when a ticket's row of the dispatchers' queue has left or changed, and a frame without the old one was painted.
(() => {
  window.benchSeen = {};
  const versions = new Map();
  const list = document.getElementById("rows");
  const rows = () => new Map([...list.querySelectorAll("li[data-id]")].map((row) => [Number(row.dataset.id), row.dataset.version]));
  const look = () => {
    const now = rows();
    const changed = [...versions].filter(([id, version]) => now.get(id) !== version).map(([id]) => id);
    for (const [id, version] of now) if (!versions.has(id)) versions.set(id, version);
    if (!changed.length) return;
    for (const id of changed) versions.delete(id);
    requestAnimationFrame(() =>
      requestAnimationFrame(() => {
        for (const id of changed) window.benchSeen[id] ??= Date.now();
      }),
    );
  };
  look();
  new MutationObserver(look).observe(list, { childList: true, subtree: true, attributes: true, attributeFilter: ["data-version"] });
})();
