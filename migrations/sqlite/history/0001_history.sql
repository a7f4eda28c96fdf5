-- The history: what entities reported, and what that comes to over time.
-- A series is one entity; its number keeps the many rows short.

CREATE TABLE series (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    device_id TEXT NOT NULL,
    entity_id TEXT NOT NULL,
    UNIQUE (device_id, entity_id)
) STRICT;

-- A live report: a number or a word.
CREATE TABLE samples (
    series INTEGER NOT NULL,
    at INTEGER NOT NULL,
    number REAL,
    word TEXT,
    PRIMARY KEY (series, at)
) STRICT, WITHOUT ROWID;

CREATE TABLE rollup_5m (
    series INTEGER NOT NULL,
    at INTEGER NOT NULL,
    lowest REAL NOT NULL,
    mean REAL NOT NULL,
    highest REAL NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (series, at)
) STRICT, WITHOUT ROWID;

CREATE TABLE rollup_1h (
    series INTEGER NOT NULL,
    at INTEGER NOT NULL,
    lowest REAL NOT NULL,
    mean REAL NOT NULL,
    highest REAL NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (series, at)
) STRICT, WITHOUT ROWID;

CREATE TABLE last_states (
    series INTEGER NOT NULL PRIMARY KEY,
    number REAL,
    word TEXT,
    attributes TEXT NOT NULL,
    reported_at INTEGER,
    changed_at INTEGER
) STRICT;

CREATE TABLE availability (
    device_id TEXT NOT NULL,
    at INTEGER NOT NULL,
    online INTEGER NOT NULL,
    PRIMARY KEY (device_id, at)
) STRICT, WITHOUT ROWID;

-- How many reports were coalesced or dropped, and so are not among the samples.
CREATE TABLE losses (
    series INTEGER NOT NULL,
    at INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (series, at)
) STRICT, WITHOUT ROWID;

-- How far roll-ups and retention came.
CREATE TABLE marks (
    name TEXT NOT NULL PRIMARY KEY,
    at INTEGER NOT NULL
) STRICT;
