-- The audit: who did or looked at what. Rows are only ever added; each carries the hash of the one before.

CREATE TABLE audit (
    id          bigint PRIMARY KEY,                -- 1, 2, 3 … without a gap, so that a row taken out is missed
    at          timestamptz NOT NULL,
    actor_kind  text NOT NULL CHECK (actor_kind IN ('account', 'wall', 'client', 'system', 'nobody')),
    actor_id    bigint,                            -- null = somebody who is not known, as at a failed sign-in
    actor_name  text NOT NULL,
    actor_role  text,                              -- its role at that time
    ip          text,
    action      text NOT NULL CHECK (action <> ''),
    object_kind text,
    object_id   text,
    area_no     bigint,                            -- whose scope may see it; null = the whole place
    reason      text,                              -- the actor's own words
    detail      jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(detail) = 'object'),
    request_id  text,                              -- as in the log and in the answer's X-Request-ID
    prev_hash   bytea NOT NULL CHECK (length(prev_hash) = 32),
    hash        bytea NOT NULL CHECK (length(hash) = 32)
);
CREATE INDEX ON audit (at);
CREATE INDEX ON audit (action, id);
CREATE INDEX ON audit (lower(actor_name), id);
CREATE INDEX ON audit (area_no, id);
CREATE INDEX ON audit (object_kind, object_id) WHERE object_id IS NOT NULL;

-- What the chain ends with, and the last row that retention took away (where the chain begins now).
CREATE TABLE audit_head (
    singleton   boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    last_id     bigint NOT NULL,
    last_hash   bytea NOT NULL CHECK (length(last_hash) = 32),
    anchor_id   bigint NOT NULL CHECK (anchor_id <= last_id),
    anchor_hash bytea NOT NULL CHECK (length(anchor_hash) = 32)
);
INSERT INTO audit_head (last_id, last_hash, anchor_id, anchor_hash)
VALUES (0, sha256('wangge audit'), 0, sha256('wangge audit'));

-- The SHA-256 of a row: over the previous hash and the other columns as one JSON array. A column that a later
-- migration adds must stay out of it, or old rows no longer verify.
CREATE FUNCTION audit_hash(a audit) RETURNS bytea LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog
    RETURN sha256(a.prev_hash || convert_to(jsonb_build_array(
        a.id, to_char(a.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), a.actor_kind, a.actor_id, a.actor_name,
        a.actor_role, a.ip, a.action, a.object_kind, a.object_id, a.area_no, a.reason, a.detail, a.request_id
    )::text, 'UTF8'));

-- Gives a new row its number, time and hashes, whatever the writer says of them. The head's row lock, held until the
-- writer commits, puts writers in line; behind one that does not end, others fail rather than hang.
CREATE FUNCTION audit_chain() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
    SET lock_timeout = '10s' AS $$
DECLARE
    head audit_head;
BEGIN
    SELECT * INTO STRICT head FROM audit_head FOR UPDATE;
    NEW.id := head.last_id + 1;
    NEW.at := clock_timestamp();
    NEW.prev_hash := head.last_hash;
    NEW.hash := audit_hash(NEW);
    UPDATE audit_head SET last_id = NEW.id, last_hash = NEW.hash;
    RETURN NEW;
END $$;
CREATE TRIGGER chain BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION audit_chain();

-- Nobody changes a row, its owner included. A row may go when the anchor has passed it and it is older than 180 days.
CREATE FUNCTION audit_keep() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.at < now() - interval '180 days' AND OLD.id <= (SELECT anchor_id FROM audit_head) THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION 'audit is append-only' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_keep();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_keep();

-- The head moves forward, from within the two functions only.
CREATE FUNCTION audit_head_keep() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF (NEW.last_id = OLD.last_id + 1 AND pg_trigger_depth() > 1 AND NEW.anchor_id = OLD.anchor_id
                AND NEW.anchor_hash = OLD.anchor_hash)
            OR (NEW.last_id = OLD.last_id AND NEW.last_hash = OLD.last_hash AND NEW.anchor_id > OLD.anchor_id) THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'audit_head follows the audit' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER forward_only BEFORE UPDATE OR DELETE ON audit_head FOR EACH ROW EXECUTE FUNCTION audit_head_keep();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON audit_head FOR EACH STATEMENT EXECUTE FUNCTION audit_head_keep();

-- Takes away rows older than that many days (180 at least) from the old end, 50,000 at most, and writes a row about it.
-- The anchor keeps number and hash of the last one, so the rest still verifies. Returns how many went.
CREATE FUNCTION audit_forget(days integer) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
DECLARE
    head audit_head;
    upto bigint;
    upto_hash bytea;
    gone bigint;
BEGIN
    IF days IS NULL OR days < 180 THEN
        RAISE EXCEPTION 'the audit is kept for 180 days at least' USING ERRCODE = 'check_violation';
    END IF;
    SELECT * INTO STRICT head FROM audit_head FOR UPDATE;
    SELECT coalesce(min(id) - 1, head.last_id) INTO upto FROM audit WHERE at >= now() - make_interval(days => days);
    upto := least(upto, head.anchor_id + 50000);
    IF upto <= head.anchor_id THEN
        RETURN 0;
    END IF;
    -- Without the row itself, the next one still knows its hash.
    SELECT coalesce((SELECT hash FROM audit WHERE id = upto), (SELECT prev_hash FROM audit WHERE id = upto + 1),
                    CASE upto WHEN head.last_id THEN head.last_hash END, head.anchor_hash) INTO upto_hash;
    UPDATE audit_head SET anchor_id = upto, anchor_hash = upto_hash;
    DELETE FROM audit WHERE id <= upto;
    GET DIAGNOSTICS gone = ROW_COUNT;
    INSERT INTO audit (actor_kind, actor_id, actor_name, actor_role, action, detail)
    VALUES ('system', 0, 'system', 'system', 'audit_shortened',
            jsonb_build_object('rows', gone, 'missing', upto - head.anchor_id - gone, 'up_to', upto, 'days', days));
    RETURN gone;
END $$;
REVOKE ALL ON FUNCTION audit_forget FROM public;
GRANT EXECUTE ON FUNCTION audit_forget TO wangge_jobs;

-- Rows that belong to no area are for those who see the whole place.
CREATE FUNCTION scope_is_whole() RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    RETURN coalesce(scope_lo() >= 0 AND scope_hi() > scope_lo() AND scope_parts() IS NULL AND NOT EXISTS (
        SELECT FROM area WHERE parent_no IS NULL AND (no < scope_lo() OR hi > scope_hi())), false);

ALTER TABLE audit ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_head ENABLE ROW LEVEL SECURITY;
CREATE POLICY append ON audit FOR INSERT
    TO wangge_scoped, wangge_county, wangge_parts, wangge_wall, wangge_care, wangge_access, wangge_auditor, wangge_jobs
    WITH CHECK (true);
GRANT INSERT (actor_kind, actor_id, actor_name, actor_role, ip, action, object_kind, object_id, area_no, reason, detail,
              request_id) ON audit
    TO wangge_scoped, wangge_county, wangge_parts, wangge_wall, wangge_care, wangge_access, wangge_auditor, wangge_jobs;
CREATE POLICY read ON audit FOR SELECT TO wangge_auditor
    USING ((SELECT scope_is_whole()) OR in_scope(area_no));
CREATE POLICY read ON audit_head FOR SELECT TO wangge_auditor USING ((SELECT scope_is_whole()));
GRANT SELECT ON audit, audit_head TO wangge_auditor;
CREATE POLICY auditor ON area FOR SELECT TO wangge_auditor USING (in_scope(no));
GRANT SELECT ON area, place TO wangge_auditor;
