-- The login role of the web process, scopes of several areas, and the roles that see less or something else.

-- wangge_app may do nothing by itself; for one transaction it becomes one of the others (geodata/scope.py).
-- None of them owns a table, so none can bypass or edit a policy.
DO $$
DECLARE
    name text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('wangge roles'));
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'wangge_app') THEN
        CREATE ROLE wangge_app LOGIN NOINHERIT;
    END IF;
    FOREACH name IN ARRAY ARRAY['wangge_parts', 'wangge_wall', 'wangge_care', 'wangge_access', 'wangge_auditor', 'wangge_jobs'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', name);
        END IF;
        EXECUTE format('GRANT %I TO wangge_app', name);
        EXECUTE format('GRANT %I TO %I', name, current_user);
    END LOOP;
    GRANT wangge_scoped, wangge_county TO wangge_app;
    GRANT wangge_county TO wangge_jobs;
    EXECUTE format('GRANT wangge_app TO %I', current_user);
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO wangge_app', current_database());
END $$;

-- The single areas of a scope that has several; lo..hi is then their hull, so that indexes still serve.
CREATE FUNCTION scope_parts() RETURNS int8multirange LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('wangge.parts', true), '')::int8multirange;

-- For tables that only narrow roles read, where the cost of asking once a row does not matter.
CREATE FUNCTION in_scope(area_no bigint) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
    RETURN area_no BETWEEN scope_lo() AND scope_hi() AND (scope_parts() IS NULL OR area_no <@ scope_parts());

-- The tests of the policies on facts. As sub-selects the settings are read once a query, not once a row.
CREATE FUNCTION scope_test(number_column name, parts boolean) RETURNS text LANGUAGE sql IMMUTABLE
    RETURN format('%I BETWEEN (SELECT scope_lo()) AND (SELECT scope_hi())', number_column)
        || CASE WHEN parts THEN format(
               ' AND ((SELECT scope_parts()) IS NULL OR %I <@ (SELECT scope_parts()))', number_column) ELSE '' END;

-- Gives a table of facts its policies: a range for wangge_scoped, everything for wangge_county, several ranges for wangge_parts.
CREATE OR REPLACE PROCEDURE enable_scope(target regclass, number_column name DEFAULT 'area_no') LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
    EXECUTE format('CREATE POLICY scoped ON %s TO wangge_scoped USING (%s)', target, scope_test(number_column, false));
    EXECUTE format('CREATE POLICY county ON %s TO wangge_county USING (true)', target);
    EXECUTE format('CREATE POLICY parts ON %s TO wangge_parts USING (%s)', target, scope_test(number_column, true));
    EXECUTE format('GRANT SELECT ON %s TO wangge_scoped, wangge_county, wangge_parts', target);
END $$;

-- What the tables before this migration lack.
DO $$
DECLARE
    target text;
    number_column name;
BEGIN
    FOREACH target IN ARRAY ARRAY['area', 'area_boundary', 'org_unit', 'worker', 'video_station', 'ticket', 'ticket_event',
                                  'position', 'patrol'] LOOP
        number_column := CASE target WHEN 'area' THEN 'no' ELSE 'area_no' END;
        EXECUTE format('ALTER POLICY scoped ON %I USING (%s)', target, scope_test(number_column, false));
        EXECUTE format('CREATE POLICY parts ON %I TO wangge_parts USING (%s)', target, scope_test(number_column, true));
        EXECUTE format('GRANT SELECT ON %I TO wangge_parts', target);
        CONTINUE WHEN target = 'org_unit';
        EXECUTE format('CREATE POLICY wall ON %I FOR SELECT TO wangge_wall USING (%s)', target,
                       scope_test(number_column, true));
    END LOOP;
END $$;
CREATE POLICY parts ON key_person TO wangge_parts USING (kind = 'post' AND in_scope(area_no));
CREATE POLICY wall ON key_person FOR SELECT TO wangge_wall USING (kind = 'post' AND in_scope(area_no));
CREATE POLICY parts_write ON outbox FOR INSERT TO wangge_parts WITH CHECK (in_scope(area_no));
GRANT SELECT ON place, area_now, area_revision, channel, category, department TO wangge_parts, wangge_wall;
GRANT SELECT ON key_person TO wangge_parts;
GRANT INSERT, UPDATE ON ticket TO wangge_parts;
GRANT INSERT ON ticket_event, outbox TO wangge_parts;
GRANT USAGE ON SEQUENCE ticket_id TO wangge_parts;
GRANT EXECUTE ON FUNCTION care_counts TO wangge_parts, wangge_wall;

-- A wall is read by everybody in the room: no column that can hold a person's name, phone or address, and no free words.
GRANT SELECT ON area, area_boundary, video_station, patrol TO wangge_wall;
GRANT SELECT (id, code, kind, area_no, skills, shift_from, shift_to, shift_days, active, generated) ON worker TO wangge_wall;
GRANT SELECT (id, kind, role, area_no, geom, duty, generated) ON key_person TO wangge_wall;
GRANT SELECT (id, reported_at, channel_id, category_id, department_id, geom, location, area_no, status, dispatched_at, signed_at,
              answered_at, closed_at, due_at, satisfaction, worker_id, version, generated) ON ticket TO wangge_wall;
GRANT SELECT (id, ticket_id, at, kind, status, version, area_no) ON ticket_event TO wangge_wall;
GRANT SELECT (worker_id, at, area_no) ON position TO wangge_wall;

-- Jobs of the process: the relay, the history of positions, the making of partitions.
GRANT SELECT, INSERT, UPDATE, DELETE ON position_drain TO wangge_jobs;
ALTER FUNCTION ensure_months SECURITY DEFINER SET search_path = public;
REVOKE ALL ON FUNCTION ensure_months FROM public;
GRANT EXECUTE ON FUNCTION ensure_months TO wangge_jobs;
GRANT UPDATE ON SEQUENCE live_version TO wangge_jobs;

-- care_counts ran with lo..hi alone; a scope of several areas counts its parts only.
CREATE OR REPLACE FUNCTION care_counts(lo bigint, hi bigint)
    RETURNS TABLE (area_no bigint, people integer, visits_overdue integer)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
    SELECT k.area_no, count(*)::integer,
           count(*) FILTER (WHERE k.next_visit_on < current_date)::integer
    FROM key_person k
    WHERE k.kind = 'care' AND k.area_no BETWEEN lo AND hi AND in_scope(k.area_no)
    GROUP BY 1
$$;

-- Whether the schema is current is asked by the process that serves.
DO $$
BEGIN
    IF to_regclass('_yoyo_migration') IS NOT NULL THEN
        GRANT SELECT ON _yoyo_migration TO wangge_app;
    END IF;
END $$;
