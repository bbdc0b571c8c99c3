-- What was done by hand, and by whom. Nothing in it is ever changed or taken out; addresses are masked.
CREATE TABLE acts (
    id      BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at      BIGINT NOT NULL,
    who     TEXT NOT NULL,
    act     TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail  TEXT NOT NULL
);
CREATE FUNCTION acts_stay() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'what was done is not rewritten'; END $$;
CREATE TRIGGER acts_stay BEFORE UPDATE OR DELETE ON acts FOR EACH ROW EXECUTE FUNCTION acts_stay();

-- Links that have been used, and sessions that were ended, until they would have run out by themselves.
CREATE TABLE spent (
    mark       BIGINT PRIMARY KEY,
    expires_at BIGINT NOT NULL
);
