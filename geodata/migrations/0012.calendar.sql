-- Days that a place sets above the national calendar: a notice that the library does not know yet, a local holiday.

CREATE TABLE calendar_override (
    day        date PRIMARY KEY,
    kind       text NOT NULL CHECK (kind IN ('working', 'off')),
    name       text NOT NULL CHECK (name <> ''),
    source     text NOT NULL,                          -- the file, or who entered it
    created_at timestamptz NOT NULL DEFAULT now()
);
-- It names days, not people or places: whoever reads tickets may read it, so that deadlines can explain themselves.
GRANT SELECT ON calendar_override TO wangge_scoped, wangge_county, wangge_parts, wangge_wall;
