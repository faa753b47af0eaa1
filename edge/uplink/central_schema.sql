CREATE TABLE IF NOT EXISTS event (
    lane     TEXT NOT NULL,
    seq      INTEGER NOT NULL,
    event_id TEXT NOT NULL UNIQUE,
    kind     TEXT NOT NULL,
    payload  BLOB NOT NULL,
    PRIMARY KEY (lane, seq)
) STRICT;
CREATE TABLE IF NOT EXISTS lane (
    lane     TEXT PRIMARY KEY,
    acked    INTEGER NOT NULL,      -- every event up to here is stored, or was declared lost by its gate
    hash     TEXT                   -- of the event `acked`; NULL behind a declared loss
) STRICT;
CREATE TABLE IF NOT EXISTS loss (lane TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
    PRIMARY KEY (lane, first)) STRICT;
CREATE TABLE IF NOT EXISTS declaration (
    id       TEXT PRIMARY KEY,
    version  INTEGER NOT NULL,
    payload  BLOB NOT NULL,
    source   TEXT NOT NULL          -- SHA-256 of the file that it came from
) STRICT;
CREATE TABLE IF NOT EXISTS photo (
    sha256   TEXT PRIMARY KEY,      -- its file was fsynced before this row was committed
    lane     TEXT NOT NULL,
    event_id TEXT NOT NULL,
    path     TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS photo_due (  -- named by an event, and not here yet
    lane     TEXT NOT NULL,
    event_id TEXT NOT NULL,
    id       TEXT NOT NULL,
    sha256   TEXT NOT NULL,
    PRIMARY KEY (event_id, sha256)
) STRICT;
