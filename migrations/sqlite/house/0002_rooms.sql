-- Rooms with their order and icon, what is dear to whom, and how somebody likes their pages.

-- A room's id never changes; devices name the room they stand in.
CREATE TABLE rooms (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    icon TEXT,
    position INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT;

-- Rooms that devices name already.
INSERT INTO rooms (id, name, icon, position, version)
SELECT 'room-' || numbered.n, numbered.room, NULL, numbered.n - 1, 1
FROM (
    SELECT named.room, ROW_NUMBER() OVER (ORDER BY named.room) AS n
    FROM (SELECT DISTINCT room FROM devices WHERE deleted_at IS NULL AND room IS NOT NULL) AS named
) AS numbered;

-- A device without a position comes after those with one, by name.
ALTER TABLE devices ADD COLUMN icon TEXT;
ALTER TABLE devices ADD COLUMN position INTEGER;

CREATE TABLE favourites (
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    device_id TEXT NOT NULL REFERENCES devices (id),
    position INTEGER NOT NULL,
    PRIMARY KEY (user_id, device_id)
) STRICT;
CREATE INDEX favourites_by_device ON favourites (device_id);

-- NULL is "as the browser says".
CREATE TABLE preferences (
    user_id TEXT NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    language TEXT,
    theme TEXT
) STRICT;
