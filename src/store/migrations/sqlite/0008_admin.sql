-- What was done by hand, and by whom. Nothing in it is ever changed or taken out; addresses are masked.
CREATE TABLE acts (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    at      INTEGER NOT NULL,
    who     TEXT NOT NULL,
    act     TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail  TEXT NOT NULL
) STRICT;
CREATE TRIGGER acts_are_not_changed BEFORE UPDATE ON acts
BEGIN SELECT RAISE(ABORT, 'what was done is not rewritten'); END;
CREATE TRIGGER acts_are_not_taken_out BEFORE DELETE ON acts
BEGIN SELECT RAISE(ABORT, 'what was done is not rewritten'); END;

-- Links that have been used, and sessions that were ended, until they would have run out by themselves.
CREATE TABLE spent (
    mark       INTEGER PRIMARY KEY,
    expires_at INTEGER NOT NULL
) STRICT;
