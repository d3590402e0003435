-- The handover of a shift: what its people wrote down, and what one gave and another took, signed by both.

-- What a row was seen in: whoever reads it sees all of these areas (enable_scope alone would test one number).
CREATE PROCEDURE enable_whole_scope(target regclass) LANGUAGE plpgsql AS $$
BEGIN
    CALL enable_scope(target::text::regclass);
    EXECUTE format('ALTER POLICY scoped ON %s USING (%s AND ranges <@ int8range((SELECT scope_lo()), (SELECT scope_hi()), ''[]''))',
                   target, scope_test('area_no', false));
    EXECUTE format('ALTER POLICY parts ON %s USING (%s AND ranges <@ coalesce((SELECT scope_parts()),
                   int8multirange(int8range((SELECT scope_lo()), (SELECT scope_hi()), ''[]''))))',
                   target, scope_test('area_no', true));
END $$;

CREATE TABLE handover (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    area_no    bigint NOT NULL,                     -- where the giver's scope begins
    ranges     int8multirange NOT NULL,             -- the giver's scope
    since      timestamptz NOT NULL,                -- the shift
    until      timestamptz NOT NULL CHECK (until >= since),
    state      text NOT NULL DEFAULT 'given' CHECK (state IN ('given', 'taken', 'withdrawn')),
    given_by   text NOT NULL,                       -- login
    given_name text NOT NULL,
    words      text CHECK (length(words) <= 2000),
    snapshot   jsonb NOT NULL CHECK (jsonb_typeof(snapshot) = 'object'),  -- what stood open, as it was signed
    digest     bytea NOT NULL,                      -- SHA-256 of what both sign
    taken_by   text CHECK (taken_by <> given_by),
    taken_name text,
    taken_at   timestamptz CHECK (taken_at >= until),
    taken_words text CHECK (length(taken_words) <= 2000),
    CHECK ((state = 'taken') = (taken_by IS NOT NULL)),
    CHECK ((taken_by IS NULL) = (taken_at IS NULL))
);
CREATE UNIQUE INDEX handover_given ON handover (given_by) WHERE state = 'given';
CREATE INDEX ON handover (taken_by, taken_at);
CREATE INDEX ON handover (until);
CALL enable_whole_scope('handover');
GRANT INSERT, UPDATE (state, taken_by, taken_name, taken_at, taken_words) ON handover
    TO wangge_scoped, wangge_county, wangge_parts;

-- What was signed stays as it was.
CREATE FUNCTION handover_stands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state <> 'given' THEN
        RAISE EXCEPTION 'a handover that is % does not change', OLD.state USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER handover_stands BEFORE UPDATE ON handover FOR EACH ROW EXECUTE FUNCTION handover_stands();
CREATE TRIGGER never_deleted BEFORE DELETE ON handover FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TABLE handover_note (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    area_no    bigint NOT NULL,                     -- of its ticket; without one where the writer's scope begins
    ranges     int8multirange NOT NULL,
    kind       text NOT NULL CHECK (kind IN ('promised', 'watched', 'note')),
    words      text NOT NULL CHECK (words <> '' AND length(words) <= 500),
    ticket_id  bigint,
    due_at     timestamptz,
    at         timestamptz NOT NULL,
    actor      text NOT NULL,
    actor_name text NOT NULL,
    done_at    timestamptz CHECK (done_at >= at),
    done_by    text,
    done_name  text,
    CHECK ((done_at IS NULL) = (done_by IS NULL))
);
CREATE INDEX ON handover_note (at);
CREATE INDEX handover_note_open ON handover_note (area_no) WHERE done_at IS NULL;
CALL enable_whole_scope('handover_note');
GRANT INSERT, UPDATE (done_at, done_by, done_name) ON handover_note TO wangge_scoped, wangge_county, wangge_parts;
