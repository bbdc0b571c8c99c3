-- What subscribers choose, how they came and went, and what is mailed to one of them alone.

-- No language: the site's. Tags and authors are JSON arrays; both empty: every post.
ALTER TABLE subscribers ADD COLUMN language TEXT;
ALTER TABLE subscribers ADD COLUMN frequency TEXT NOT NULL DEFAULT 'monthly' CHECK (frequency IN ('monthly', 'quarterly', 'post'));
ALTER TABLE subscribers ADD COLUMN tags TEXT NOT NULL DEFAULT '[]';
ALTER TABLE subscribers ADD COLUMN authors TEXT NOT NULL DEFAULT '[]';
ALTER TABLE subscribers ADD COLUMN paused_until BIGINT;
-- Since when the frequency is what it is: a post published before is not mailed by itself.
ALTER TABLE subscribers ADD COLUMN frequency_since BIGINT NOT NULL DEFAULT 0;
-- A question waits for its answer: the subscription, or the new address.
ALTER TABLE subscribers ADD COLUMN asked_at BIGINT;
ALTER TABLE subscribers ADD COLUMN new_email TEXT;
ALTER TABLE subscribers ADD COLUMN new_key TEXT;
CREATE INDEX subscribers_pending ON subscribers (asked_at) WHERE asked_at IS NOT NULL;

-- What happened: proof of consent, and what webhooks tell. Rows of editions have no subscriber.
CREATE TABLE history (
    id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at         BIGINT NOT NULL,
    subscriber BIGINT,
    edition    TEXT,
    event      TEXT NOT NULL,
    source     TEXT NOT NULL,
    proof      TEXT NOT NULL,
    told       BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX history_of_subscriber ON history (subscriber);
CREATE INDEX history_by_month ON history (event, at);
CREATE INDEX history_untold ON history (id) WHERE told = 0;

INSERT INTO history (at, subscriber, event, source, proof, told)
    SELECT created_at, id, 'added', source, '{}', 1 FROM subscribers;
INSERT INTO history (at, subscriber, event, source, proof, told)
    SELECT changed_at, id, state, source, '{}', 1 FROM subscribers WHERE state IN ('unsubscribed', 'suppressed');

-- Forms as they were sent. What becomes of them is decided afterwards, so that no answer tells.
CREATE TABLE signups (
    id        BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email     TEXT NOT NULL,
    key       TEXT NOT NULL,
    canonical TEXT NOT NULL,
    domain    TEXT NOT NULL,
    network   TEXT NOT NULL,
    language  TEXT,
    proof     TEXT NOT NULL,
    at        BIGINT NOT NULL
);

-- What confirmation mails are counted by, hashed.
CREATE TABLE marks (
    bucket TEXT NOT NULL,
    at     BIGINT NOT NULL
);
CREATE INDEX marks_of_bucket ON marks (bucket, at);
CREATE INDEX marks_by_age ON marks (at);

-- Who asked to be forgotten: keyed hashes of addresses, so that no list brings them back.
CREATE TABLE erased (
    hash TEXT PRIMARY KEY,
    at   BIGINT NOT NULL
);

-- Keys that followed the first one (`secrets`), each from an instant on.
CREATE TABLE token_keys (
    from_at BIGINT PRIMARY KEY,
    bytes   BYTEA NOT NULL
);

-- An edition in another language, or with some of its posts: frozen when the first one is made.
CREATE TABLE variants (
    edition TEXT NOT NULL REFERENCES editions (period),
    variant TEXT NOT NULL,
    subject TEXT NOT NULL,
    text    TEXT NOT NULL,
    html    TEXT NOT NULL,
    PRIMARY KEY (edition, variant)
);

-- Deliveries of notices have no edition; `kind` says what they are, `rank` that they come first.
ALTER TABLE deliveries DROP CONSTRAINT deliveries_edition_fkey;
ALTER TABLE deliveries ADD COLUMN kind TEXT NOT NULL DEFAULT 'edition' CHECK (kind IN ('edition', 'confirm', 'move', 'welcome', 'already', 'link', 'data'));
ALTER TABLE deliveries ADD COLUMN rank BIGINT NOT NULL DEFAULT 1;
ALTER TABLE deliveries ADD COLUMN variant TEXT NOT NULL DEFAULT '';
ALTER TABLE deliveries ALTER COLUMN kind DROP DEFAULT;
ALTER TABLE deliveries ALTER COLUMN rank DROP DEFAULT;
DROP INDEX deliveries_due;
CREATE INDEX deliveries_due ON deliveries (rank, due_at) WHERE state IN ('queued', 'deferred');
CREATE INDEX deliveries_of_notices ON deliveries (changed_at) WHERE kind <> 'edition';

-- What is to be told to whom; the history has what.
CREATE TABLE calls (
    id       BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    hook     TEXT NOT NULL,
    history  BIGINT NOT NULL REFERENCES history (id) ON DELETE CASCADE,
    attempts BIGINT NOT NULL DEFAULT 0,
    made_at  BIGINT NOT NULL,
    due_at   BIGINT NOT NULL,
    reply    TEXT,
    UNIQUE (hook, history)
);
CREATE INDEX calls_due ON calls (due_at);
CREATE INDEX calls_of_history ON calls (history);
