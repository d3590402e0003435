-- Pictures that belong to tickets: one row each; the files lie outside of the database, named by what they hold.

CREATE TABLE picture (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),  -- cannot be guessed: whoever knows it was told
    ticket_id   bigint,                                      -- null until a command ties it to a ticket
    area_no     bigint NOT NULL,                             -- the ticket's; before that, where its sender may look
    sha256      bytea NOT NULL CHECK (length(sha256) = 32),  -- of the file as it is kept
    width       integer NOT NULL CHECK (width > 0),
    height      integer NOT NULL CHECK (height > 0),
    bytes       integer NOT NULL CHECK (bytes > 0),
    sender_kind text NOT NULL CHECK (sender_kind IN ('account', 'client', 'system')),
    sender_id   bigint NOT NULL,
    sent_by     text NOT NULL,
    sent_at     timestamptz NOT NULL DEFAULT now(),
    attached_at timestamptz,
    CHECK ((ticket_id IS NULL) = (attached_at IS NULL))
);
CREATE INDEX ON picture (ticket_id, sent_at) WHERE ticket_id IS NOT NULL;
CREATE INDEX ON picture (sent_at) WHERE ticket_id IS NULL;
CREATE INDEX ON picture (sha256);
CALL enable_scope('picture');
GRANT INSERT ON picture TO wangge_scoped, wangge_county, wangge_parts;
GRANT UPDATE (ticket_id, area_no, attached_at) ON picture TO wangge_scoped, wangge_county, wangge_parts;
GRANT DELETE ON picture TO wangge_jobs;

-- Pictures go where their ticket goes.
CREATE FUNCTION pictures_follow() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE picture SET area_no = NEW.area_no WHERE ticket_id = NEW.id;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION pictures_follow FROM public;
CREATE TRIGGER pictures_follow AFTER UPDATE OF area_no ON ticket
    FOR EACH ROW WHEN (OLD.area_no IS DISTINCT FROM NEW.area_no) EXECUTE FUNCTION pictures_follow();
