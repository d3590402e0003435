-- Who may come in: accounts with their areas, paired walls, clients of other systems. Read by wangge_access alone.

CREATE TABLE account (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    login           text NOT NULL CHECK (login = lower(login) AND login ~ '^[a-z0-9][a-z0-9._@-]{1,63}$'),
    name            text NOT NULL CHECK (name <> ''),   -- shown to colleagues
    role            text NOT NULL,                      -- one of services/access/roles.py
    password_hash   text,                               -- argon2id; null = signs in through OpenID Connect only
    must_change     boolean NOT NULL DEFAULT false,     -- a first or reset password
    totp_sealed     bytea,                              -- secret of the second factor, sealed with the key "totp"
    totp_last_step  bigint,                             -- time step of the last code taken: no code works twice
    oidc_issuer     text,
    oidc_subject    text,
    language        text,
    demo            boolean NOT NULL DEFAULT false,     -- made by ./wangge demo, shown with its password on the sign-in page
    failed_tries    integer NOT NULL DEFAULT 0,
    locked_until    timestamptz,
    disabled_at     timestamptz,
    last_sign_in_at timestamptz,
    password_set_at timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now(),
    created_by      text NOT NULL,                      -- login of the administrator, or "system"
    UNIQUE (login),
    UNIQUE (oidc_issuer, oidc_subject),
    CHECK ((oidc_issuer IS NULL) = (oidc_subject IS NULL))
);

-- An account without a row here sees nothing; the root area stands for the whole place.
CREATE TABLE account_area (
    account_id bigint NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    area_no    bigint NOT NULL REFERENCES area (no),
    PRIMARY KEY (account_id, area_no)
);

-- A paired wall screen: read-only, bound to one area and view.
CREATE TABLE wall_screen (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name         text NOT NULL CHECK (name <> ''),
    area_no      bigint NOT NULL REFERENCES area (no),
    view         jsonb NOT NULL DEFAULT '{}',           -- lang and whether it tours
    demo         boolean NOT NULL DEFAULT false,        -- paired by the demo itself
    created_at   timestamptz NOT NULL DEFAULT now(),
    created_by   text NOT NULL,
    last_seen_at timestamptz,
    revoked_at   timestamptz,
    revoked_by   text
);

-- Tokens of a wall: the newest and, for some minutes after a renewal, the one before. Only SHA-256 is kept.
CREATE TABLE wall_token (
    token_sha256 bytea PRIMARY KEY CHECK (length(token_sha256) = 32),
    wall_id      bigint NOT NULL REFERENCES wall_screen (id) ON DELETE CASCADE,
    expires_at   timestamptz NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON wall_token (wall_id);

-- Another system that files tickets or reads measures, with a bearer token of its own.
CREATE TABLE api_client (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name         text NOT NULL UNIQUE CHECK (name <> ''),
    token_sha256 bytea NOT NULL UNIQUE CHECK (length(token_sha256) = 32),
    created_at   timestamptz NOT NULL DEFAULT now(),
    created_by   text NOT NULL,
    expires_at   timestamptz,
    revoked_at   timestamptz
);

GRANT SELECT, INSERT, UPDATE ON account, wall_screen, api_client TO wangge_access;
GRANT SELECT, INSERT, UPDATE, DELETE ON account_area, wall_token TO wangge_access;
GRANT SELECT, INSERT, UPDATE ON device TO wangge_access;
GRANT SELECT (id, code, kind, area_no, active, name) ON worker TO wangge_access;
GRANT SELECT ON area, place TO wangge_access;
CREATE POLICY access_reads ON area FOR SELECT TO wangge_access USING (true);
CREATE POLICY access_reads ON worker FOR SELECT TO wangge_access USING (true);
