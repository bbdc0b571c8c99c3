-- What subscribers choose, how they came and went, and what is mailed to one of them alone.

-- No language: the site's. Tags and authors are JSON arrays; both empty: every post.
ALTER TABLE subscribers ADD COLUMN language TEXT;
ALTER TABLE subscribers ADD COLUMN frequency TEXT NOT NULL DEFAULT 'monthly' CHECK (frequency IN ('monthly', 'quarterly', 'post'));
ALTER TABLE subscribers ADD COLUMN tags TEXT NOT NULL DEFAULT '[]';
ALTER TABLE subscribers ADD COLUMN authors TEXT NOT NULL DEFAULT '[]';
ALTER TABLE subscribers ADD COLUMN paused_until INTEGER;
-- Since when the frequency is what it is: a post published before is not mailed by itself.
ALTER TABLE subscribers ADD COLUMN frequency_since INTEGER NOT NULL DEFAULT 0;
-- A question waits for its answer: the subscription, or the new address.
ALTER TABLE subscribers ADD COLUMN asked_at INTEGER;
ALTER TABLE subscribers ADD COLUMN new_email TEXT;
ALTER TABLE subscribers ADD COLUMN new_key TEXT;
CREATE INDEX subscribers_pending ON subscribers (asked_at) WHERE asked_at IS NOT NULL;

-- What happened: proof of consent, and what webhooks tell. Rows of editions have no subscriber.
CREATE TABLE history (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    at         INTEGER NOT NULL,
    subscriber INTEGER,
    edition    TEXT,
    event      TEXT NOT NULL,
    source     TEXT NOT NULL,
    proof      TEXT NOT NULL,
    told       INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX history_of_subscriber ON history (subscriber);
CREATE INDEX history_by_month ON history (event, at);
CREATE INDEX history_untold ON history (id) WHERE told = 0;

INSERT INTO history (at, subscriber, event, source, proof, told)
    SELECT created_at, id, 'added', source, '{}', 1 FROM subscribers;
INSERT INTO history (at, subscriber, event, source, proof, told)
    SELECT changed_at, id, state, source, '{}', 1 FROM subscribers WHERE state IN ('unsubscribed', 'suppressed');

-- Forms as they were sent. What becomes of them is decided afterwards, so that no answer tells.
CREATE TABLE signups (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    email     TEXT NOT NULL,
    key       TEXT NOT NULL,
    canonical TEXT NOT NULL,
    domain    TEXT NOT NULL,
    network   TEXT NOT NULL,
    language  TEXT,
    proof     TEXT NOT NULL,
    at        INTEGER NOT NULL
) STRICT;

-- What confirmation mails are counted by, hashed.
CREATE TABLE marks (
    bucket TEXT NOT NULL,
    at     INTEGER NOT NULL
) STRICT;
CREATE INDEX marks_of_bucket ON marks (bucket, at);
CREATE INDEX marks_by_age ON marks (at);

-- Who asked to be forgotten: keyed hashes of addresses, so that no list brings them back.
CREATE TABLE erased (
    hash TEXT PRIMARY KEY,
    at   INTEGER NOT NULL
) STRICT;

-- Keys that followed the first one (`secrets`), each from an instant on.
CREATE TABLE token_keys (
    from_at INTEGER PRIMARY KEY,
    bytes   BLOB NOT NULL
) STRICT;

-- An edition in another language, or with some of its posts: frozen when the first one is made.
CREATE TABLE variants (
    edition TEXT NOT NULL REFERENCES editions (period),
    variant TEXT NOT NULL,
    subject TEXT NOT NULL,
    text    TEXT NOT NULL,
    html    TEXT NOT NULL,
    PRIMARY KEY (edition, variant)
) STRICT;

-- Deliveries of notices have no edition; `kind` says what they are, `rank` that they come first.
CREATE TABLE new_deliveries (
    edition     TEXT NOT NULL,
    subscriber  INTEGER NOT NULL,
    kind        TEXT NOT NULL CHECK (kind IN ('edition', 'confirm', 'move', 'welcome', 'already', 'link', 'data')),
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
INSERT INTO new_deliveries (edition, subscriber, kind, rank, email, name, state, attempts, fence, node, lease_until, queued_at, due_at, reply, changed_at)
    SELECT edition, subscriber, 'edition', 1, email, name, state, attempts, fence, node, lease_until, queued_at, due_at, reply, changed_at FROM deliveries;
DROP TABLE deliveries;
ALTER TABLE new_deliveries RENAME TO deliveries;
CREATE INDEX deliveries_due ON deliveries (rank, due_at) WHERE state IN ('queued', 'deferred');
CREATE INDEX deliveries_held_by_nodes ON deliveries (lease_until) WHERE state IN ('claimed', 'in_data');
CREATE INDEX deliveries_of_subscriber ON deliveries (subscriber);
CREATE INDEX deliveries_of_notices ON deliveries (changed_at) WHERE kind <> 'edition';

-- What is to be told to whom; the history has what.
CREATE TABLE calls (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    hook     TEXT NOT NULL,
    history  INTEGER NOT NULL REFERENCES history (id) ON DELETE CASCADE,
    attempts INTEGER NOT NULL DEFAULT 0,
    made_at  INTEGER NOT NULL,
    due_at   INTEGER NOT NULL,
    reply    TEXT,
    UNIQUE (hook, history)
) STRICT;
CREATE INDEX calls_due ON calls (due_at);
CREATE INDEX calls_of_history ON calls (history);
