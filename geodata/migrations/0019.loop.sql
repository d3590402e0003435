-- What areas owe again and again: rounds (日排查, 周报告, 月调度), lists of responsibilities and tasks; the register's kinds.

ALTER TABLE ticket ADD COLUMN work_kind text;       -- kind of work of the register (挂号), a code of the profile's loop
GRANT SELECT (work_kind) ON ticket TO wangge_wall;

-- A round that was made. Those that were not are what the profile asks for and is not here.
CREATE TABLE round (
    area_no   bigint NOT NULL REFERENCES area (no),
    kind      text NOT NULL CHECK (kind <> ''),     -- a round of the profile's loop
    first_day date NOT NULL,                        -- of the period, local
    last_day  date NOT NULL CHECK (last_day >= first_day),
    due       timestamptz NOT NULL,
    done_at   timestamptz NOT NULL,
    done_by   text NOT NULL,
    words     text CHECK (length(words) <= 2000),
    figures   jsonb NOT NULL,                       -- as counted from rows when it was made
    generated boolean NOT NULL DEFAULT false,
    PRIMARY KEY (area_no, kind, first_day)
);
CREATE INDEX ON round (kind, first_day);
CALL enable_scope('round');
GRANT INSERT ON round TO wangge_scoped, wangge_county, wangge_parts;

-- What an area has on its lists beyond what the profile gives to all.
CREATE TABLE duty_item (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    area_no    bigint NOT NULL REFERENCES area (no),
    kind       text NOT NULL CHECK (kind IN ('responsibility', 'task')),
    words      text NOT NULL CHECK (words <> '' AND length(words) <= 300),
    every      text NOT NULL CHECK (every IN ('day', 'week', 'month', 'quarter', 'year')),
    since      date NOT NULL,                       -- local
    until      date CHECK (until > since),          -- first day on which it is not on the list any more
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON duty_item (area_no);
CALL enable_scope('duty_item');
GRANT INSERT, UPDATE (until), DELETE ON duty_item TO wangge_scoped, wangge_county, wangge_parts;

-- A duty that was done in a period; item is a code of the profile's list, or # and the number of a duty_item.
CREATE TABLE duty_done (
    area_no   bigint NOT NULL REFERENCES area (no),
    item      text NOT NULL CHECK (item <> ''),
    first_day date NOT NULL,                        -- of the period, local
    done_at   timestamptz NOT NULL,
    done_by   text NOT NULL,
    words     text CHECK (length(words) <= 1000),
    PRIMARY KEY (area_no, item, first_day)
);
CREATE INDEX ON duty_done (first_day);
CALL enable_scope('duty_done');
GRANT INSERT ON duty_done TO wangge_scoped, wangge_county, wangge_parts;
