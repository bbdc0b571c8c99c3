-- What the daemon writes to editors: nudges, how a month closed, what waits for them. Written once for each name.
CREATE TABLE letters (
    key      TEXT PRIMARY KEY,
    name     TEXT NOT NULL UNIQUE,
    subject  TEXT NOT NULL,
    text     TEXT NOT NULL,
    html     TEXT NOT NULL,
    language TEXT NOT NULL,
    made_at  BIGINT NOT NULL
);

-- An editor is no subscriber: deliveries of letters have a number below zero in that column.
ALTER TABLE deliveries DROP CONSTRAINT deliveries_kind_check;
ALTER TABLE deliveries ADD CONSTRAINT deliveries_kind_check
    CHECK (kind IN ('edition', 'confirm', 'move', 'welcome', 'already', 'link', 'data', 'letter'));
