"""Pages of the browser's peers: a bare Leaflet page, and plain dash-leaflet ones, on one loopback server."""
