-- The house: who lives in it, what stands in it, what was asked of it.
-- Ids are text, instants are UTC milliseconds, structured values are JSON text.

CREATE TABLE settings (
    key TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

-- One row at most: the house is set up once.
CREATE TABLE home (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    name TEXT NOT NULL,
    zone TEXT NOT NULL,
    latitude REAL,
    longitude REAL,
    set_up_at INTEGER NOT NULL
) STRICT;

-- name_key is the name in lower case: names are unique whatever their case.
CREATE TABLE users (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL,
    disabled INTEGER NOT NULL,
    password_hash TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT;

CREATE TABLE sessions (
    id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    refresh_sha256 TEXT NOT NULL,
    previous_sha256 TEXT,
    rotated_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    ended_at INTEGER,
    client TEXT NOT NULL
) STRICT;
CREATE INDEX sessions_by_user ON sessions (user_id);

-- A deleted device keeps its row (deleted_at), so that its id is never given again.
CREATE TABLE devices (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    room TEXT,
    about TEXT NOT NULL,
    origin TEXT NOT NULL,
    sender_verified INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    deleted_at INTEGER,
    history_kept INTEGER NOT NULL
) STRICT;

-- What a discovered device is known by; it outlives the device.
CREATE TABLE identities (
    key TEXT NOT NULL PRIMARY KEY,
    device_id TEXT NOT NULL REFERENCES devices (id)
) STRICT;
CREATE INDEX identities_by_device ON identities (device_id);

-- A removed entity keeps its row (deleted_at), so that its id is never given again.
CREATE TABLE entities (
    device_id TEXT NOT NULL REFERENCES devices (id),
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT,
    raw TEXT NOT NULL,
    config_topic TEXT,
    config_hash TEXT,
    key TEXT,
    deadline_ms INTEGER,
    position INTEGER NOT NULL,
    withdrawn_at INTEGER,
    deleted_at INTEGER,
    PRIMARY KEY (device_id, id)
) STRICT;

CREATE TABLE grants (
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    device_id TEXT NOT NULL REFERENCES devices (id),
    rights INTEGER NOT NULL,
    PRIMARY KEY (user_id, device_id)
) STRICT;
CREATE INDEX grants_by_device ON grants (device_id);

-- Devices that announced themselves and wait for somebody to decide.
CREATE TABLE new_devices (
    id TEXT NOT NULL PRIMARY KEY,
    identity TEXT NOT NULL,
    name TEXT NOT NULL,
    status TEXT NOT NULL,
    reason TEXT,
    announced TEXT NOT NULL,
    first_seen_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL
) STRICT;

CREATE TABLE credentials (
    id TEXT NOT NULL PRIMARY KEY,
    username TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    device_id TEXT,
    secret_sha256 TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX credentials_by_device ON credentials (device_id);

CREATE TABLE credential_topics (
    credential_id TEXT NOT NULL REFERENCES credentials (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    filter TEXT NOT NULL,
    access TEXT NOT NULL,
    PRIMARY KEY (credential_id, position)
) STRICT;

-- No reference to devices: a command's row must never fail to be written.
CREATE TABLE commands (
    id TEXT NOT NULL PRIMARY KEY,
    device_id TEXT NOT NULL,
    entity_id TEXT NOT NULL,
    action TEXT NOT NULL,
    resolved TEXT NOT NULL,
    value TEXT,
    cause TEXT NOT NULL,
    status TEXT NOT NULL,
    reason TEXT,
    accepted_at INTEGER NOT NULL,
    deadline_at INTEGER NOT NULL,
    ended_at INTEGER,
    latency_micros INTEGER,
    sending INTEGER NOT NULL,
    idempotency_key TEXT,
    body_sha256 TEXT
) STRICT;
CREATE INDEX commands_by_device ON commands (device_id, accepted_at);
CREATE INDEX commands_by_entity ON commands (device_id, entity_id, accepted_at);
CREATE INDEX commands_by_age ON commands (accepted_at);
CREATE INDEX commands_open ON commands (device_id) WHERE ended_at IS NULL;
CREATE INDEX commands_by_key ON commands (idempotency_key) WHERE idempotency_key IS NOT NULL;

CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    user_id TEXT,
    name TEXT NOT NULL,
    action TEXT NOT NULL,
    target TEXT NOT NULL,
    detail TEXT NOT NULL
) STRICT;

-- When the hub was alive: what is between two spans is a gap in every history.
CREATE TABLE hub_spans (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    started_at INTEGER NOT NULL,
    ended_at INTEGER NOT NULL
) STRICT;
CREATE INDEX hub_spans_by_end ON hub_spans (ended_at);
