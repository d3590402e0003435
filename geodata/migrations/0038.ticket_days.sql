-- What was reported and closed on each whole day beside the tickets: an area page that looks back over a month reads days
-- instead of 300,000 entries of indexes. A day that is not counted here, or was touched since, is counted from its tickets.

-- Days that are counted, as spans of time; no two overlap. Nobody reads them but through counted_days.
CREATE TABLE ticket_day (
    no    integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    start timestamptz NOT NULL,
    until timestamptz NOT NULL CHECK (until > start),
    EXCLUDE USING gist (tstzrange(start, until) WITH &&)
);
ALTER TABLE ticket_day ENABLE ROW LEVEL SECURITY;

-- One row a day and an area that has children, on each level. Its area_no is the first number of the area, so that a scope,
-- which is made of whole areas, holds all the tickets of a row or none. Grids are counted from their few tickets.
CREATE TABLE ticket_sum (
    day           integer NOT NULL REFERENCES ticket_day (no) ON DELETE CASCADE,
    stride        bigint NOT NULL,                 -- how many numbers the area has
    area_no       bigint NOT NULL,
    reported      integer NOT NULL,
    closed        integer NOT NULL,                -- void ones left out, here and below
    with_deadline integer NOT NULL,
    on_time       integer NOT NULL,
    rated         integer NOT NULL,
    content       integer NOT NULL,
    PRIMARY KEY (day, stride, area_no)
);
CALL enable_scope('ticket_sum');
-- A wall shows the page of an area too, which counts what is open from the narrow rows: of those, when and where.
DO $$
DECLARE
    target text;
BEGIN
    FOREACH target IN ARRAY ARRAY['ticket_sum', 'open_ticket'] LOOP
        EXECUTE format('CREATE POLICY wall ON %I FOR SELECT TO wangge_wall USING (%s)', target, scope_test('area_no', true));
    END LOOP;
END $$;
GRANT SELECT ON ticket_sum TO wangge_wall;
GRANT SELECT (area_no, reported_at, due_at) ON open_ticket TO wangge_wall;

-- Moments whose day is to be counted anew. Whoever changes a ticket adds a row of their own, in the same transaction, so that
-- nobody waits for anybody, and whoever sees the change sees the row as well.
CREATE TABLE ticket_touch (
    at timestamptz NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
CREATE INDEX ticket_touch_at ON ticket_touch (at);
ALTER TABLE ticket_touch ENABLE ROW LEVEL SECURITY;

CREATE FUNCTION touch_day() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO ticket_touch VALUES (NEW.reported_at);
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO ticket_touch VALUES (OLD.reported_at);
    ELSIF OLD.area_no <> NEW.area_no OR OLD.reported_at <> NEW.reported_at THEN
        INSERT INTO ticket_touch VALUES (OLD.reported_at), (NEW.reported_at);
    END IF;
    IF TG_OP <> 'INSERT' AND OLD.closed_at IS NOT NULL THEN
        INSERT INTO ticket_touch VALUES (OLD.closed_at);
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.closed_at IS NOT NULL THEN
        INSERT INTO ticket_touch VALUES (NEW.closed_at);
    END IF;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION touch_day FROM public;
CREATE TRIGGER day_begins AFTER INSERT ON ticket FOR EACH ROW EXECUTE FUNCTION touch_day();
CREATE TRIGGER day_follows AFTER UPDATE ON ticket FOR EACH ROW
    WHEN (OLD.area_no <> NEW.area_no OR OLD.reported_at <> NEW.reported_at OR OLD.closed_at IS DISTINCT FROM NEW.closed_at
          OR NEW.closed_at IS NOT NULL AND (OLD.status <> NEW.status OR OLD.due_at IS DISTINCT FROM NEW.due_at
                                            OR OLD.satisfaction IS DISTINCT FROM NEW.satisfaction))
    EXECUTE FUNCTION touch_day();
CREATE TRIGGER day_ends AFTER DELETE ON ticket FOR EACH ROW EXECUTE FUNCTION touch_day();

CREATE FUNCTION empty_days() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    DELETE FROM ticket_day;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION empty_days FROM public;
CREATE TRIGGER days_end AFTER TRUNCATE ON ticket FOR EACH STATEMENT EXECUTE FUNCTION empty_days();

-- Days of tickets that came without a trigger: those of a month that was filled before it was attached.
CREATE FUNCTION touch_days(month regclass) RETURNS integer LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    touched integer;
BEGIN
    EXECUTE format($q$
        INSERT INTO ticket_touch
        SELECT DISTINCT date_bin('15 minutes', at, 'epoch')   -- a day begins on a quarter of an hour everywhere
        FROM (SELECT reported_at AS at FROM %1$s UNION ALL SELECT closed_at FROM %1$s WHERE closed_at IS NOT NULL) found
        $q$, month);
    GET DIAGNOSTICS touched = ROW_COUNT;
    RETURN touched;
END $$;
REVOKE ALL ON FUNCTION touch_days FROM public;

-- The days inside [first, last) whose sums are those of their tickets. STABLE: it sees what the asking statement sees.
CREATE FUNCTION counted_days(first timestamptz, last timestamptz)
    RETURNS TABLE (no integer, start timestamptz, until timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp ROWS 30 AS $$
    SELECT no, start, until FROM ticket_day d
    WHERE start >= first AND until <= last
      AND NOT EXISTS (SELECT FROM ticket_touch WHERE at >= d.start AND at < d.until)
$$;
REVOKE ALL ON FUNCTION counted_days FROM public;
GRANT EXECUTE ON FUNCTION counted_days TO wangge_scoped, wangge_county, wangge_parts, wangge_wall;

-- Counts the days of the place that are over at `upto` and not counted, or were touched; returns how many. What is written meanwhile
-- leaves a touch that this does not see, so its day is counted from the tickets until the next time.
CREATE FUNCTION count_days(upto timestamptz DEFAULT now()) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    oldest timestamptz;
    zone text := (SELECT time_zone FROM place);
    counted integer;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('count_days'));
    WITH gone AS (DELETE FROM ticket_touch RETURNING at)
    DELETE FROM ticket_day d WHERE EXISTS (SELECT FROM gone WHERE at >= d.start AND at < d.until);
    SELECT min(reported_at) INTO oldest FROM ticket;
    -- A month that was dropped tells nobody: the oldest goes first, and may have left tickets that were closed later.
    IF oldest IS NULL OR EXISTS (SELECT FROM ticket_day WHERE until <= oldest) THEN
        DELETE FROM ticket_day;
    END IF;
    IF oldest IS NULL OR zone IS NULL THEN
        RETURN 0;
    END IF;
    WITH wanted AS (
        SELECT day AT TIME ZONE zone AS start, (day + interval '1 day') AT TIME ZONE zone AS until
        FROM generate_series(date_trunc('day', oldest AT TIME ZONE zone), upto AT TIME ZONE zone - interval '1 day',
                             interval '1 day') day
    ), day AS (
        INSERT INTO ticket_day (start, until)
        SELECT start, until FROM wanted w
        WHERE NOT EXISTS (SELECT FROM ticket_day d WHERE tstzrange(d.start, d.until) && tstzrange(w.start, w.until))
        RETURNING no, start, until
    ), closed AS (
        SELECT day.no, t.area_no, 0 AS reported, count(*) AS closed, count(t.due_at) AS with_deadline,
               count(*) FILTER (WHERE t.closed_at <= t.due_at) AS on_time,
               count(*) FILTER (WHERE t.satisfaction IN ('satisfied', 'fairly', 'unsatisfied')) AS rated,
               count(*) FILTER (WHERE t.satisfaction IN ('satisfied', 'fairly')) AS content
        FROM day JOIN ticket t ON t.closed_at >= day.start AND t.closed_at < day.until AND t.status IN ('closed', 'archived')
        GROUP BY 1, 2
    ), reported AS (
        SELECT day.no, t.area_no, count(*) AS reported, 0 AS closed, 0 AS with_deadline, 0 AS on_time, 0 AS rated, 0 AS content
        FROM day JOIN ticket t ON t.reported_at >= day.start AND t.reported_at < day.until
        GROUP BY 1, 2
    ), sums AS (
        INSERT INTO ticket_sum
        SELECT no, stride, area_no - area_no % stride, sum(reported), sum(closed), sum(with_deadline), sum(on_time),
               sum(rated), sum(content)
        FROM (SELECT * FROM closed UNION ALL SELECT * FROM reported) found
        CROSS JOIN (SELECT DISTINCT area_stride(level) AS stride FROM unnest(enum_range(NULL::area_level)) level) steps
        WHERE stride > 1
        GROUP BY 1, 2, 3
    )
    SELECT count(*) INTO counted FROM day;
    RETURN counted;
END $$;
REVOKE ALL ON FUNCTION count_days FROM public;
GRANT EXECUTE ON FUNCTION count_days TO wangge_jobs;
DO $$ BEGIN PERFORM count_days(); END $$;
ANALYZE ticket_day, ticket_sum;
