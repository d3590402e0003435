-- What workers have in hand, beside their latest positions: tickets lie in a partition a month, a handful of them in anybody's hands.

-- One row a ticket that somebody holds, or was given in the last two days. Only who has written the ticket's own row writes
-- the row here, so it is locked already: whoever waits, waits for the ticket, and nobody can lock two the other way round.
CREATE TABLE worker_hand (
    ticket_id     bigint PRIMARY KEY,
    worker_id     bigint NOT NULL,
    area_no       bigint NOT NULL,                 -- of the ticket: whose scope counts it
    held          boolean NOT NULL,                -- false = out of hand again, still of its day
    dispatched_at timestamptz
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 4000);
CREATE INDEX ON worker_hand (worker_id) INCLUDE (held, dispatched_at, area_no);
CALL enable_scope('worker_hand');

CREATE FUNCTION keep_hand() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    held boolean;
BEGIN
    IF TG_OP <> 'DELETE' THEN
        held := NEW.status IN ('dispatched', 'transferred', 'signed', 'in_progress');
        IF NEW.worker_id IS NOT NULL AND (held OR NEW.dispatched_at > now() - interval '2 days') THEN
            INSERT INTO worker_hand VALUES (NEW.id, NEW.worker_id, NEW.area_no, held, NEW.dispatched_at)
            ON CONFLICT (ticket_id) DO UPDATE
            SET worker_id = excluded.worker_id, area_no = excluded.area_no, held = excluded.held,
                dispatched_at = excluded.dispatched_at;
            RETURN NULL;
        END IF;
    END IF;
    DELETE FROM worker_hand WHERE ticket_id = OLD.id;  -- none of an INSERT comes here
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION keep_hand FROM public;
-- An import brings a year of tickets that are in nobody's hands: those cost a comparison each.
CREATE TRIGGER hand_begins AFTER INSERT ON ticket FOR EACH ROW
    WHEN (NEW.worker_id IS NOT NULL AND (NEW.status IN ('dispatched', 'transferred', 'signed', 'in_progress')
                                         OR NEW.dispatched_at > now() - interval '2 days'))
    EXECUTE FUNCTION keep_hand();
CREATE TRIGGER hand_follows AFTER UPDATE OF worker_id, status, dispatched_at, area_no ON ticket FOR EACH ROW
    WHEN ((OLD.worker_id IS NOT NULL OR NEW.worker_id IS NOT NULL)
          AND (OLD.worker_id, OLD.status, OLD.dispatched_at, OLD.area_no)
              IS DISTINCT FROM (NEW.worker_id, NEW.status, NEW.dispatched_at, NEW.area_no))
    EXECUTE FUNCTION keep_hand();
CREATE TRIGGER hand_ends AFTER DELETE ON ticket FOR EACH ROW
    WHEN (OLD.worker_id IS NOT NULL) EXECUTE FUNCTION keep_hand();

-- All tickets gone at once take the hands along. A partition that is dropped tells nobody: see forget_hands.
CREATE FUNCTION empty_hands() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    TRUNCATE worker_hand;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION empty_hands FROM public;
CREATE TRIGGER hands_end AFTER TRUNCATE ON ticket FOR EACH STATEMENT EXECUTE FUNCTION empty_hands();

-- The hands of tickets that came without a trigger: those of a month that was filled before it was attached.
CREATE FUNCTION take_hands(month regclass) RETURNS integer LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    taken integer;
BEGIN
    EXECUTE format($q$
        INSERT INTO worker_hand
        SELECT id, worker_id, area_no, status IN ('dispatched', 'transferred', 'signed', 'in_progress'), dispatched_at FROM %s
        WHERE worker_id IS NOT NULL AND (status IN ('dispatched', 'transferred', 'signed', 'in_progress')
                                         OR dispatched_at > now() - interval '2 days')
        ON CONFLICT DO NOTHING $q$, month);
    GET DIAGNOSTICS taken = ROW_COUNT;
    RETURN taken;
END $$;
REVOKE ALL ON FUNCTION take_hands FROM public;
DO $$ BEGIN PERFORM take_hands('ticket'); END $$;

-- Takes away what is out of hand and of an earlier day, and what was of a month that was dropped; returns how many rows.
-- A row that somebody is writing is left for the next time: waiting for it with others locked is what could end in a deadlock.
CREATE FUNCTION forget_hands() RETURNS integer LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    gone integer;
BEGIN
    DELETE FROM worker_hand WHERE ticket_id IN (
        SELECT ticket_id FROM worker_hand h
        WHERE (NOT held AND (dispatched_at < now() - interval '2 days') IS NOT false)
           OR NOT EXISTS (SELECT FROM ticket t WHERE t.id = h.ticket_id)
        FOR UPDATE SKIP LOCKED);
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END $$;
REVOKE ALL ON FUNCTION forget_hands FROM public;
GRANT EXECUTE ON FUNCTION forget_hands TO wangge_jobs;

-- Nothing counts hands by this one any more.
DROP INDEX ticket_held;

-- The nearest of a part of the place, found in order of their distance without looking at those of the others.
CREATE INDEX worker_position_scope ON worker_position USING gist (area_no, (geom::geography));
