-- Claims: who is deciding a ticket now. A lease: it ends by itself, and whoever takes one over leaves a word.

CREATE TABLE ticket_claim (
    ticket_id   bigint PRIMARY KEY,
    area_no     bigint NOT NULL,
    holder_kind text NOT NULL CHECK (holder_kind IN ('account', 'client')),
    holder      text NOT NULL CHECK (holder <> ''),     -- login of the account, name of the other system
    holder_name text NOT NULL,                          -- what colleagues call them
    since       timestamptz NOT NULL,
    until       timestamptz NOT NULL CHECK (until > since)
);
CREATE INDEX ON ticket_claim (until);
CALL enable_scope('ticket_claim');
GRANT INSERT, UPDATE, DELETE ON ticket_claim TO wangge_scoped, wangge_county, wangge_parts;

-- What was said to whom a claim was taken from; kept for a day.
CREATE TABLE claim_word (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ticket_id bigint NOT NULL,
    area_no   bigint NOT NULL,
    to_kind   text NOT NULL,
    told      text NOT NULL,                            -- login or name of whom it was taken from
    by_kind   text NOT NULL,
    said_by   text NOT NULL,
    by_name   text NOT NULL,
    word      text NOT NULL CHECK (word <> '' AND length(word) <= 300),
    at        timestamptz NOT NULL
);
CREATE INDEX ON claim_word (told, at);
CALL enable_scope('claim_word');
GRANT INSERT, DELETE ON claim_word TO wangge_scoped, wangge_county, wangge_parts;

-- A ticket that moves takes its claim along, out of the scope of who moved it if need be.
CREATE FUNCTION claim_follows() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE ticket_claim SET area_no = NEW.area_no WHERE ticket_id = NEW.ticket_id AND area_no <> NEW.area_no;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION claim_follows FROM public;
CREATE TRIGGER claim_follows AFTER INSERT ON ticket_event FOR EACH ROW
    WHEN (NEW.kind IN ('relocate', 'undo')) EXECUTE FUNCTION claim_follows();

-- What colleagues call an account; nothing else of it. Dispatchers are told who holds a ticket, who was quicker.
CREATE FUNCTION account_name(who text) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT name FROM account WHERE login = who
$$;
REVOKE ALL ON FUNCTION account_name FROM public;
GRANT EXECUTE ON FUNCTION account_name TO wangge_scoped, wangge_county, wangge_parts;
