-- Telling of changed feeds: other people's hubs, and the subscribers of our own.

-- Which version of a feed each hub has been told of, or is to be told of as soon as the public address has it.
CREATE TABLE announcements (
    path       TEXT NOT NULL,
    hub        TEXT NOT NULL,
    hash       TEXT NOT NULL,
    changed_at INTEGER NOT NULL,
    -- When to look or to try next; none: there is nothing to tell.
    due_at     INTEGER,
    attempts   INTEGER NOT NULL DEFAULT 0,
    reply      TEXT,
    PRIMARY KEY (path, hub)
) STRICT;
CREATE INDEX announcements_due ON announcements (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE hub_subscriptions (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    path          TEXT NOT NULL,
    callback      TEXT NOT NULL,
    -- Of the callback: what is limited together.
    host          TEXT NOT NULL,
    -- As they were confirmed; without a lease nothing has been.
    secret        TEXT,
    lease_until   INTEGER,
    -- What is asked for and waits for the callback to say that it meant it.
    asked         TEXT CHECK (asked IN ('subscribe', 'unsubscribe')),
    asked_secret  TEXT,
    asked_lease   INTEGER,
    asked_nr      INTEGER NOT NULL DEFAULT 0,
    ask_at        INTEGER,
    ask_attempts  INTEGER NOT NULL DEFAULT 0,
    -- The version it has got, or is to get.
    hash          TEXT,
    due_at        INTEGER,
    attempts      INTEGER NOT NULL DEFAULT 0,
    failing_since INTEGER,
    UNIQUE (path, callback)
) STRICT;
CREATE INDEX hub_subscriptions_asked ON hub_subscriptions (ask_at) WHERE ask_at IS NOT NULL;
CREATE INDEX hub_subscriptions_due ON hub_subscriptions (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX hub_subscriptions_host ON hub_subscriptions (host);
