-- Status call-backs out: where other systems want to be told, and what they are still to be told.

CREATE TABLE notice_target (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind          text NOT NULL CHECK (kind IN ('client', 'webhook')),
    name          text NOT NULL CHECK (name <> ''),     -- of the client, or of the webhook channel
    url           text NOT NULL CHECK (url ~ '^https?://'),
    secret_sealed bytea NOT NULL,                       -- libsodium's secretbox; key_id tells which key
    key_id        smallint NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    created_by    text NOT NULL,
    ended_at      timestamptz
);
CREATE UNIQUE INDEX notice_target_now ON notice_target (kind, name) WHERE ended_at IS NULL;

-- One row a status of a ticket and a target: sent, dead, or still to be sent.
CREATE TABLE notice (
    seq          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,  -- of one ticket in the order of its events
    id           uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),   -- the same at each try: receivers know it again by it
    target_id    bigint NOT NULL REFERENCES notice_target (id),
    ticket_id    bigint NOT NULL,
    event_id     bigint NOT NULL,
    event        text NOT NULL,                         -- the command
    status       text NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    tries        smallint NOT NULL DEFAULT 0,
    next_at      timestamptz NOT NULL DEFAULT now(),
    leased_until timestamptz,                           -- a worker is sending it until then
    sent_at      timestamptz,
    dead_at      timestamptz,
    answer       smallint,                              -- HTTP status of the last answer
    error        text,                                  -- why there was none
    CHECK (sent_at IS NULL OR dead_at IS NULL)
);
CREATE INDEX notice_waiting ON notice (target_id, ticket_id, seq) WHERE sent_at IS NULL AND dead_at IS NULL;
CREATE INDEX notice_dead ON notice (dead_at) WHERE dead_at IS NOT NULL;
CREATE INDEX notice_sent ON notice (sent_at) WHERE sent_at IS NOT NULL;

-- Registered and looked at by administrators, sent by jobs; no role that looks at tickets reads them.
GRANT SELECT, INSERT, UPDATE ON notice_target TO wangge_access;
GRANT SELECT, UPDATE (next_at, tries, dead_at) ON notice TO wangge_access;
GRANT SELECT ON notice_target TO wangge_jobs;
GRANT SELECT, UPDATE, DELETE ON notice TO wangge_jobs;
GRANT SELECT (id, name) ON webhook_channel TO wangge_jobs;

-- Written in the transaction of the event. The first event of a ticket tells where it came from; its sender was answered then.
CREATE FUNCTION notice_of_event() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    target record;
BEGIN
    FOR target IN
        SELECT t.id FROM notice_target t
        JOIN LATERAL (
            SELECT e.actor, e.actor_role, e.source FROM ticket_event e
            WHERE e.ticket_id = NEW.ticket_id AND e.version = 1 ORDER BY e.id LIMIT 1
        ) first ON CASE t.kind
            WHEN 'client' THEN first.actor_role = 'client' AND first.actor = t.name
            ELSE first.source = 'webhook:' || t.name END
        WHERE t.ended_at IS NULL
    LOOP
        INSERT INTO notice (target_id, ticket_id, event_id, event, status)
        VALUES (target.id, NEW.ticket_id, NEW.id, NEW.kind, NEW.status::text);
        PERFORM plan_job('work', 'send_notices', 'notices:' || target.id, jsonb_build_object('target', target.id), NULL);
    END LOOP;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION notice_of_event FROM public;
CREATE TRIGGER notice_of_event AFTER INSERT ON ticket_event FOR EACH ROW
    WHEN (NEW.version > 1 AND NEW.source IS DISTINCT FROM 'import'
          AND (NEW.was IS DISTINCT FROM NEW.status OR NEW.kind IN ('closed_with', 'reopened_with')))
    EXECUTE FUNCTION notice_of_event();
