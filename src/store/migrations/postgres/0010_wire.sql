-- What is on the wire is one list a node, not a state of each delivery: a mark before each message is then one small write for all
-- connections together. Each database keeps only what it has to look up: a claim changes no index.

-- A node that holds claims. Whoever takes them back deletes the row, so that a node which slept through its lease marks nothing.
CREATE TABLE wire (
    node        TEXT PRIMARY KEY,
    -- Goes up with each list: one that comes late, from a connection that was given up, is not written over a newer one.
    nr          BIGINT NOT NULL,
    -- Of its newest claims; while the node's own lease runs, so does this.
    lease_until BIGINT NOT NULL,
    -- JSON: [edition, subscriber, fence] of each message that may be with a server without an answer in the ledger.
    messages    TEXT NOT NULL
) WITH (fillfactor = 20);

INSERT INTO wire (node, nr, lease_until, messages)
    SELECT node, 1, max(lease_until), coalesce(json_agg(json_build_array(edition, subscriber, fence)) FILTER (WHERE state = 'in_data'), '[]')::text
    FROM deliveries WHERE state IN ('claimed', 'in_data') AND node IS NOT NULL GROUP BY node;

DROP INDEX deliveries_due;
DROP INDEX deliveries_held_by_nodes;
DROP INDEX deliveries_of_notices;
UPDATE deliveries SET state = 'claimed', due_at = changed_at WHERE state IN ('claimed', 'in_data');
ALTER TABLE deliveries DROP COLUMN lease_until;
ALTER TABLE deliveries DROP CONSTRAINT deliveries_state_check;
ALTER TABLE deliveries ADD CONSTRAINT deliveries_state_check
    CHECK (state IN ('queued', 'claimed', 'accepted', 'deferred', 'failed', 'skipped', 'held'));
-- Room on each page for its rows as they are when claimed: they stay on it, and the indexes need not be told.
ALTER TABLE deliveries SET (fillfactor = 50);
-- What is claimed keeps its place here until it has an outcome.
CREATE INDEX deliveries_waiting ON deliveries (rank, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX deliveries_of_notices ON deliveries (queued_at) WHERE kind <> 'edition';

-- Deliveries as they are told of.
CREATE VIEW outbox AS
    SELECT edition, subscriber, kind, rank, variant, email, name, attempts, fence, node, queued_at, reply, changed_at,
        CASE WHEN state <> 'claimed' THEN due_at END AS due_at,
        CASE WHEN state = 'claimed' AND (node, edition, subscriber, fence) IN (
            SELECT wire.node, message->>0, (message->>1)::bigint, (message->>2)::bigint
            FROM wire, json_array_elements(wire.messages::json) AS one (message)
        ) THEN 'in_data' ELSE state END AS state
    FROM deliveries;
