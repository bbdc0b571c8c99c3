-- Instants are microseconds since the epoch; hashes are 32 hexadecimal digits; 0 and 1 stand for no and yes.

CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE secrets (
    purpose TEXT PRIMARY KEY,
    bytes   BYTEA NOT NULL
);

CREATE TABLE entries (
    id           TEXT PRIMARY KEY,
    path         TEXT NOT NULL,
    url          TEXT NOT NULL,
    title        TEXT NOT NULL,
    published_at BIGINT,
    body_hash    TEXT NOT NULL,
    text_hash    TEXT,
    updated_at   BIGINT,
    first_seen   BIGINT NOT NULL,
    baseline     BIGINT NOT NULL,
    withdrawn_at BIGINT,
    edition      TEXT
);

CREATE TABLE outputs (
    path        TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    bytes_hash  TEXT NOT NULL
);

CREATE TABLE subscribers (
    id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key        TEXT COLLATE "C" NOT NULL UNIQUE,
    email      TEXT NOT NULL,
    name       TEXT,
    state      TEXT NOT NULL CHECK (state IN ('pending', 'active', 'unsubscribed', 'suppressed')),
    source     TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
);

CREATE TABLE editions (
    period      TEXT PRIMARY KEY,
    state       TEXT NOT NULL CHECK (state IN ('open', 'paused', 'finished', 'cancelled', 'skipped')),
    subject     TEXT NOT NULL,
    text        TEXT NOT NULL,
    html        TEXT NOT NULL,
    content     TEXT NOT NULL,
    posts       BIGINT NOT NULL,
    opened_at   BIGINT NOT NULL,
    finished_at BIGINT
);

-- No foreign key to subscribers: what was sent stays in the ledger when a person is erased.
CREATE TABLE deliveries (
    edition     TEXT NOT NULL REFERENCES editions (period),
    subscriber  BIGINT NOT NULL,
    email       TEXT NOT NULL,
    name        TEXT,
    state       TEXT NOT NULL CHECK (state IN ('queued', 'claimed', 'in_data', 'accepted', 'deferred', 'failed', 'skipped', 'held')),
    attempts    BIGINT NOT NULL DEFAULT 0,
    -- Goes up with each claim and never down: what a claim is recognised by.
    fence       BIGINT NOT NULL DEFAULT 0,
    node        TEXT,
    lease_until BIGINT,
    queued_at   BIGINT NOT NULL,
    due_at      BIGINT,
    reply       TEXT,
    changed_at  BIGINT NOT NULL,
    PRIMARY KEY (edition, subscriber)
);

CREATE INDEX deliveries_due ON deliveries (due_at) WHERE state IN ('queued', 'deferred');
CREATE INDEX deliveries_held_by_nodes ON deliveries (lease_until) WHERE state IN ('claimed', 'in_data');
CREATE INDEX deliveries_of_subscriber ON deliveries (subscriber);
