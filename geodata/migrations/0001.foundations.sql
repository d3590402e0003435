-- Extensions, roles and the scope that every query runs in.
-- A scope is a range lo..hi of area numbers; it is set per transaction (geodata/scope.py).

CREATE EXTENSION IF NOT EXISTS postgis;
CREATE EXTENSION IF NOT EXISTS btree_gist;
CREATE EXTENSION IF NOT EXISTS ltree;
CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- Without this a GiST index goes unused under row-level security: && is not leakproof.
DO $$
BEGIN
    IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        ALTER FUNCTION geometry_overlaps(geometry, geometry) LEAKPROOF;
    ELSE
        RAISE NOTICE 'not a superuser: spatial indexes will be slower under a narrow scope';
    END IF;
END $$;

-- JIT compiles for 0.2 to 1 s on statements over many partitions and never wins it back here.
DO $$
BEGIN
    EXECUTE format('ALTER DATABASE %I SET jit = off', current_database());
END $$;

-- wangge_scoped sees its range only; wangge_county sees all, at no cost.
DO $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('wangge roles'));
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'wangge_scoped') THEN
        CREATE ROLE wangge_scoped NOLOGIN;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'wangge_county') THEN
        CREATE ROLE wangge_county NOLOGIN;
    END IF;
    EXECUTE format('GRANT wangge_scoped, wangge_county TO %I', current_user);
END $$;

-- After the first SET LOCAL an unset setting is '' and not NULL: nullif makes both "nothing is visible".
CREATE FUNCTION scope_lo() RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('wangge.lo', true), '')::bigint;
CREATE FUNCTION scope_hi() RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('wangge.hi', true), '')::bigint;

-- Gives a table its two policies: the range on the named column for wangge_scoped, everything for wangge_county.
CREATE PROCEDURE enable_scope(target regclass, number_column name DEFAULT 'area_no') LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
    EXECUTE format(
        'CREATE POLICY scoped ON %s TO wangge_scoped USING (%I BETWEEN scope_lo() AND scope_hi())',
        target, number_column);
    EXECUTE format('CREATE POLICY county ON %s TO wangge_county USING (true)', target);
    EXECUTE format('GRANT SELECT ON %s TO wangge_scoped, wangge_county', target);
END $$;

-- Which place this database holds: one row.
CREATE TABLE place (
    singleton   boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    profile     text NOT NULL,
    name        text NOT NULL,
    name_en     text NOT NULL,
    time_zone   text NOT NULL DEFAULT 'Asia/Shanghai',
    generated   boolean NOT NULL,
    seed        integer,
    generated_until timestamptz,                    -- generated history reaches up to here
    created_at  timestamptz NOT NULL DEFAULT now()
);
GRANT SELECT ON place TO wangge_scoped, wangge_county;
