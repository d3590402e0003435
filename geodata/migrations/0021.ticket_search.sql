-- What the list of tickets is searched, filtered and sorted by; searching for words; filters that an account keeps.

-- Texts one after another without spaces and punctuation, in small letters and half width: what is searched in.
CREATE FUNCTION ticket_plain(title text, description text, address text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 400 AS $$
DECLARE
    said text := coalesce(title, '') || coalesce(description, '') || coalesce(address, '');
BEGIN
    IF said ~ '[\uff10-\uff19\uff21-\uff3a\uff41-\uff5a]' THEN
        said := normalize(said, NFKC);
    END IF;
    -- Code points, not classes: those mean something else in a database of another locale.
    RETURN lower(regexp_replace(said, '[\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00bf\u2000-\u206f'
        '\u3000-\u3004\u3008-\u3020\u30fb\ufe10-\ufe4f\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65]+', '', 'g'));
END $$;

-- All pairs of neighbouring characters, and the last one by itself. Chinese has no spaces, and no dictionary knows the names of
-- a county's villages: any word of two characters is one of these pairs, a longer one several, a single character begins some.
CREATE FUNCTION ticket_words(title text, description text, address text) RETURNS tsvector
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 3000 AS $$
DECLARE
    plain text := ticket_plain(title, description, address);
BEGIN
    -- cut into pairs from the first character and from the second: three times faster than one by one
    RETURN array_to_tsvector(array_remove(string_to_array(
        regexp_replace(plain, '(..)', '\1 ', 'g') || ' ' || regexp_replace(substr(plain, 2), '(..)', '\1 ', 'g'), ' '), ''));
END $$;

-- Whether all terms (as ticket_plain leaves them) stand in the texts: pairs alone do not say that they follow each other.
CREATE FUNCTION ticket_says(title text, description text, address text, terms text[]) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 400 AS $$
DECLARE
    said text := coalesce(title, '') || coalesce(description, '') || coalesce(address, '');
    plain text;
    term text;
BEGIN
    FOREACH term IN ARRAY terms LOOP
        CONTINUE WHEN strpos(said, term) > 0;  -- as written, which is the rule and cheap
        plain := coalesce(plain, ticket_plain(title, description, address));
        IF strpos(plain, term) = 0 THEN
            RETURN false;
        END IF;
    END LOOP;
    RETURN true;
END $$;

CREATE INDEX ticket_text ON ticket USING gin (ticket_words(title, description, address)) WITH (gin_pending_list_limit = 512);
CREATE INDEX ticket_due ON ticket (coalesce(due_at, 'infinity'), id);
CREATE INDEX ticket_category ON ticket (category_id, reported_at);
CREATE INDEX ticket_department ON ticket (department_id, channel_id) WHERE department_id IS NOT NULL;
CREATE INDEX ticket_worker ON ticket (worker_id, reported_at) WHERE worker_id IS NOT NULL;
CREATE INDEX ticket_escalated ON ticket (reported_at) WHERE escalation > 0;
CREATE INDEX ticket_watched ON ticket (reported_at) WHERE supervised_at IS NOT NULL;
CREATE INDEX ticket_graded ON ticket (severity, reported_at) WHERE severity IS NOT NULL;
CREATE INDEX ticket_unplaced ON ticket (location, reported_at) WHERE location <> 'exact';
CREATE INDEX ticket_event_actor ON ticket_event (actor, ticket_id) WHERE kind <> 'imported';

-- Tickets in scope whose texts hold all terms: the newest of those reported in [since, until), `most` at the most; with a number
-- also the ticket of that number, with a source those of that source id. `only_open` leaves out ended ones.
-- It runs as the owner, for an index on text is not used below a policy of areas (@@ may leak, says its declaration): the scope
-- is tested here instead, and whoever asks joins the areas, which have their own policy.
CREATE FUNCTION ticket_found(terms text[], number bigint, source text, since timestamptz, until timestamptz, only_open boolean,
                             most integer)
    RETURNS SETOF ticket LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    SET enable_indexscan = on SET enable_seqscan = on ROWS 500 COST 10000 AS $$
DECLARE
    plain text[] := ARRAY(SELECT p FROM unnest(terms) term, ticket_plain(term, NULL, NULL) p WHERE p <> '');
    words tsquery;
    low bigint := scope_lo();
    high bigint := scope_hi();
    parts int8multirange := scope_parts();
    inside text := ' WHERE t.reported_at >= $1 AND t.reported_at < $2';
    said text := ' AND ticket_says(t.title, t.description, t.address, $6)';
    holding text := ' AND ticket_words(t.title, t.description, t.address) @@ $8';
    newest text := ' ORDER BY t.reported_at DESC LIMIT $7';
    share double precision;
    first_at timestamptz;
    upper_at timestamptz;
    lower_at timestamptz;
    months integer := 1;
    got integer;
    found_so_far integer := 0;
BEGIN
    IF low IS NULL OR high IS NULL OR cardinality(plain) = 0 THEN
        RETURN;
    END IF;
    SELECT greatest(since, min(reported_at)), least(until, max(reported_at) + interval '1 s') INTO first_at, upper_at FROM ticket;
    SELECT string_agg(CASE length(p) WHEN 1 THEN quote_literal(p) || ':*' ELSE quote_literal(substr(p, i, 2)) END, ' & ')
    INTO words FROM unnest(plain) p, generate_series(1, greatest(1, length(p) - 1)) i;
    IF low > 0 OR high < 9999999999999 THEN
        inside := inside || ' AND t.area_no BETWEEN $3 AND $4';
    END IF;
    IF parts IS NOT NULL THEN
        inside := inside || ' AND t.area_no <@ $5';
    END IF;
    IF EXISTS (SELECT FROM unnest(plain) p WHERE length(p) > 2) THEN
        holding := holding || said;
    END IF;
    IF number IS NOT NULL OR source IS NOT NULL THEN
        RETURN QUERY EXECUTE 'SELECT t.* FROM ticket t' || inside || CASE WHEN only_open THEN ' AND t.closed_at IS NULL' ELSE '' END
            || ' AND NOT (true' || said || ') AND t.id IN (SELECT $7::bigint'
            || ' UNION SELECT o.id FROM channel c JOIN ticket o ON o.channel_id = c.id AND o.source_id = $8)'
            USING first_at, upper_at, low, high, parts, plain, number, source;
    END IF;
    -- All is written out and planned anew each time: how many a word finds decides how they are best found.
    IF only_open THEN
        RETURN QUERY EXECUTE 'SELECT t.* FROM ticket t' || inside || ' AND t.closed_at IS NULL' || holding || newest
            USING first_at, upper_at, low, high, parts, plain, most, words;
        RETURN;
    END IF;
    -- A word that stands in every third ticket is read off the newest ones sooner than out of an index.
    EXECUTE 'SELECT avg(sample.said::integer) FROM (SELECT true' || said || ' AS said FROM ticket t' || inside || newest || ') sample'
        INTO share USING first_at, upper_at, low, high, parts, plain, 300;
    IF share > 0.3 THEN
        RETURN QUERY EXECUTE 'SELECT t.* FROM ticket t' || inside || said || newest
            USING first_at, upper_at, low, high, parts, plain, most;
        RETURN;
    END IF;
    -- From the newest month back, as many at a time as it seems to take; the planner would fetch them all to sort them.
    PERFORM set_config('enable_indexscan', 'off', true), set_config('enable_seqscan', 'off', true);
    WHILE upper_at > first_at AND found_so_far < most LOOP
        lower_at := (date_trunc('month', upper_at AT TIME ZONE 'UTC' - interval '1 us') - make_interval(months => months - 1))
            AT TIME ZONE 'UTC';
        RETURN QUERY EXECUTE 'SELECT t.* FROM ticket t' || inside || holding || newest
            USING greatest(first_at, lower_at), upper_at, low, high, parts, plain, most - found_so_far, words;
        GET DIAGNOSTICS got = ROW_COUNT;
        found_so_far := found_so_far + got;
        IF found_so_far < most / 4 THEN
            months := months * 2;
        END IF;
        upper_at := lower_at;
    END LOOP;
END $$;
REVOKE ALL ON FUNCTION ticket_found FROM public;
GRANT EXECUTE ON FUNCTION ticket_found TO wangge_scoped, wangge_county, wangge_parts;

-- A list that somebody keeps: what it filters and sorts by. With an area, everybody whose areas all lie in it has it too.
CREATE TABLE ticket_filter (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id bigint NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    name       text NOT NULL CHECK (length(name) BETWEEN 1 AND 60),
    query      jsonb NOT NULL CHECK (jsonb_typeof(query) = 'object'),
    area_no    bigint REFERENCES area (no),        -- whom it is shared with; null = nobody
    changed_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (account_id, name)
);
CREATE INDEX ON ticket_filter (area_no) WHERE area_no IS NOT NULL;
GRANT SELECT, INSERT, UPDATE, DELETE ON ticket_filter TO wangge_access;
