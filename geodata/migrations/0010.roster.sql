-- Rosters: who holds which post on which day, from when to when, and who stands in for whom.

CREATE TABLE roster (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    area_no        bigint NOT NULL REFERENCES area (no),
    role           text NOT NULL CHECK (role <> ''),   -- a post of the profile
    on_date        date NOT NULL,                      -- local day on which the duty begins
    from_time      time NOT NULL,                      -- local
    to_time        time NOT NULL,                      -- local; not after from_time = on the next day
    -- Local time of the place, without a zone: turned into moments where it is read.
    during         tsrange NOT NULL GENERATED ALWAYS AS (tsrange(
                       on_date + from_time,
                       on_date + to_time + CASE WHEN to_time <= from_time THEN interval '1 day' ELSE interval '0' END
                   )) STORED,
    name           text NOT NULL CHECK (name <> ''),
    phone          text,
    substitute_for text,                               -- the name in the same duty and day that this one stands in for
    source         text NOT NULL,                      -- the file, or who entered it
    generated      boolean NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    UNIQUE (area_no, role, on_date, from_time, name)
);
CREATE INDEX ON roster (on_date, area_no);
CALL enable_scope('roster');
GRANT INSERT, DELETE ON roster TO wangge_scoped, wangge_county, wangge_parts;

-- A wall learns that a post is held now, never by whom.
CREATE POLICY wall ON roster FOR SELECT TO wangge_wall USING (in_scope(area_no));
GRANT SELECT (id, area_no, role, on_date, from_time, to_time, during, generated) ON roster TO wangge_wall;
