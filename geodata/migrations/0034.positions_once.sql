-- Latest positions are found near a spot by the index that knows the areas too (0031): as quickly for the whole place as by the
-- one that did not, which cost each worker who moves a second entry, and the search the dead ones of both.
DROP INDEX worker_position_near;

-- Who knows a trade in a part of the place: its other workers need not be read to find out.
CREATE INDEX worker_skilled ON worker (area_no) WHERE active AND skills <> '{}';
