-- Version 1 of the gate's record (PRAGMA user_version = 1). docs/storage.md tells the story; this file is the law.
-- Version 2 is notes.sql. Version 3, slim.sql, rebuilt event, evidence, action and confirmation with fewer indices and gave
-- lane its number and its permit serials; units, invariants and steps stand as here.
--
-- Units: *_ms are Unix milliseconds of the wall clock, labels only. *_at are ISO 8601 texts with an offset. size in bytes.
--
-- Invariants
--   I1  For each lane, event.seq runs from lane.pruned_seq + 1 to lane.next_seq - 1 without a gap.
--   I2  The first of them has prev_hash = lane.pruned_hash; each next one the hash of the one before; the last has
--       hash = lane.last_hash.
--   I3  lane.pruned_seq <= lane.acked_seq < lane.next_seq: only what the centre has is ever deleted, oldest first.
--   I4  A row of evidence names a file that was complete and fsynced before the row was committed.
--   I5  counter.permit_serial never goes back, and a serial is used only after its commit returned.
--   I6  declaration.version never goes back, not even across a tombstone.
--
-- Ordered write steps of one decision
--   1  JPEG written, fsynced, then its directory fsynced                (evidence.stage)
--   2  BEGIN IMMEDIATE; action, confirmations, permit serial, event, evidence row, lane; COMMIT   (synchronous=FULL: fsync)
--   3  the second copy of the counters written                          (counter.CounterFile)
--   4  only now: the permit is offered, the guard sees "done", the uplink is woken

CREATE TABLE site (one INTEGER PRIMARY KEY CHECK (one = 1), site TEXT NOT NULL) STRICT;

CREATE TABLE lane (
    lane        TEXT PRIMARY KEY,
    next_seq    INTEGER NOT NULL CHECK (next_seq >= 1),
    last_hash   TEXT NOT NULL,
    acked_seq   INTEGER NOT NULL DEFAULT 0,
    pruned_seq  INTEGER NOT NULL DEFAULT 0,
    pruned_hash TEXT NOT NULL,
    CHECK (pruned_seq <= acked_seq AND acked_seq < next_seq)
) STRICT;

CREATE TABLE event (
    lane        TEXT NOT NULL REFERENCES lane (lane),
    seq         INTEGER NOT NULL CHECK (seq >= 1),
    event_id    TEXT NOT NULL UNIQUE,
    kind        TEXT NOT NULL,
    recorded_ms INTEGER NOT NULL,
    payload     BLOB NOT NULL,              -- canonical JSON of the envelope: what is hashed, signed and published
    PRIMARY KEY (lane, seq)
) STRICT;

CREATE TABLE evidence (
    id          TEXT PRIMARY KEY,           -- UUIDv7
    event_id    TEXT NOT NULL,              -- outlives its event: events are pruned, evidence goes by the disk budget
    lane        TEXT NOT NULL REFERENCES lane (lane),
    seq         INTEGER NOT NULL,
    path        TEXT NOT NULL UNIQUE,       -- below evidence/, YYYY-MM-DD/<id>.jpg
    sha256      TEXT NOT NULL,
    size        INTEGER NOT NULL,
    staged_ms   INTEGER NOT NULL,
    sent        INTEGER NOT NULL DEFAULT 0  -- 1: the broker has it; 2: its file cannot be read
) STRICT;
CREATE INDEX evidence_of_event ON evidence (event_id);

CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
INSERT INTO counter VALUES ('permit_serial', 0);

CREATE TABLE pending_alarm (                -- of a rebuild: written with the fresh database, made an event at its first start
    lane        TEXT PRIMARY KEY,
    body        TEXT NOT NULL               -- JSON
) STRICT;

CREATE TABLE action (
    key         TEXT PRIMARY KEY,           -- the press's own key: the same key again gives the first answer
    lane        TEXT NOT NULL,
    result      TEXT NOT NULL,              -- JSON
    done_ms     INTEGER NOT NULL
) STRICT;

CREATE TABLE declaration (
    id          TEXT PRIMARY KEY,
    version     INTEGER NOT NULL,
    state       TEXT NOT NULL,              -- 'active', 'withdrawn', 'completed'; 'removed' after a tombstone
    payload     BLOB NOT NULL,              -- as it came, checked; empty after a tombstone
    received_ms INTEGER NOT NULL,
    sweep       INTEGER NOT NULL            -- the number of the subscribe in which it was last seen
) STRICT;

CREATE TABLE declaration_plate (
    plate       TEXT NOT NULL,              -- normalised: upper case, letters and digits only
    declaration_id TEXT NOT NULL REFERENCES declaration (id) ON DELETE CASCADE,
    PRIMARY KEY (plate, declaration_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX plate_of_declaration ON declaration_plate (declaration_id);

CREATE TABLE confirmation (                 -- this gate's own, laid over the copy until the centre's version carries them
    declaration_id TEXT NOT NULL,
    step        TEXT NOT NULL,
    authority   TEXT NOT NULL,
    act         TEXT NOT NULL,
    at          TEXT NOT NULL,
    by          TEXT NOT NULL,
    via         TEXT NOT NULL,
    plate       TEXT NOT NULL,              -- the vehicle it speaks of; '' where it speaks of the whole declaration
    PRIMARY KEY (declaration_id, step, authority, act, plate)
) STRICT;

CREATE TABLE watch (plate TEXT PRIMARY KEY, reason TEXT NOT NULL) STRICT;

CREATE TABLE copy (                         -- one row: how far the local copy is as new as the centre
    one         INTEGER PRIMARY KEY CHECK (one = 1),
    sweep       INTEGER NOT NULL,           -- number of the current subscribe
    watch_sweep INTEGER NOT NULL,           -- the subscribe in which the watch list was last seen
    seen_ms     INTEGER,                    -- when all retained messages had last been seen; NULL: never
    seen_mono_ns INTEGER,                   -- the same moment on CLOCK_MONOTONIC of boot seen_boot
    seen_boot   TEXT
) STRICT;
INSERT INTO copy VALUES (1, 0, -1, NULL, NULL, NULL);

CREATE TABLE set_aside (                    -- payloads that do not say what they must; bounded, oldest go first
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    at          TEXT NOT NULL,
    topic       TEXT NOT NULL,
    why         TEXT NOT NULL,
    size        INTEGER NOT NULL,
    payload     BLOB NOT NULL               -- its first 4 KiB
) STRICT;
INSERT INTO counter VALUES ('set_aside', 0);
