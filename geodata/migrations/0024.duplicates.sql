-- Open tickets by place: few beside all that ever were, so looking for likely duplicates reads little.

CREATE INDEX ticket_open_geom ON ticket USING gist (geom) WHERE closed_at IS NULL;
