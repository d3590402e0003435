"""GeoReport v2: a place's public categories as services, its public tickets as requests."""
