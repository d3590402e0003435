"""PostGIS and Redis: queries, import, generated places, private servers. Knows no product rule."""
