-- Figures of a period are read from an index alone: what is counted stands beside what is searched by.

DROP INDEX ticket_closed;
CREATE INDEX ticket_closed ON ticket (closed_at) INCLUDE (area_no, reported_at, due_at, status, satisfaction)
    WHERE closed_at IS NOT NULL;
DROP INDEX ticket_open_area;
CREATE INDEX ticket_open_area ON ticket (area_no) INCLUDE (reported_at, due_at) WHERE closed_at IS NULL;
