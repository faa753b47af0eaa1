-- Version 3: the same facts on fewer pages. Every page that a decision touches is a frame of 4 KiB in the log that its
-- fsync waits for: twelve of them before, about five now.
--
--   lane.number          the lane's own run of event.id; never changes
--   lane.permit_serial   the last serial given on this lane. The next one is one more than the largest of all lanes and
--                        of counter.permit_serial, which only a rebuild raises (I5)
--   event.id             lane.number * 2^40 + seq: one B-tree, each lane in order. event_id is a UUID and needs no index
--   evidence             no index but the photos that still wait for the link
--   confirmation.number  the order in which those of one declaration were given

ALTER TABLE lane ADD COLUMN number INTEGER;
ALTER TABLE lane ADD COLUMN permit_serial INTEGER NOT NULL DEFAULT 0;
UPDATE lane SET number = rowid;
CREATE UNIQUE INDEX lane_number ON lane (number);

CREATE TABLE event_3 (
    id          INTEGER PRIMARY KEY,
    lane        TEXT NOT NULL REFERENCES lane (lane),
    seq         INTEGER NOT NULL CHECK (seq >= 1),
    event_id    TEXT NOT NULL,
    kind        TEXT NOT NULL,
    recorded_ms INTEGER NOT NULL,
    payload     BLOB NOT NULL
) STRICT;
INSERT INTO event_3
    SELECT (l.number << 40) + e.seq, e.lane, e.seq, e.event_id, e.kind, e.recorded_ms, e.payload
    FROM event e JOIN lane l USING (lane) ORDER BY 1;
DROP TABLE event;
ALTER TABLE event_3 RENAME TO event;

CREATE TABLE evidence_3 (
    id          TEXT PRIMARY KEY,
    event_id    TEXT NOT NULL,
    lane        TEXT NOT NULL REFERENCES lane (lane),
    seq         INTEGER NOT NULL,
    path        TEXT NOT NULL,
    sha256      TEXT NOT NULL,
    size        INTEGER NOT NULL,
    staged_ms   INTEGER NOT NULL,
    sent        INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
INSERT INTO evidence_3 SELECT id, event_id, lane, seq, path, sha256, size, staged_ms, sent FROM evidence;
DROP TABLE evidence;
ALTER TABLE evidence_3 RENAME TO evidence;
CREATE INDEX evidence_unsent ON evidence (lane, seq) WHERE sent = 0;

CREATE TABLE action_3 (
    key         TEXT PRIMARY KEY,
    lane        TEXT NOT NULL,
    result      TEXT NOT NULL,
    done_ms     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO action_3 SELECT key, lane, result, done_ms FROM action;
DROP TABLE action;
ALTER TABLE action_3 RENAME TO action;

CREATE TABLE confirmation_3 (
    declaration_id TEXT NOT NULL,
    step        TEXT NOT NULL,
    authority   TEXT NOT NULL,
    act         TEXT NOT NULL,
    at          TEXT NOT NULL,
    by          TEXT NOT NULL,
    via         TEXT NOT NULL,
    plate       TEXT NOT NULL,
    number      INTEGER NOT NULL,
    PRIMARY KEY (declaration_id, step, authority, act, plate)
) STRICT, WITHOUT ROWID;
INSERT INTO confirmation_3 SELECT declaration_id, step, authority, act, at, by, via, plate, rowid FROM confirmation;
DROP TABLE confirmation;
ALTER TABLE confirmation_3 RENAME TO confirmation;
