-- Maps read areas with the boundary in force: their plans know how much a scope holds, and find that boundary by number.

-- One boundary of an area is in force (0002 excludes overlaps); a B-tree finds it at a third of what the exclusion's GiST costs.
CREATE UNIQUE INDEX area_boundary_now ON area_boundary (area_no) WHERE upper_inf(valid);

-- A sub-select's value is unknown to the planner, which then expects a handful of rows and loops over them. The functions
-- are folded when a plan is made. Asked once a row they would cost more than a sub-select, which does not matter in tables
-- of a few thousand rows whose keys are the numbers; the tables of tickets and of positions keep theirs.
DO $$
DECLARE
    target text;
    number_column name;
    inside text;
    of_parts text;
BEGIN
    FOREACH target IN ARRAY ARRAY['area', 'area_boundary'] LOOP
        number_column := CASE target WHEN 'area' THEN 'no' ELSE 'area_no' END;
        inside := format('%I BETWEEN scope_lo() AND scope_hi()', number_column);
        of_parts := format('((SELECT scope_parts()) IS NULL OR %I <@ (SELECT scope_parts()))', number_column);
        EXECUTE format('ALTER POLICY scoped ON %I USING (%s)', target, inside);
        EXECUTE format('ALTER POLICY parts ON %I USING (%s AND %s)', target, inside, of_parts);
        EXECUTE format('ALTER POLICY wall ON %I USING (%s AND %s)', target, inside, of_parts);
    END LOOP;
END $$;
