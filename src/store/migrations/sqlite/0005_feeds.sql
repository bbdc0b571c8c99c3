-- What must stay as it was once readers have seen a feed.

-- How much an entry adds to a feed, in bytes; none until it has been rendered.
ALTER TABLE entries ADD COLUMN weight INTEGER;
-- The correction that an edition has told its readers of.
ALTER TABLE entries ADD COLUMN corrected TEXT;

-- Which part of the address a tag, an author and so on have got: for ever.
CREATE TABLE feed_slugs (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    slug TEXT NOT NULL,
    PRIMARY KEY (kind, name)
) STRICT;

-- Which entries stand in a feed's archives (RFC 5005): a JSON list of ids, newest first.
CREATE TABLE feed_archives (
    feed    TEXT NOT NULL,
    page    INTEGER NOT NULL,
    entries TEXT NOT NULL,
    PRIMARY KEY (feed, page)
) STRICT;

-- Addresses that feeds have had.
CREATE TABLE feed_moves (
    old TEXT PRIMARY KEY,
    new TEXT NOT NULL
) STRICT;
