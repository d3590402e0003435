-- Alarms: what has to be heard at once, by whom it was acknowledged, and how far up it went while nobody did.

CREATE TABLE alarm (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    area_no           bigint NOT NULL,
    kind              text NOT NULL CHECK (kind IN ('arrived', 'undecided', 'unsigned', 'near', 'late', 'burst')),
    severity          text,                            -- code of the profile's loop; null = nobody graded it
    ticket_id         bigint,
    incident_id       bigint,
    data              jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(data) = 'object'),   -- figures, no words of people
    key               text NOT NULL CHECK (key <> ''), -- what it is about: of one key one is open at most
    raised_at         timestamptz NOT NULL,
    level             smallint NOT NULL DEFAULT 0,     -- how often it went up
    escalates_at      timestamptz,                     -- when it goes up next; null = not any more
    acknowledged_at   timestamptz CHECK (acknowledged_at >= raised_at),
    acknowledged_by   text,                            -- login of the account, name of the other system
    acknowledged_name text,                            -- what colleagues call them
    how               text,                            -- 'acknowledged', or the command that dealt with the ticket
    note              text CHECK (length(note) <= 300),
    CHECK ((acknowledged_at IS NULL) = (acknowledged_by IS NULL)),
    CHECK ((acknowledged_at IS NULL) = (how IS NULL)),
    CHECK (acknowledged_at IS NULL OR escalates_at IS NULL)
);
CREATE UNIQUE INDEX alarm_open ON alarm (key) WHERE acknowledged_at IS NULL;
CREATE INDEX alarm_open_ticket ON alarm (ticket_id) WHERE acknowledged_at IS NULL AND ticket_id IS NOT NULL;
CREATE INDEX ON alarm (raised_at);
CALL enable_scope('alarm');
GRANT INSERT, UPDATE (level, escalates_at, acknowledged_at, acknowledged_by, acknowledged_name, how, note)
    ON alarm TO wangge_scoped, wangge_county, wangge_parts;

-- A ticket that moves takes its open alarms along, out of the scope of who moved it if need be.
CREATE FUNCTION alarms_follow() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE alarm SET area_no = NEW.area_no
    WHERE ticket_id = NEW.ticket_id AND acknowledged_at IS NULL AND area_no <> NEW.area_no;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION alarms_follow FROM public;
CREATE TRIGGER alarms_follow AFTER INSERT ON ticket_event FOR EACH ROW
    WHEN (NEW.kind IN ('relocate', 'undo')) EXECUTE FUNCTION alarms_follow();
