-- Areas: county, town, community, grid; their numbers, and the versions of their boundaries.

CREATE TYPE area_level AS ENUM ('city', 'county', 'town', 'community', 'grid');
CREATE TYPE area_kind AS ENUM ('urban', 'rural', 'special');

-- no: pre-order number with room to grow: county 10^9, town 10^6, community 10^3, grid 1 (area_stride).
-- A number is given once and never reused, so facts may carry it; [no, hi] holds all descendants.
CREATE FUNCTION area_stride(level area_level) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE level WHEN 'city' THEN 1000000000000 WHEN 'county' THEN 1000000000
                      WHEN 'town' THEN 1000000 WHEN 'community' THEN 1000 ELSE 1 END;

CREATE TABLE area (
    no          bigint PRIMARY KEY,
    hi          bigint NOT NULL,
    level       area_level NOT NULL,
    code_system text NOT NULL,
    code        text NOT NULL,
    name        text NOT NULL CHECK (name <> ''),
    initials    text NOT NULL DEFAULT '',          -- pinyin initials for search, lower case
    parent_no   bigint REFERENCES area (no),
    kind        area_kind,
    households  integer CHECK (households >= 0),
    population  integer CHECK (population >= 0),
    generated   boolean NOT NULL,
    valid_from  date NOT NULL DEFAULT current_date,
    valid_to    date,                              -- first day on which it no longer exists
    UNIQUE (code_system, code),
    CHECK (hi = no + area_stride(level) - 1),
    CHECK ((kind IS NOT NULL) = (level = 'grid')),
    CHECK (valid_to IS NULL OR valid_to > valid_from)
);
CREATE INDEX ON area (parent_no);
CREATE INDEX ON area (level, no);
CREATE INDEX ON area USING gin (name gin_trgm_ops);
CALL enable_scope('area', 'no');

CREATE TABLE area_boundary (
    area_no     bigint NOT NULL REFERENCES area (no),
    version     integer NOT NULL CHECK (version >= 1),
    valid       daterange NOT NULL CHECK (NOT isempty(valid)),
    geom        geometry(MultiPolygon, 4326) NOT NULL CHECK (ST_IsValid(geom) AND NOT ST_IsEmpty(geom)),
    label_at    geometry(Point, 4326) NOT NULL,    -- a point inside, where a label may stand
    source      text NOT NULL,                     -- the file it came from
    generated   boolean NOT NULL,
    imported_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (area_no, version),
    EXCLUDE USING gist (area_no WITH =, valid WITH &&)
);
CREATE INDEX ON area_boundary USING gist (geom);
CALL enable_scope('area_boundary');

-- The boundary in force today, joined to its area: what maps read.
CREATE VIEW area_now WITH (security_invoker = true) AS
SELECT a.no, a.hi, a.level, a.code_system, a.code, a.name, a.initials, a.parent_no, a.kind, a.households,
       a.population, a.generated, b.version AS boundary_version, b.geom, b.label_at
FROM area a
JOIN area_boundary b ON b.area_no = a.no AND upper_inf(b.valid)
WHERE a.valid_to IS NULL;
GRANT SELECT ON area_now TO wangge_scoped, wangge_county;

-- Grows by one with every import of areas: caches of map data carry it in their key.
CREATE SEQUENCE area_revision;
GRANT SELECT ON area_revision TO wangge_scoped, wangge_county;
