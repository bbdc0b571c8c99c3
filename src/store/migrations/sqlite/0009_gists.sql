-- What posts said when they were last read, so that a start parses only what is new. Losing it costs time, and nothing else.
CREATE TABLE gists (
    page  INTEGER PRIMARY KEY,
    -- Fingerprint of all that decides what a post's bytes mean.
    rules TEXT NOT NULL,
    -- A JSON list, in zstd.
    posts BLOB NOT NULL
) STRICT;
