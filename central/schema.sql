-- The reference centre's tables. Everything may be run again over what is there. docs/centre.md tells the story.
--
-- Invariants
--   C1  place has each (site, lane, seq) and each event_id once, for ever: a repeat finds it, whatever was dropped since.
--   C2  lane.acked only covers events whose rows are committed: it moves in the transaction that has its lane's row locked.
--   C3  A row of photo is committed after its file was fsynced.
--   C4  declaration_out.version of one declaration only grows.

CREATE TABLE IF NOT EXISTS lane (
    site text NOT NULL, lane text NOT NULL,
    acked bigint NOT NULL DEFAULT 0,        -- every event up to here is stored, or was declared lost by its gate
    hash text,                              -- of the event `acked`; NULL before the first and behind a declared loss
    PRIMARY KEY (site, lane)
);
CREATE TABLE IF NOT EXISTS place (
    site text NOT NULL, lane text NOT NULL, seq bigint NOT NULL,
    event_id uuid NOT NULL UNIQUE,
    hash text NOT NULL, prev_hash text NOT NULL,
    PRIMARY KEY (site, lane, seq)
);
CREATE TABLE IF NOT EXISTS event (          -- by month of arrival: retention drops a month at once
    received_at timestamptz NOT NULL DEFAULT now(),
    site text NOT NULL, lane text NOT NULL, seq bigint NOT NULL,
    event_id uuid NOT NULL,
    kind text NOT NULL, stage text NOT NULL,
    recorded_at timestamptz,                -- by the gate's clock; NULL where that is no time
    signed boolean NOT NULL,                -- by a key of the registry; false: the lane has none there
    body jsonb,                             -- NULL where PostgreSQL cannot hold it; payload always has it
    payload bytea NOT NULL                  -- as it came: what is hashed and signed
) PARTITION BY RANGE (received_at);
CREATE TABLE IF NOT EXISTS event_other PARTITION OF event DEFAULT;
CREATE INDEX IF NOT EXISTS event_place ON event (site, lane, seq);
CREATE INDEX IF NOT EXISTS event_when ON event (site, kind, recorded_at);
CREATE TABLE IF NOT EXISTS loss (
    site text NOT NULL, lane text NOT NULL, first bigint NOT NULL, last bigint NOT NULL,
    PRIMARY KEY (site, lane, first)
);
CREATE TABLE IF NOT EXISTS gate_key (       -- the registry: a lane's events must bear the signature of one that counts
    site text NOT NULL, lane text NOT NULL,
    public_key text NOT NULL CHECK (public_key ~ '^[0-9a-f]{64}$'),
    from_seq bigint NOT NULL DEFAULT 1, to_seq bigint,    -- rotation: the last event that it may sign
    revoked_at timestamptz,                 -- stolen: from now on nothing that it signed is taken
    note text NOT NULL DEFAULT '',
    PRIMARY KEY (site, lane, public_key)
);
CREATE TABLE IF NOT EXISTS incident (       -- for a person: forks, clones, numbers taken twice, keys that do not count
    id bigserial PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    site text NOT NULL, lane text NOT NULL, kind text NOT NULL, seq bigint NOT NULL, detail text NOT NULL,
    times bigint NOT NULL DEFAULT 1,
    UNIQUE (site, lane, kind, seq)
);
CREATE TABLE IF NOT EXISTS set_aside (      -- messages that do not say what they must; they block nothing
    id bigserial PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    site text NOT NULL, topic text NOT NULL, why text NOT NULL, size integer NOT NULL, payload bytea NOT NULL
);
CREATE TABLE IF NOT EXISTS photo (
    sha256 text PRIMARY KEY,
    site text NOT NULL, lane text NOT NULL, event_id uuid NOT NULL,
    file text NOT NULL, size integer NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS photo_of_event ON photo (event_id);
CREATE TABLE IF NOT EXISTS photo_due (      -- named by an event, and not here yet
    site text NOT NULL, lane text NOT NULL, event_id uuid NOT NULL, id text NOT NULL, sha256 text NOT NULL,
    since timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (event_id, sha256)
);
CREATE INDEX IF NOT EXISTS photo_due_hash ON photo_due (sha256);
CREATE TABLE IF NOT EXISTS lane_status (
    site text NOT NULL, lane text NOT NULL, online boolean NOT NULL, at timestamptz NOT NULL DEFAULT now(),
    body jsonb NOT NULL,
    PRIMARY KEY (site, lane)
);

-- What the platform writes, and what of it was published.
CREATE TABLE IF NOT EXISTS declaration (
    site text NOT NULL, id text NOT NULL,
    payload jsonb,                          -- as docs/schemas/declaration.schema.json; NULL: removed
    dirty boolean NOT NULL DEFAULT true,
    PRIMARY KEY (site, id)
);
CREATE INDEX IF NOT EXISTS declaration_dirty ON declaration (site) WHERE dirty;
CREATE TABLE IF NOT EXISTS gate_confirmation (  -- given at a gate: in every version from now on
    site text NOT NULL, declaration_id text NOT NULL, mark text NOT NULL, confirmation jsonb NOT NULL,
    PRIMARY KEY (site, declaration_id, mark)
);
CREATE TABLE IF NOT EXISTS declaration_out (
    site text NOT NULL, id text NOT NULL, version bigint NOT NULL, payload bytea NOT NULL,   -- empty: removed
    PRIMARY KEY (site, id)
);
CREATE TABLE IF NOT EXISTS watch (
    site text NOT NULL, plate text NOT NULL, reason text NOT NULL, by text,
    PRIMARY KEY (site, plate, reason)
);
CREATE TABLE IF NOT EXISTS watch_changed (site text PRIMARY KEY, dirty boolean NOT NULL DEFAULT true);

CREATE OR REPLACE FUNCTION barie_dirty() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' OR NEW.payload IS DISTINCT FROM OLD.payload THEN
        NEW.dirty := true;
    END IF;
    IF NEW.dirty THEN PERFORM pg_notify('barie', NEW.site); END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION barie_watch() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE s text := COALESCE(NEW.site, OLD.site);
BEGIN
    INSERT INTO watch_changed VALUES (s, true) ON CONFLICT (site) DO UPDATE SET dirty = true;
    PERFORM pg_notify('barie', s);
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER declaration_dirty BEFORE INSERT OR UPDATE ON declaration
    FOR EACH ROW EXECUTE FUNCTION barie_dirty();
CREATE OR REPLACE TRIGGER watch_dirty AFTER INSERT OR UPDATE OR DELETE ON watch
    FOR EACH ROW EXECUTE FUNCTION barie_watch();
