-- Worker positions (one partition a day, dropped whole after the retention period) and patrols.

CREATE TABLE position (
    worker_id  bigint NOT NULL,
    at         timestamptz NOT NULL,               -- the fix's own time
    received_at timestamptz NOT NULL,
    geom       geometry(Point, 4326) NOT NULL,
    accuracy_m real,
    speed_mps  real,
    course_deg real,
    battery_pct real,
    area_no    bigint NOT NULL                     -- the worker's area of duty: whose scope may see it
) PARTITION BY RANGE (at);
CREATE INDEX ON position (worker_id, at);
CALL enable_scope('position');
GRANT INSERT ON position TO wangge_county;

-- Makes the daily partition of each day in [first, last].
CREATE FUNCTION ensure_position_days(first date, last date) RETURNS integer LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public AS $$
DECLARE
    made integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('ensure_position_days'));
    FOR i IN 0 .. last - first LOOP
        IF to_regclass(format('%I', 'position_' || to_char(first + i, 'YYYYMMDD'))) IS NULL THEN
            EXECUTE format('CREATE TABLE %I PARTITION OF position FOR VALUES FROM (%L) TO (%L)',
                'position_' || to_char(first + i, 'YYYYMMDD'), (first + i)::timestamp AT TIME ZONE 'UTC',
                (first + i + 1)::timestamp AT TIME ZONE 'UTC');
            made := made + 1;
        END IF;
    END LOOP;
    RETURN made;
END $$;

-- Drops each day that ended before the given one; returns how many.
CREATE FUNCTION drop_positions_before(first_kept date) RETURNS integer LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public AS $$
DECLARE
    day regclass;
    dropped integer := 0;
BEGIN
    FOR day IN SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'position'::regclass LOOP
        IF to_date(right(day::text, 8), 'YYYYMMDD') < first_kept THEN
            EXECUTE format('DROP TABLE %s', day);
            dropped := dropped + 1;
        END IF;
    END LOOP;
    RETURN dropped;
END $$;
REVOKE ALL ON FUNCTION ensure_position_days, drop_positions_before FROM public;
GRANT EXECUTE ON FUNCTION ensure_position_days, drop_positions_before TO wangge_county;

-- One row a grid, day and worker: derived from positions that fall inside the grid of duty, or imported.
CREATE TABLE patrol (
    area_no   bigint NOT NULL REFERENCES area (no),
    day       date NOT NULL,                       -- local date of the place
    worker_id bigint NOT NULL REFERENCES worker (id),
    first_at  timestamptz NOT NULL,
    last_at   timestamptz NOT NULL CHECK (last_at >= first_at),
    PRIMARY KEY (area_no, day, worker_id)
);
CREATE INDEX ON patrol (day);
CALL enable_scope('patrol');
GRANT INSERT, UPDATE ON patrol TO wangge_county;

-- How far the Redis stream of fixes has been copied into position: written in the same transaction as the rows.
CREATE TABLE position_drain (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    stream_id text NOT NULL
);
