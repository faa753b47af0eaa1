-- The index of what passed (edge/store/history.py): derived from the events in barie.db, in a file of its own, and made
-- anew from them whenever it is missing, damaged or of another version. Nothing here is the record.
--
--   done      by lane   the last event that was taken in
--   passage   one row a passage; body is edge.core.record.history.PassageRow as JSON
--   plate     each of its plates, normalised, and once more from its end, behind a tilde: people remember the last digits
--   person    who pressed something during it

CREATE TABLE done (lane TEXT PRIMARY KEY, seq INTEGER NOT NULL) STRICT;

CREATE TABLE passage (
    id        TEXT PRIMARY KEY,
    lane      TEXT NOT NULL,
    last_seq  INTEGER NOT NULL,
    began_ms  INTEGER NOT NULL,             -- Unix ms
    verdict   TEXT NOT NULL,
    outcome   TEXT NOT NULL,
    how       TEXT NOT NULL,
    body      TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX passage_began ON passage (began_ms, id);
CREATE INDEX passage_lane ON passage (lane, began_ms, id);
CREATE INDEX passage_verdict ON passage (verdict, began_ms, id);
CREATE INDEX passage_outcome ON passage (outcome, began_ms, id);
CREATE INDEX passage_how ON passage (how, began_ms, id);
CREATE INDEX passage_seq ON passage (lane, last_seq);

CREATE TABLE plate (
    text      TEXT NOT NULL,
    began_ms  INTEGER NOT NULL,
    passage   TEXT NOT NULL REFERENCES passage (id) ON DELETE CASCADE,
    PRIMARY KEY (text, began_ms, passage)
) STRICT, WITHOUT ROWID;
CREATE INDEX plate_of_passage ON plate (passage);

CREATE TABLE person (
    person    TEXT NOT NULL,
    began_ms  INTEGER NOT NULL,
    passage   TEXT NOT NULL REFERENCES passage (id) ON DELETE CASCADE,
    PRIMARY KEY (person, began_ms, passage)
) STRICT, WITHOUT ROWID;
CREATE INDEX person_of_passage ON person (passage);
