// The peers that are dash-leaflet as its documentation has it: styles by `hideout`, workers as GeoJSON.
window.benchPeer = {
    style: (feature, context) => ({
        weight: 1,
        color: '#456',
        fillOpacity: 1,
        fillColor: (context.hideout && context.hideout.colours && context.hideout.colours[feature.id]) || '#99ccff',
    }),
    dot: (feature, latlng) => L.circleMarker(latlng, { radius: 4, weight: 1, color: '#fff', fillColor: '#27f', fillOpacity: 1 }),
    mark: (feature, latlng) => L.marker(latlng, { icon: L.divIcon({ className: 'bench-dot', iconSize: [8, 8] }) }),
};
L.Map.addInitHook(function () { window.benchMap = this; });
// Marks the moment when all polygons are on the canvas and a frame has passed.
(function wait() {
    const wanted = Number(new URLSearchParams(location.search).get('count') || 0);
    let seen = 0;
    if (window.benchMap) window.benchMap.eachLayer(layer => { seen += layer instanceof L.Polygon; });
    if (!wanted || seen < wanted) requestAnimationFrame(wait);
    else requestAnimationFrame(() => requestAnimationFrame(() => performance.mark('bench:painted')));
})();
