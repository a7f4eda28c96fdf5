-- Passwords of broker users under seal, so that a broker that lost its accounts gets them again.
-- The key lies in the data folder, not here.
CREATE TABLE sealed_passwords (
    credential_id TEXT NOT NULL PRIMARY KEY REFERENCES credentials (id) ON DELETE CASCADE,
    sealed TEXT NOT NULL
) STRICT;
