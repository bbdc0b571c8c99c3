-- The processes that share a store: who is alive, who decides what is opened, and what a destination has asked for.

-- While a node's lease runs, so do those of its claims.
CREATE TABLE nodes (
    name        TEXT PRIMARY KEY,
    lease_until INTEGER NOT NULL
) STRICT;

-- What only one node may do at a time. The fence goes up with each new holder and never down.
CREATE TABLE leases (
    name        TEXT PRIMARY KEY,
    node        TEXT NOT NULL,
    fence       INTEGER NOT NULL,
    lease_until INTEGER NOT NULL
) STRICT;

-- Destinations that are left alone for a while, by all nodes.
CREATE TABLE holds (
    destination TEXT PRIMARY KEY,
    until       INTEGER NOT NULL,
    reason      TEXT NOT NULL
) STRICT;

-- Of an edition: 1 for its editors' copies and 2 for one in a hundred, which are watched; 3 for everybody else's.
UPDATE deliveries SET rank = 3 WHERE kind = 'edition';
