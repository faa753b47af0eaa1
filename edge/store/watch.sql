-- Version 4: the watch list by skeletons (config/watch.toml), in pieces, with the customs holds in the same table.
--
--   watch.skeleton  what a read plate is compared with; one entry may have several (two plates in one row)
--   watch.part      which message it came with: one whole list, or a piece. A new list is written beside the old one, and
--                   the old one goes only when the new one is whole: in between both hold
--   watch.customs   1 where customs asks for the hold: its override takes two people
--   note watch_part   by piece ("0": the whole list)   part, version, how many rows, which of them were bad
--   note watch_list   "contents"  version and pieces;  "table"  which config/watch.toml the skeletons were made by;
--                     "refused"   why the newest list was not taken: until a good one comes the copy is not fresh

ALTER TABLE watch RENAME TO watch_3;
CREATE TABLE watch (
    id       INTEGER PRIMARY KEY,
    skeleton TEXT NOT NULL,
    entry    TEXT NOT NULL,                 -- as the centre wrote it
    reason   TEXT NOT NULL,
    customs  INTEGER NOT NULL,
    part     TEXT NOT NULL
) STRICT;
INSERT INTO watch (skeleton, entry, reason, customs, part) SELECT plate, plate, reason, 0, 'older' FROM watch_3;
INSERT INTO watch (skeleton, entry, reason, customs, part)
    SELECT key, key, coalesce(body ->> '$.why', ''), 1, 'older' FROM note WHERE kind = 'customs_hold';
DELETE FROM note WHERE kind = 'customs_hold';
DROP TABLE watch_3;
CREATE INDEX watch_by_skeleton ON watch (skeleton);
CREATE INDEX watch_by_part ON watch (part);
