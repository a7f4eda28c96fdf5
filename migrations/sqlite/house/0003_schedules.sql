-- Schedules, and what became of each of their due instants.

-- No reference to users: a schedule outlives its owner, disabled, until somebody takes it over.
CREATE TABLE schedules (
    id TEXT NOT NULL PRIMARY KEY,
    owner_id TEXT NOT NULL,
    definition TEXT NOT NULL,
    enabled INTEGER NOT NULL,
    disabled_reason TEXT,
    skip_due_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT;

-- The primary key is the promise that a due instant is decided once, whoever decides.
-- decided_by is the life of a scheduler: writing again after a lost answer is not a second decision.
-- No reference to schedules: what happened stays when the schedule goes.
CREATE TABLE occurrences (
    schedule_id TEXT NOT NULL,
    due_at INTEGER NOT NULL,
    state TEXT NOT NULL,
    reason TEXT,
    decided_at INTEGER NOT NULL,
    ended_at INTEGER,
    by_hand INTEGER NOT NULL,
    decided_by TEXT NOT NULL,
    PRIMARY KEY (schedule_id, due_at)
) STRICT, WITHOUT ROWID;
CREATE INDEX occurrences_by_due ON occurrences (due_at);

-- One row and one command an action, as it was when its occurrence was decided.
CREATE TABLE occurrence_actions (
    schedule_id TEXT NOT NULL,
    due_at INTEGER NOT NULL,
    position INTEGER NOT NULL,
    run_at INTEGER NOT NULL,
    device_id TEXT NOT NULL,
    entity_id TEXT NOT NULL,
    action TEXT NOT NULL,
    value TEXT,
    state TEXT NOT NULL,
    reason TEXT,
    command_id TEXT NOT NULL,
    PRIMARY KEY (schedule_id, due_at, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX occurrence_actions_open ON occurrence_actions (schedule_id, due_at)
    WHERE state = 'claimed';

-- Instants that only grow, such as the last one that the scheduler is known to have lived at.
CREATE TABLE instants (
    name TEXT NOT NULL PRIMARY KEY,
    at INTEGER NOT NULL
) STRICT;
