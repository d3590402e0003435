-- Who can be sent where: each worker's latest position, leaves, and the weights that rank candidates.

-- The last fix of each worker. A place moves when it is 25 m off, so that somebody who stands or strolls costs no index
-- entry; kept up by the history of positions in the transaction of its batch, and forgotten after half a day.
CREATE TABLE worker_position (
    worker_id bigint PRIMARY KEY,
    at        timestamptz NOT NULL,
    geom      geometry(Point, 4326) NOT NULL,
    area_no   bigint NOT NULL                      -- the worker's area of duty: whose scope may see it
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 4000);
CREATE INDEX worker_position_near ON worker_position USING gist ((geom::geography));
CALL enable_scope('worker_position');
GRANT INSERT, UPDATE, DELETE ON worker_position TO wangge_county;
INSERT INTO worker_position (worker_id, at, geom, area_no)
SELECT DISTINCT ON (worker_id) worker_id, at, geom, area_no FROM position
WHERE at > now() - interval '12 hours' ORDER BY worker_id, at DESC;

-- What is in somebody's hands: few rows of the many.
CREATE INDEX ticket_held ON ticket (worker_id) INCLUDE (area_no)
    WHERE status IN ('dispatched', 'transferred', 'signed', 'in_progress') AND worker_id IS NOT NULL;
CREATE INDEX worker_skills ON worker USING gin (skills) WHERE active;

-- When a worker is away; why, is nobody's business here.
CREATE TABLE worker_leave (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    worker_id  bigint NOT NULL REFERENCES worker (id) ON DELETE CASCADE,
    area_no    bigint NOT NULL,                    -- the worker's area of duty
    during     tstzrange NOT NULL CHECK (lower(during) < upper(during)),
    entered_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    EXCLUDE USING gist (worker_id WITH =, during WITH &&)
);
CALL enable_scope('worker_leave');
GRANT INSERT, DELETE ON worker_leave TO wangge_scoped, wangge_county, wangge_parts;

-- The place's own weights, each change a row; without any the profile's count.
CREATE TABLE dispatch_weights (
    version    integer PRIMARY KEY CHECK (version >= 1),
    weights    jsonb NOT NULL CHECK (jsonb_typeof(weights) = 'object'),
    changed_at timestamptz NOT NULL DEFAULT now(),
    changed_by text NOT NULL
);
GRANT SELECT ON dispatch_weights TO wangge_scoped, wangge_county, wangge_parts;
GRANT INSERT ON dispatch_weights TO wangge_county;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON dispatch_weights
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
