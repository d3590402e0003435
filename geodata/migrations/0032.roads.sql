-- Roads, for travel times: what `./wangge import roads` noded. pgRouting itself is made by that import; nothing else needs it.

-- The net as a whole: a row when roads were imported, none when ways are straight lines.
CREATE TABLE road_net (
    one         boolean PRIMARY KEY DEFAULT true CHECK (one),
    source      text NOT NULL,
    imported_at timestamptz NOT NULL DEFAULT now(),
    metres      double precision NOT NULL,
    nodes       integer NOT NULL,
    edges       integer NOT NULL,
    fastest_kmh real NOT NULL CHECK (fastest_kmh > 0)  -- of all edges
);

-- A piece of road between two nodes: ends, and vertices that roads share. Roads are public: no area, no scope.
CREATE TABLE road_edge (
    id        bigint PRIMARY KEY,
    source    bigint NOT NULL,
    target    bigint NOT NULL,
    class     text NOT NULL,
    name      text,
    metres    double precision NOT NULL CHECK (metres > 0),
    cost_s    double precision NOT NULL,               -- seconds from source to target; -1 = closed that way
    reverse_s double precision NOT NULL,               -- and back
    part      integer NOT NULL,                        -- pieces that hang together; 1 = the longest
    geom      geometry(LineString, 4326) NOT NULL,
    CHECK (cost_s > 0 OR reverse_s > 0)
);
CREATE INDEX road_edge_near ON road_edge USING gist (geom);
GRANT SELECT ON road_net, road_edge TO wangge_scoped, wangge_county, wangge_parts;
