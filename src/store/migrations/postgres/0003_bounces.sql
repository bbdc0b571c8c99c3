-- Why an edition pauses, and what came back of what was sent.

ALTER TABLE editions ADD COLUMN reason TEXT;

-- No foreign keys: an answer may be about a notice, and what came of a delivery is looked up, never needed.
CREATE TABLE bounces (
    id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at         BIGINT NOT NULL,
    subscriber BIGINT NOT NULL,
    edition    TEXT,
    source     TEXT NOT NULL CHECK (source IN ('smtp', 'pipe', 'maildir', 'imap')),
    class      TEXT NOT NULL CHECK (class IN ('dead', 'resting', 'policy', 'complaint')),
    status     TEXT,
    words      TEXT NOT NULL,
    -- What it is known by: the same mail twice is one bounce.
    mark       TEXT NOT NULL,
    -- What came, in its own bytes, cut off if it is long; forgotten after a year.
    original   BYTEA,
    -- What the subscriber was before this bounce suppressed them.
    was        TEXT CHECK (was IN ('pending', 'active')),
    undone_at  BIGINT,
    UNIQUE (subscriber, mark)
);
CREATE INDEX bounces_of_edition ON bounces (edition) WHERE class = 'complaint';
CREATE INDEX bounces_with_original ON bounces (at) WHERE original IS NOT NULL;
