-- The party organisation tree, workers, key persons and video stations.

CREATE TYPE org_kind AS ENUM ('town_committee', 'community_committee', 'grid_branch', 'building_group', 'member_household');
CREATE TABLE org_unit (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    path        ltree NOT NULL UNIQUE,             -- codes from the top, e.g. t001.c003.b012
    kind        org_kind NOT NULL,
    name        text NOT NULL,
    area_no     bigint NOT NULL REFERENCES area (no),
    generated   boolean NOT NULL
);
CREATE INDEX ON org_unit USING gist (path);
CREATE INDEX ON org_unit (area_no);
CALL enable_scope('org_unit');

CREATE TYPE worker_kind AS ENUM ('full_time', 'part_time', 'professional');
CREATE TABLE worker (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code        text NOT NULL UNIQUE,
    name        text NOT NULL,
    phone       text,
    kind        worker_kind NOT NULL,
    area_no     bigint NOT NULL REFERENCES area (no),   -- the grid (or wider area) of duty
    skills      text[] NOT NULL DEFAULT '{}',           -- category codes or trades: water, power, gas, heat, telecom
    shift_from  time NOT NULL,                          -- local time of the place; may pass midnight
    shift_to    time NOT NULL,
    shift_days  smallint NOT NULL DEFAULT 127 CHECK (shift_days BETWEEN 0 AND 127),  -- bit 0 = Monday
    active      boolean NOT NULL DEFAULT true,
    generated   boolean NOT NULL
);
CREATE INDEX ON worker (area_no);
CALL enable_scope('worker');

-- A phone or terminal that may send positions for one worker; only the token's SHA-256 is kept.
CREATE TABLE device (
    token_sha256 bytea PRIMARY KEY CHECK (length(token_sha256) = 32),
    worker_id    bigint NOT NULL REFERENCES worker (id),
    label        text NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    revoked_at   timestamptz
);
CREATE INDEX ON device (worker_id);
GRANT SELECT ON device TO wangge_county;

CREATE TYPE key_person_kind AS ENUM ('post', 'care');
CREATE TABLE key_person (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind          key_person_kind NOT NULL,
    code          text NOT NULL UNIQUE,
    name          text NOT NULL,
    role          text NOT NULL,        -- a post or a care category of the profile
    area_no       bigint NOT NULL REFERENCES area (no),
    geom          geometry(Point, 4326),  -- a post's duty place; the registered building of a care record
    phone         text,
    duty          text,                 -- what a post holder is asked for
    building      text,
    contacts      jsonb,                -- five contacts (五包一) of a care record
    last_visit_on date,
    next_visit_on date,
    generated     boolean NOT NULL
);
CREATE INDEX ON key_person (area_no, kind);
CREATE INDEX ON key_person USING gist (geom);
-- Until access control lands, care records never leave the database but as counts: no policy lets a role read them.
ALTER TABLE key_person ENABLE ROW LEVEL SECURITY;
CREATE POLICY scoped ON key_person TO wangge_scoped
    USING (kind = 'post' AND area_no BETWEEN scope_lo() AND scope_hi());
CREATE POLICY county ON key_person TO wangge_county USING (kind = 'post');
GRANT SELECT ON key_person TO wangge_scoped, wangge_county;

-- Care records a grid, in scope (the caller's range is checked here, as the owner's rights are used).
CREATE FUNCTION care_counts(lo bigint, hi bigint) RETURNS TABLE (area_no bigint, people integer, visits_overdue integer)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
    SELECT k.area_no, count(*)::integer,
           count(*) FILTER (WHERE k.next_visit_on < current_date)::integer
    FROM key_person k
    WHERE k.kind = 'care' AND k.area_no BETWEEN greatest(lo, scope_lo()) AND least(hi, scope_hi())
    GROUP BY 1
$$;
REVOKE ALL ON FUNCTION care_counts FROM public;
GRANT EXECUTE ON FUNCTION care_counts TO wangge_scoped, wangge_county;

CREATE TYPE station_state AS ENUM ('unknown', 'live', 'no_signal');
CREATE TABLE video_station (
    id          text PRIMARY KEY CHECK (id ~ '^[0-9]{20}$'),   -- GB/T 28181
    name        text NOT NULL,
    site_kind   text NOT NULL,                                 -- a site kind of the profile: hall, crossing, clinic …
    area_no     bigint NOT NULL REFERENCES area (no),
    geom        geometry(Point, 4326) NOT NULL,
    stream_url  text,                                          -- HLS playlist; null = not connected
    state       station_state NOT NULL DEFAULT 'unknown',
    state_reason text,
    checked_at  timestamptz,
    generated   boolean NOT NULL
);
CREATE INDEX ON video_station (area_no);
CREATE INDEX ON video_station USING gist (geom);
CALL enable_scope('video_station');
GRANT UPDATE (state, state_reason, checked_at) ON video_station TO wangge_county;
