-- The processes that share a store: who is alive, who decides what is opened, and what a destination has asked for.

-- While a node's lease runs, so do those of its claims.
CREATE TABLE nodes (
    name        TEXT PRIMARY KEY,
    lease_until BIGINT NOT NULL
);

-- What only one node may do at a time. The fence goes up with each new holder and never down.
CREATE TABLE leases (
    name        TEXT PRIMARY KEY,
    node        TEXT NOT NULL,
    fence       BIGINT NOT NULL,
    lease_until BIGINT NOT NULL
);

-- Destinations that are left alone for a while, by all nodes.
CREATE TABLE holds (
    destination TEXT PRIMARY KEY,
    until       BIGINT NOT NULL,
    reason      TEXT NOT NULL
);

-- Of an edition: 1 for its editors' copies and 2 for one in a hundred, which are watched; 3 for everybody else's.
UPDATE deliveries SET rank = 3 WHERE kind = 'edition';

-- Other nodes hear at once that something is due. Claims and outcomes change neither column, and wake nobody.
CREATE FUNCTION gazetted_wake() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('gazetted', '');
    RETURN NULL;
END $$;
CREATE TRIGGER deliveries_queued AFTER INSERT OR UPDATE OF queued_at ON deliveries
    FOR EACH STATEMENT EXECUTE FUNCTION gazetted_wake();
CREATE TRIGGER editions_moved AFTER UPDATE OF state ON editions
    FOR EACH STATEMENT EXECUTE FUNCTION gazetted_wake();
