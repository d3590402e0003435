-- Tickets (partitioned by month of report), their append-only events, and the outbox of live events.

CREATE TABLE channel (
    id      smallint PRIMARY KEY,
    code    text NOT NULL UNIQUE,
    name    text NOT NULL,
    name_en text NOT NULL
);
CREATE TABLE category (
    id        smallint PRIMARY KEY,
    code      text NOT NULL UNIQUE,
    name      text NOT NULL,
    name_en   text NOT NULL,
    parent_id smallint REFERENCES category (id)     -- null = class (大类), else subclass (小类)
);
CREATE TABLE department (
    id      smallint PRIMARY KEY,
    code    text NOT NULL UNIQUE,
    name    text NOT NULL,
    name_en text NOT NULL
);
GRANT SELECT ON channel, category, department TO wangge_scoped, wangge_county;

CREATE TYPE ticket_status AS ENUM ('accepted', 'dispatched', 'signed', 'handling', 'answered', 'closed', 'cancelled');
CREATE TYPE satisfaction AS ENUM ('satisfied', 'fairly', 'unsatisfied', 'unrated');
-- How well its place is known: a point of its own, a point many share (a default), or none.
CREATE TYPE location_quality AS ENUM ('exact', 'shared_point', 'outside', 'none');

CREATE SEQUENCE ticket_id;
CREATE TABLE ticket (
    id            bigint NOT NULL DEFAULT nextval('ticket_id'),
    reported_at   timestamptz NOT NULL,
    source_id     text,                            -- the number that the sending system uses
    channel_id    smallint NOT NULL REFERENCES channel (id),
    category_id   smallint NOT NULL REFERENCES category (id),
    department_id smallint REFERENCES department (id),
    title         text NOT NULL,
    description   text,
    address       text,
    geom          geometry(Point, 4326),
    location      location_quality NOT NULL,
    area_no       bigint NOT NULL,                 -- smallest area known: normally the grid of that time
    status        ticket_status NOT NULL,
    dispatched_at timestamptz,                     -- the clock starts here
    signed_at     timestamptz,
    answered_at   timestamptz,
    closed_at     timestamptz,
    due_at        timestamptz,                     -- deadline of handling
    satisfaction  satisfaction,
    worker_id     bigint REFERENCES worker (id),
    version       integer NOT NULL DEFAULT 1 CHECK (version >= 1),
    generated     boolean NOT NULL DEFAULT false,
    PRIMARY KEY (id, reported_at),
    CHECK ((closed_at IS NOT NULL) = (status IN ('closed', 'cancelled'))),
    CHECK (closed_at >= reported_at),
    CHECK (dispatched_at >= reported_at),
    CHECK ((geom IS NULL) = (location = 'none'))
) PARTITION BY RANGE (reported_at);
CREATE INDEX ticket_open_area ON ticket (area_no) WHERE closed_at IS NULL;
CREATE INDEX ticket_open_due ON ticket (due_at) WHERE closed_at IS NULL;
CREATE INDEX ticket_reported ON ticket (reported_at, area_no);
CREATE INDEX ticket_closed ON ticket (closed_at) WHERE closed_at IS NOT NULL;
CREATE INDEX ticket_cancelled ON ticket (reported_at, area_no) WHERE status = 'cancelled';
CREATE INDEX ticket_area ON ticket (area_no, reported_at);
CREATE INDEX ticket_source ON ticket (channel_id, source_id) WHERE source_id IS NOT NULL;
CREATE INDEX ticket_geom ON ticket USING gist (geom);
CALL enable_scope('ticket');
GRANT INSERT, UPDATE ON ticket TO wangge_scoped, wangge_county;
GRANT USAGE ON SEQUENCE ticket_id TO wangge_scoped, wangge_county;

CREATE TABLE ticket_event (
    id         bigint GENERATED ALWAYS AS IDENTITY,
    ticket_id  bigint NOT NULL,
    at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    kind       text NOT NULL,                      -- accepted, dispatched, … or imported
    status     ticket_status NOT NULL,             -- the status after it
    version    integer NOT NULL,                   -- the ticket's version after it
    actor      text NOT NULL,
    note       text,
    area_no    bigint NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX ON ticket_event (ticket_id, version);
CREATE INDEX ON ticket_event (at);
CREATE INDEX ticket_event_news ON ticket_event (at) WHERE kind <> 'imported';  -- an import writes many at once
CALL enable_scope('ticket_event');
GRANT INSERT ON ticket_event TO wangge_scoped, wangge_county;

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ticket_event
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Makes the monthly partitions of a table that cover [first, last].
CREATE FUNCTION ensure_months(parent text, first date, last date) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    month date := date_trunc('month', first);
    made integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('ensure_months ' || parent));
    WHILE month <= last LOOP
        IF to_regclass(format('%I', parent || to_char(month, '_YYYYMM'))) IS NULL THEN
            EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
                parent || to_char(month, '_YYYYMM'), parent, month::timestamp AT TIME ZONE 'UTC',
                (month + interval '1 month')::timestamp AT TIME ZONE 'UTC');
            made := made + 1;
        END IF;
        month := month + interval '1 month';
    END LOOP;
    RETURN made;
END $$;

-- Live events wait here until the relay numbers them (version) and hands them to Redis.
CREATE TABLE outbox (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    kind    text NOT NULL,                         -- ticket, station, areas
    area_no bigint NOT NULL,
    body    jsonb NOT NULL,
    version bigint UNIQUE
);
CREATE INDEX outbox_waiting ON outbox (id) WHERE version IS NULL;
CREATE INDEX ON outbox (at);
CREATE SEQUENCE live_version;
ALTER TABLE outbox ENABLE ROW LEVEL SECURITY;
CREATE POLICY county ON outbox TO wangge_county USING (true);
CREATE POLICY write_only ON outbox FOR INSERT TO wangge_scoped
    WITH CHECK (area_no BETWEEN scope_lo() AND scope_hi());
GRANT INSERT ON outbox TO wangge_scoped;
GRANT SELECT, INSERT, UPDATE, DELETE ON outbox TO wangge_county;
GRANT USAGE, SELECT ON SEQUENCE live_version TO wangge_county;

-- Wakes the relay (LISTEN outbox) at the commit of whoever wrote an event.
CREATE FUNCTION wake_relay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NOTIFY outbox;
    RETURN NULL;
END $$;
CREATE TRIGGER wake_relay AFTER INSERT ON outbox FOR EACH STATEMENT EXECUTE FUNCTION wake_relay();
