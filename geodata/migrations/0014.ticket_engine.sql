-- What the commands of a ticket change (services/tickets), and events that say who changed what from what.

ALTER TABLE ticket RENAME COLUMN answered_at TO handled_at;
ALTER TABLE ticket
    ADD COLUMN severity        text,                        -- code of the profile's loop; null = ordinary
    ADD COLUMN nature          text,                        -- consultation, help, complaint …
    ADD COLUMN risk            text,                        -- grade of the ledger that it stands in
    ADD COLUMN solved          text CHECK (solved IN ('solved', 'partly', 'unsolved')),
    ADD COLUMN tier            smallint,                    -- of the whistle
    ADD COLUMN parties         jsonb NOT NULL DEFAULT '[]', -- who leads and who joins (services/tickets/parties.py)
    ADD COLUMN sign_due        timestamptz,
    ADD COLUMN respond_due     timestamptz,
    ADD COLUMN suspended_until timestamptz,
    ADD COLUMN resume_status   ticket_status,               -- where it goes on after a pause, a consultation, a merging
    ADD COLUMN merged_into     bigint,
    ADD COLUMN redos           smallint NOT NULL DEFAULT 0,
    ADD COLUMN transfers       smallint NOT NULL DEFAULT 0,
    ADD COLUMN escalation      smallint NOT NULL DEFAULT 0,
    ADD COLUMN supervised_at   timestamptz,
    ADD COLUMN supervision     text,                        -- its class: ordinary, hard, complex …
    ADD COLUMN registered_no   text,                        -- of the register (挂号); ended with the ticket (销号)
    ADD COLUMN nodes           jsonb NOT NULL DEFAULT '[]'; -- the plan of a complex one

DO $$
DECLARE
    old name;
BEGIN
    SELECT conname INTO STRICT old FROM pg_constraint
    WHERE conrelid = 'ticket'::regclass AND contype = 'c'
      AND pg_get_constraintdef(oid) LIKE '%closed_at IS NOT NULL%';
    EXECUTE format('ALTER TABLE ticket DROP CONSTRAINT %I', old);
END $$;
ALTER TABLE ticket
    ADD CONSTRAINT ended CHECK (
        (closed_at IS NOT NULL) = (status IN ('closed', 'archived', 'merged', 'rejected', 'cancelled'))),
    ADD CONSTRAINT waits_to_go_on CHECK (
        (resume_status IS NOT NULL) = (status IN ('suspended', 'consulted', 'merged'))),
    ADD CONSTRAINT pause_ends CHECK ((suspended_until IS NOT NULL) = (status = 'suspended')),
    ADD CONSTRAINT merged_somewhere CHECK ((merged_into IS NOT NULL) = (status = 'merged'));
DROP INDEX ticket_cancelled;
CREATE INDEX ticket_void ON ticket (reported_at, area_no) WHERE status IN ('merged', 'rejected', 'cancelled');
CREATE INDEX ticket_merged ON ticket (merged_into) WHERE merged_into IS NOT NULL;
CREATE INDEX ticket_supervised ON ticket (supervised_at) WHERE supervised_at IS NOT NULL AND closed_at IS NULL;
GRANT SELECT (severity, nature, risk, solved, tier, sign_due, respond_due, suspended_until, resume_status, merged_into,
              redos, transfers, escalation, supervised_at, supervision) ON ticket TO wangge_wall;

-- kind is the name of the command from now on; 'report' for a filed ticket, 'imported' for one that came with a file.
ALTER TABLE ticket_event
    ADD COLUMN was        ticket_status,
    ADD COLUMN actor_role text,
    ADD COLUMN source     text,             -- screen, api, open311, webhook:<channel>, import, job
    ADD COLUMN ip         text,
    ADD COLUMN before     jsonb,            -- the changed fields of the row, codes instead of ids
    ADD COLUMN after      jsonb,            -- of a report: all fields
    ADD COLUMN data       jsonb,            -- what the command carried
    ADD COLUMN key        text,             -- the sender's idempotency key
    ADD COLUMN digest     bytea,            -- of what was sent with it
    ADD COLUMN undoes     bigint;           -- the event that this one takes back
GRANT SELECT (was, undoes) ON ticket_event TO wangge_wall;
CREATE UNIQUE INDEX ticket_event_key ON ticket_event (actor, key) WHERE key IS NOT NULL;
CREATE UNIQUE INDEX ticket_event_undone ON ticket_event (undoes) WHERE undoes IS NOT NULL;

CREATE SEQUENCE register_no;
GRANT USAGE ON SEQUENCE register_no TO wangge_scoped, wangge_county, wangge_parts;
