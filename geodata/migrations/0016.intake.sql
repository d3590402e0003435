-- Intake: places found by name, reporters kept sealed, and the channels that send to us.

-- A place that was only named has an area and no point: it is counted, and never drawn as a point of its own.
ALTER TYPE location_quality ADD VALUE 'by_name' BEFORE 'outside';
DO $$
DECLARE
    old name;
BEGIN
    SELECT conname INTO STRICT old FROM pg_constraint
    WHERE conrelid = 'ticket'::regclass AND contype = 'c' AND pg_get_constraintdef(oid) LIKE '%location%';
    EXECUTE format('ALTER TABLE ticket DROP CONSTRAINT %I', old);
END $$;
-- Compared as text: a value that this transaction has added cannot be used in it.
ALTER TABLE ticket ADD CONSTRAINT ticket_point CHECK ((geom IS NULL) = (location::text IN ('none', 'by_name')));

-- Who reported a ticket: libsodium's secretbox of a JSON object under a key that is not in the database (key_id tells which).
CREATE TABLE ticket_reporter (
    ticket_id    bigint PRIMARY KEY,
    area_no      bigint NOT NULL,                    -- the ticket's, for the policies; follows it
    name_masked  text CHECK (name_masked LIKE '_**'),
    phone_masked text CHECK (phone_masked LIKE '%****%'),
    sealed       bytea NOT NULL,
    key_id       smallint NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON ticket_reporter (area_no);
CALL enable_scope('ticket_reporter');
-- Who files writes; who works on tickets reads that there is somebody; what is sealed is read in the hat "care" alone.
REVOKE SELECT ON ticket_reporter FROM wangge_scoped, wangge_county, wangge_parts;
GRANT INSERT, SELECT (ticket_id, area_no, name_masked, phone_masked) ON ticket_reporter
    TO wangge_scoped, wangge_county, wangge_parts;
CREATE POLICY care ON ticket_reporter TO wangge_care USING (in_scope(area_no)) WITH CHECK (in_scope(area_no));
GRANT SELECT, UPDATE (sealed, key_id) ON ticket_reporter TO wangge_care;

CREATE FUNCTION reporter_follows() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE ticket_reporter SET area_no = NEW.area_no WHERE ticket_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER reporter_follows AFTER UPDATE OF area_no ON ticket
    FOR EACH ROW WHEN (OLD.area_no IS DISTINCT FROM NEW.area_no) EXECUTE FUNCTION reporter_follows();

-- Deletes reporters of tickets that ended so many days ago, and returns how many.
CREATE FUNCTION forget_reporters(days integer) RETURNS bigint LANGUAGE sql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
    WITH gone AS (
        DELETE FROM ticket_reporter r USING ticket t
        WHERE t.id = r.ticket_id AND t.closed_at < now() - make_interval(days => days)
          AND r.created_at < now() - make_interval(days => days)
        RETURNING 1
    )
    SELECT count(*) FROM gone
$$;
REVOKE ALL ON FUNCTION forget_reporters FROM public;
GRANT EXECUTE ON FUNCTION forget_reporters TO wangge_jobs;

-- A system that sends reports to /api/webhooks/NAME, signed with a key of its own.
CREATE TABLE webhook_channel (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       text NOT NULL UNIQUE CHECK (name ~ '^[a-z0-9][a-z0-9-]{1,39}$'),
    form       text NOT NULL CHECK (form IN ('hotline', 'petition', 'opinion', 'group')),
    channel    text NOT NULL REFERENCES channel (code),
    key_sealed bytea NOT NULL,
    key_id     smallint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL,
    revoked_at timestamptz
);
-- Numbers of senders tell tickets of a channel apart, so one sender has it at a time.
CREATE UNIQUE INDEX webhook_one_sender ON webhook_channel (channel) WHERE revoked_at IS NULL;
GRANT SELECT, INSERT, UPDATE ON webhook_channel TO wangge_access;
GRANT SELECT ON channel TO wangge_access;
