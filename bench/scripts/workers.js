// Row 4: pan to and fro as a hand would, and move the peer's workers.
(() => {
  window.benchPan = (map) => {
    let way = 1;
    const sweep = () => {
      if (window.benchStop) return;
      map.panBy([way * 320, way * 140], { duration: 1, easeLinearity: 1 });
      way = -way;
    };
    window.benchStop = false;
    map.on("moveend", sweep);
    sweep();
    window.benchStopPan = () => {
      window.benchStop = true;
      map.off("moveend", sweep);
    };
  };

  // 4,000 points as GeoJSON; 400 of them move every half second, which is 800 a second.
  window.benchMoveWorkers = (workers) => {
    const features = workers.map(([id, lon, lat]) => ({
      type: "Feature",
      id,
      properties: {},
      geometry: { type: "Point", coordinates: [lon, lat] },
    }));
    let turn = 0;
    const step = () => {
      for (let i = 0; i < 400; i++) {
        const at = features[(turn * 400 + i) % features.length].geometry;
        at.coordinates = at.coordinates.map((degrees) => degrees + (Math.random() - 0.5) * 1e-3);
      }
      turn++;
      dash_clientside.set_props("workers", { data: { type: "FeatureCollection", features: [...features] } });
    };
    step();
    setInterval(step, 500);
  };
})();
