-- Open tickets beside all tickets: thousands of a million, scattered over the pages of the last months. The dispatchers' queue
-- puts all of them into order for every page of it, and counts them; it reads a narrow table of them instead.

-- One row an open ticket. Only who has written the ticket's own row writes the row here, so it is locked already: whoever waits,
-- waits for the ticket, and nobody can lock two the other way round. No index but that of the number: a change then takes none.
CREATE TABLE open_ticket (
    id              bigint PRIMARY KEY,
    area_no         bigint NOT NULL,
    reported_at     timestamptz NOT NULL,
    dispatched_at   timestamptz,
    due_at          timestamptz,
    sign_due        timestamptz,
    respond_due     timestamptz,
    suspended_until timestamptz,
    back_at         timestamptz,                   -- when it came back last
    on_at           timestamptz,                   -- when it was handed on last
    status          ticket_status NOT NULL,
    version         integer NOT NULL,
    refused         integer NOT NULL,              -- how often it was refused or sent back
    escalation      smallint NOT NULL,
    channel_id      smallint NOT NULL,
    category_id     smallint NOT NULL,
    severity        text,
    nature          text,
    geom            geometry(Point, 4326)
) WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000,
        autovacuum_analyze_scale_factor = 0.5);
CALL enable_scope('open_ticket');

-- What its history tells of a ticket: when it came back last, when it was handed on last, how often it was refused.
CREATE FUNCTION past_of_ticket(ticket bigint) RETURNS TABLE (back_at timestamptz, on_at timestamptz, refused integer)
    LANGUAGE sql STABLE AS $$
    SELECT max(e.at) FILTER (WHERE e.kind IN ('refuse', 'send_back', 'recall', 'reopen')),
           max(e.at) FILTER (WHERE e.kind IN ('dispatch', 'whistle', 'transfer')),
           (count(*) FILTER (WHERE e.kind IN ('refuse', 'send_back')))::integer
    FROM ticket_event e WHERE e.ticket_id = ticket
$$;
REVOKE ALL ON FUNCTION past_of_ticket FROM public;

CREATE FUNCTION keep_open() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        DELETE FROM open_ticket WHERE id = OLD.id;
    ELSIF NEW.closed_at IS NOT NULL THEN
        DELETE FROM open_ticket WHERE id = NEW.id;
    ELSE
        INSERT INTO open_ticket (id, area_no, reported_at, dispatched_at, due_at, sign_due, respond_due, suspended_until,
                                 status, version, escalation, channel_id, category_id, severity, nature, geom,
                                 back_at, on_at, refused)
        SELECT NEW.id, NEW.area_no, NEW.reported_at, NEW.dispatched_at, NEW.due_at, NEW.sign_due, NEW.respond_due,
               NEW.suspended_until, NEW.status, NEW.version, NEW.escalation, NEW.channel_id, NEW.category_id, NEW.severity,
               NEW.nature, NEW.geom, past.*
        FROM past_of_ticket(NEW.id) past
        ON CONFLICT (id) DO UPDATE
        SET area_no = excluded.area_no, reported_at = excluded.reported_at, dispatched_at = excluded.dispatched_at,
            due_at = excluded.due_at, sign_due = excluded.sign_due, respond_due = excluded.respond_due,
            suspended_until = excluded.suspended_until, status = excluded.status, version = excluded.version,
            escalation = excluded.escalation, channel_id = excluded.channel_id, category_id = excluded.category_id,
            severity = excluded.severity, nature = excluded.nature, geom = excluded.geom, back_at = excluded.back_at,
            on_at = excluded.on_at, refused = excluded.refused;
    END IF;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION keep_open FROM public;
-- An import brings a year of tickets that are closed: those cost a comparison each.
CREATE TRIGGER open_begins AFTER INSERT ON ticket FOR EACH ROW WHEN (NEW.closed_at IS NULL) EXECUTE FUNCTION keep_open();
CREATE TRIGGER open_follows AFTER UPDATE ON ticket FOR EACH ROW
    WHEN (OLD.closed_at IS NULL OR NEW.closed_at IS NULL) EXECUTE FUNCTION keep_open();
CREATE TRIGGER open_ends AFTER DELETE ON ticket FOR EACH ROW WHEN (OLD.closed_at IS NULL) EXECUTE FUNCTION keep_open();

-- The history of a command is written before or after its ticket; counted anew, the order is the same to both.
CREATE FUNCTION keep_past() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE open_ticket SET (back_at, on_at, refused) = (SELECT past.* FROM past_of_ticket(NEW.ticket_id) past)
    WHERE id = NEW.ticket_id;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION keep_past FROM public;
CREATE TRIGGER past_follows AFTER INSERT ON ticket_event FOR EACH ROW
    WHEN (NEW.kind IN ('dispatch', 'whistle', 'transfer', 'refuse', 'send_back', 'recall', 'reopen'))
    EXECUTE FUNCTION keep_past();

-- All tickets gone at once take these along. A partition that is dropped tells nobody: see forget_open.
CREATE FUNCTION empty_open() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    TRUNCATE open_ticket;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION empty_open FROM public;
CREATE TRIGGER opens_end AFTER TRUNCATE ON ticket FOR EACH STATEMENT EXECUTE FUNCTION empty_open();

-- The open ones of tickets that came without a trigger: those of a month that was filled before it was attached.
CREATE FUNCTION take_open(month regclass) RETURNS integer LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    taken integer;
BEGIN
    EXECUTE format($q$
        INSERT INTO open_ticket (id, area_no, reported_at, dispatched_at, due_at, sign_due, respond_due, suspended_until,
                                 status, version, escalation, channel_id, category_id, severity, nature, geom,
                                 back_at, on_at, refused)
        SELECT id, area_no, reported_at, dispatched_at, due_at, sign_due, respond_due, suspended_until,
               status, version, escalation, channel_id, category_id, severity, nature, geom, past.*
        FROM %s CROSS JOIN LATERAL past_of_ticket(id) past WHERE closed_at IS NULL
        ON CONFLICT DO NOTHING $q$, month);
    GET DIAGNOSTICS taken = ROW_COUNT;
    RETURN taken;
END $$;
REVOKE ALL ON FUNCTION take_open FROM public;
DO $$ BEGIN PERFORM take_open('ticket'); END $$;

-- Takes away what was of a month that was dropped; returns how many rows. One that somebody is writing is there.
CREATE FUNCTION forget_open() RETURNS integer LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    gone integer;
BEGIN
    DELETE FROM open_ticket WHERE id IN (
        SELECT id FROM open_ticket o
        WHERE NOT EXISTS (SELECT FROM ticket t WHERE t.id = o.id AND t.reported_at = o.reported_at)
        FOR UPDATE SKIP LOCKED);
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END $$;
REVOKE ALL ON FUNCTION forget_open FROM public;
GRANT EXECUTE ON FUNCTION forget_open TO wangge_jobs;

-- What somebody did, and of it what makes a ticket theirs, from the index alone.
DROP INDEX ticket_event_actor;
CREATE INDEX ticket_event_actor ON ticket_event (actor, ticket_id) INCLUDE (kind, area_no) WHERE kind <> 'imported';
ANALYZE open_ticket;
