-- Instants are microseconds since the epoch; hashes are 32 hexadecimal digits; 0 and 1 stand for no and yes.

CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

CREATE TABLE secrets (
    purpose TEXT PRIMARY KEY,
    bytes   BLOB NOT NULL
) STRICT;

CREATE TABLE entries (
    id           TEXT PRIMARY KEY,
    path         TEXT NOT NULL,
    url          TEXT NOT NULL,
    title        TEXT NOT NULL,
    published_at INTEGER,
    body_hash    TEXT NOT NULL,
    text_hash    TEXT,
    updated_at   INTEGER,
    first_seen   INTEGER NOT NULL,
    baseline     INTEGER NOT NULL,
    withdrawn_at INTEGER,
    edition      TEXT
) STRICT;

CREATE TABLE outputs (
    path        TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    bytes_hash  TEXT NOT NULL
) STRICT;

CREATE TABLE subscribers (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    key        TEXT NOT NULL UNIQUE,
    email      TEXT NOT NULL,
    name       TEXT,
    state      TEXT NOT NULL CHECK (state IN ('pending', 'active', 'unsubscribed', 'suppressed')),
    source     TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL
) STRICT;

CREATE TABLE editions (
    period      TEXT PRIMARY KEY,
    state       TEXT NOT NULL CHECK (state IN ('open', 'paused', 'finished', 'cancelled', 'skipped')),
    subject     TEXT NOT NULL,
    text        TEXT NOT NULL,
    html        TEXT NOT NULL,
    content     TEXT NOT NULL,
    posts       INTEGER NOT NULL,
    opened_at   INTEGER NOT NULL,
    finished_at INTEGER
) STRICT;

-- No foreign key to subscribers: what was sent stays in the ledger when a person is erased.
CREATE TABLE deliveries (
    edition     TEXT NOT NULL REFERENCES editions (period),
    subscriber  INTEGER NOT NULL,
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

CREATE INDEX deliveries_due ON deliveries (due_at) WHERE state IN ('queued', 'deferred');
CREATE INDEX deliveries_held_by_nodes ON deliveries (lease_until) WHERE state IN ('claimed', 'in_data');
CREATE INDEX deliveries_of_subscriber ON deliveries (subscriber);
