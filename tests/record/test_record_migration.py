"""A record of the tables' second version, as it stood before slim.sql, opened and rescued by this one."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from edge.core.model import Confirmation
from edge.core.record import events
from edge.core.record.events import Anchor
from edge.store import db
from edge.store.keys import load_or_create_signer
from tests.record.world import GIVEN, SITE, open_store, payload, record, write_counters

SECOND = Confirmation("b1_in", "CD", "permit", "2026-11-20T09:05:00+07:00", "DD-0042", "gate")
SERIAL = 77


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two lanes with four events each, one of them acknowledged; a photo, an answer, two confirmations, a serial."""
    sign = load_or_create_signer(tmp_path / "keys")
    with monkeypatch.context() as patched, closing(db.connect(tmp_path / db.NAME)) as connection:
        patched.setattr(db, "MIGRATIONS", db.MIGRATIONS[:2])
        db.migrate(connection)
        connection.execute("INSERT INTO site VALUES (1, ?)", (SITE,))
        for lane in ("b2", "b1"):
            values = (lane, 5, "", 1, 0, events.GENESIS_HASH)
            connection.execute("INSERT INTO lane VALUES (?,?,?,?,?,?)", values)
            after = Anchor()
            for number in range(4):
                envelope, text = events.seal(
                    event_id=f"{lane}-{number}", site=SITE, lane=lane, after=after, kind="passage", captured_at=None,
                    recorded_at="2026-11-20T09:10:00.000+07:00", boot_id="boot", mono_ns=number, clock="synced",
                    body={"number": number}, sign=sign,
                )  # fmt: skip
                after = Anchor(envelope.seq, envelope.hash)
                row = (lane, envelope.seq, envelope.event_id, "passage", 1_760_000_000_000, text)
                connection.execute("INSERT INTO event VALUES (?,?,?,?,?,?)", row)
            connection.execute("UPDATE lane SET last_hash = ? WHERE lane = ?", (after.hash, lane))
        connection.execute("UPDATE counter SET value = ? WHERE name = 'permit_serial'", (SERIAL,))
        connection.execute("INSERT INTO action VALUES ('press', 'b1', '{\"code\": \"done\"}', 1760000000000)")
        connection.execute("INSERT INTO declaration VALUES ('CKS-1', 1, 'active', ?, 0, 0)", (payload(),))
        for given in (GIVEN, SECOND):
            own = ("CKS-1", given.step, given.authority, given.act, given.at, given.by, given.via, "")
            connection.execute("INSERT INTO confirmation VALUES (?,?,?,?,?,?,?,?)", own)
        photo = tmp_path / "evidence" / "2026-11-20" / "p.jpg"
        photo.parent.mkdir(parents=True)
        photo.write_bytes(b"jpeg")
        named = ("p", "b1-1", "b1", 1, "2026-11-20/p.jpg", "00", 4, 1, 0)
        connection.execute("INSERT INTO evidence VALUES (?,?,?,?,?,?,?,?,?)", named)
    write_counters(tmp_path)
    return tmp_path


def test_everything_is_there_in_the_new_tables(old: Path) -> None:
    store = open_store(old, lanes=("b1", "b2"), keep_acknowledged_s=3600)
    assert store.findings == []
    assert store.verify() == []
    for lane in ("b1", "b2"):
        assert [event.seq for event in store.pending(lane, 0, 100)] == [2, 3, 4]
    here = store.declaration("CKS-1")
    assert here is not None
    assert here.confirmations == (GIVEN, SECOND), "in the order in which they were given"
    assert store.action("press") == {"code": "done"}
    photo = store.next_evidence("b1")
    assert photo is not None
    assert photo.jpeg == b"jpeg"
    with store.transaction("b2") as tx:
        assert tx.permit_serial() == SERIAL + 1
    with store.transaction("b1") as tx:
        assert tx.permit_serial() == SERIAL + 2, "one row of serials for all lanes"
    record(store, 3, "b2")
    assert store.verify() == []
    store.close()


def test_a_damaged_one_is_rescued_with_all_that_can_be_read(old: Path) -> None:
    with closing(db.connect(old / db.NAME)) as connection:
        (root,) = connection.execute(
            "SELECT rootpage FROM sqlite_schema WHERE name = 'sqlite_autoindex_event_2'"
        ).fetchone()
        size = connection.execute("PRAGMA page_size").fetchone()[0]
    raw = bytearray((old / db.NAME).read_bytes())
    raw[(root - 1) * size : root * size] = bytes([0xA5]) * size
    (old / db.NAME).write_bytes(raw)
    store = open_store(old, lanes=("b1", "b2"), keep_acknowledged_s=3600)
    assert len(store.findings) == 1
    assert [one.seq for one in store.pending("b2", 0, 100)] == [2, 3, 4, 5]
    here = store.declaration("CKS-1")
    assert here is not None
    assert here.confirmations == (GIVEN, SECOND)
    assert store.action("press") == {"code": "done"}
    assert store.next_evidence("b1") is not None
    with store.transaction("b1") as tx:
        assert tx.permit_serial() > SERIAL + 500
    assert store.verify() == []
    store.close()
