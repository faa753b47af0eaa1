-- Version 2: small facts that the gate must not forget across a restart (docs/storage.md, "Notes").
--
--   standing      by lane   the vehicle that a permit is out for
--   paper_mode    by lane   the lane works on paper (Art. 23.1)
--   paper         by id     a form of App. V typed in here, until it was compared with the platform's declaration
--   yard          by yard   how full it is
--   receipt       by declaration   the hand-over record's goods as received (53/2003)
--   gone          by lane   what an alarm told the centre to be pruned here
--   customs_hold  by plate  why customs holds it, from the watch list

CREATE TABLE note (
    kind TEXT NOT NULL,
    key  TEXT NOT NULL,
    body TEXT NOT NULL,                     -- JSON
    PRIMARY KEY (kind, key)
) STRICT;
