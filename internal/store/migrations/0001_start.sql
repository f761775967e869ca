-- +goose Up

-- One text for SQLite and PostgreSQL: TEXT (ids and JSON too), BIGINT (whole
-- numbers and Unix milliseconds), BOOLEAN, BYTEA. Migrations only go forward
-- and only add, so that the previous release keeps working (style.md §3).

-- Which schema is here, and who can still work with it. A binary that knows
-- migrations up to N may run if N >= the largest oldest_schema.
CREATE TABLE schema_versions (
    version        BIGINT PRIMARY KEY,
    release        TEXT   NOT NULL,
    oldest_schema  BIGINT NOT NULL,
    oldest_release TEXT   NOT NULL
);

-- Facts about this database itself, such as which host key seals its secrets.
CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE assets (
    id         TEXT   PRIMARY KEY,
    mime_type  TEXT   NOT NULL,
    content    BYTEA  NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE accounts (
    id           TEXT    PRIMARY KEY,
    name         TEXT    NOT NULL,
    handle       TEXT    NOT NULL,
    pronoun      TEXT    NOT NULL,
    picture      TEXT    REFERENCES assets (id),
    language     TEXT    NOT NULL,
    admin        BOOLEAN NOT NULL,
    member_by    TEXT    NOT NULL, -- why the account is a full user: '' if it is not, else "admin", "command", …
    created_at   BIGINT  NOT NULL,
    last_active  BIGINT  NOT NULL,
    suspended_at BIGINT
);
CREATE INDEX accounts_picture ON accounts (picture);

CREATE TABLE credentials (
    id         TEXT   PRIMARY KEY,
    account    TEXT   NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    service    TEXT   NOT NULL,
    subject    TEXT   NOT NULL, -- as first typed
    folded     TEXT   NOT NULL, -- subject in lower case, to find it again
    email      TEXT   NOT NULL, -- a verified address, or ''
    created_at BIGINT NOT NULL
);
CREATE INDEX credentials_account ON credentials (account);
CREATE INDEX credentials_folded ON credentials (service, folded);

CREATE TABLE login_codes (
    digest      TEXT   PRIMARY KEY, -- SHA-256; the code itself is never stored
    folded      TEXT   NOT NULL,    -- the address in lower case: what limits count by
    address     TEXT   NOT NULL,    -- where the code was mailed
    return_path BYTEA  NOT NULL,    -- sealed
    attempts    BIGINT NOT NULL,
    created_at  BIGINT NOT NULL
);
CREATE INDEX login_codes_folded ON login_codes (folded);
CREATE INDEX login_codes_created ON login_codes (created_at);

CREATE TABLE browser_sessions (
    token_hash TEXT   PRIMARY KEY, -- SHA-256 of the cookie
    account    TEXT   NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    credential TEXT   REFERENCES credentials (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    last_used  BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX browser_sessions_account ON browser_sessions (account);
CREATE INDEX browser_sessions_credential ON browser_sessions (credential);
CREATE INDEX browser_sessions_expires ON browser_sessions (expires_at);

CREATE TABLE setup_sessions (
    token_hash TEXT   PRIMARY KEY,
    expires_at BIGINT NOT NULL
);

CREATE TABLE settings (
    name       TEXT   PRIMARY KEY,
    value      TEXT   NOT NULL,
    sealed     BYTEA,           -- the value of a secret setting; value is '' then
    updated_at BIGINT NOT NULL
);

CREATE TABLE packages (
    id          TEXT   PRIMARY KEY,
    app_id      TEXT   NOT NULL,
    app_version BIGINT NOT NULL,
    sha256      TEXT   NOT NULL,
    size        BIGINT NOT NULL,
    status      TEXT   NOT NULL, -- "ready", "retired" while its files are being deleted, "dev" for an app under development
    manifest    TEXT   NOT NULL, -- JSON
    bridge      TEXT,            -- JSON
    created_at  BIGINT NOT NULL
);
CREATE INDEX packages_app ON packages (app_id, app_version);

CREATE TABLE package_assets (
    package TEXT NOT NULL REFERENCES packages (id) ON DELETE CASCADE,
    asset   TEXT NOT NULL REFERENCES assets (id),
    PRIMARY KEY (package, asset)
);
CREATE INDEX package_assets_asset ON package_assets (asset);

CREATE TABLE user_apps (
    account  TEXT   NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    app_id   TEXT   NOT NULL,
    package  TEXT   NOT NULL REFERENCES packages (id),
    added_at BIGINT NOT NULL,
    PRIMARY KEY (account, app_id)
);
CREATE INDEX user_apps_package ON user_apps (package);

-- The apps that the administrator chose for everybody: new accounts get them.
CREATE TABLE server_apps (
    app_id   TEXT   PRIMARY KEY,
    package  TEXT   NOT NULL REFERENCES packages (id),
    added_at BIGINT NOT NULL
);
CREATE INDEX server_apps_package ON server_apps (package);

CREATE TABLE grains (
    id          TEXT    PRIMARY KEY,
    title       TEXT    NOT NULL,
    package     TEXT    NOT NULL REFERENCES packages (id),
    app_id      TEXT    NOT NULL,
    app_version BIGINT  NOT NULL,
    owner       TEXT    NOT NULL REFERENCES accounts (id),
    identity_id TEXT    NOT NULL,
    created_at  BIGINT  NOT NULL,
    last_used   BIGINT  NOT NULL,
    trashed_at  BIGINT,
    started     BOOLEAN NOT NULL,
    action      BIGINT  NOT NULL,
    size        BIGINT  NOT NULL
);
CREATE INDEX grains_owner ON grains (owner, app_id);
CREATE INDEX grains_package ON grains (package);
CREATE INDEX grains_trashed ON grains (trashed_at);

CREATE TABLE grain_sessions (
    host       TEXT   PRIMARY KEY,
    tab        TEXT   NOT NULL,
    grain      TEXT   NOT NULL REFERENCES grains (id) ON DELETE CASCADE,
    account    TEXT   REFERENCES accounts (id) ON DELETE CASCADE,
    login      TEXT   NOT NULL, -- hash of the browser session that it ends with, or ''
    created_at BIGINT NOT NULL,
    last_used  BIGINT NOT NULL
);
CREATE INDEX grain_sessions_login ON grain_sessions (login);
CREATE INDEX grain_sessions_grain ON grain_sessions (grain);
CREATE INDEX grain_sessions_account ON grain_sessions (account);
CREATE INDEX grain_sessions_used ON grain_sessions (last_used);

-- No reference to grains: an epoch must never go down, not even when a grain is
-- deleted and comes back from a backup under its old id (cluster.md §4).
CREATE TABLE grain_leases (
    grain      TEXT   PRIMARY KEY,
    epoch      BIGINT NOT NULL,
    claimed_at BIGINT NOT NULL
);

INSERT INTO schema_versions (version, release, oldest_schema, oldest_release)
VALUES (1, '0.1.0', 1, '0.1.0');
