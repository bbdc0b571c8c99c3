-- What the daemon writes to editors: nudges, how a month closed, what waits for them. Written once for each name.
CREATE TABLE letters (
    key      TEXT PRIMARY KEY,
    name     TEXT NOT NULL UNIQUE,
    subject  TEXT NOT NULL,
    text     TEXT NOT NULL,
    html     TEXT NOT NULL,
    language TEXT NOT NULL,
    made_at  INTEGER NOT NULL
) STRICT;

-- An editor is no subscriber: deliveries of letters have a number below zero in that column. SQLite changes no CHECK in place.
CREATE TABLE new_deliveries (
    edition     TEXT NOT NULL,
    subscriber  INTEGER NOT NULL,
    kind        TEXT NOT NULL CHECK (kind IN ('edition', 'confirm', 'move', 'welcome', 'already', 'link', 'data', 'letter')),
    rank        INTEGER NOT NULL,
    variant     TEXT NOT NULL DEFAULT '',
    email       TEXT NOT NULL,
    name        TEXT,
    state       TEXT NOT NULL CHECK (state IN ('queued', 'claimed', 'in_data', 'accepted', 'deferred', 'failed', 'skipped', 'held')),
    attempts    INTEGER NOT NULL DEFAULT 0,
    -- Goes up with each claim and never down: what a claim is recognised by.
    fence       INTEGER NOT NULL DEFAULT 0,
    node        TEXT,
    lease_until INTEGER,
    queued_at   INTEGER NOT NULL,
    due_at      INTEGER,
    reply       TEXT,
    changed_at  INTEGER NOT NULL,
    PRIMARY KEY (edition, subscriber)
) STRICT;
INSERT INTO new_deliveries (edition, subscriber, kind, rank, variant, email, name, state, attempts, fence, node, lease_until, queued_at, due_at, reply, changed_at)
    SELECT edition, subscriber, kind, rank, variant, email, name, state, attempts, fence, node, lease_until, queued_at, due_at, reply, changed_at FROM deliveries;
DROP TABLE deliveries;
ALTER TABLE new_deliveries RENAME TO deliveries;
CREATE INDEX deliveries_due ON deliveries (rank, due_at) WHERE state IN ('queued', 'deferred');
CREATE INDEX deliveries_held_by_nodes ON deliveries (lease_until) WHERE state IN ('claimed', 'in_data');
CREATE INDEX deliveries_of_subscriber ON deliveries (subscriber);
CREATE INDEX deliveries_of_notices ON deliveries (changed_at) WHERE kind <> 'edition';
