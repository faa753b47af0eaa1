"""A damaged, lost or old database is set aside whole, and the numbers go on: never a second use, never silently
empty."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from edge.store import Store
from edge.store.counter import CounterFile
from edge.store.recovery import open_or_recover
from tests.record.world import GIVEN, open_store, payload, record


def filled(folder: Path) -> tuple[int, int]:
    """A record with everything in it. Returns its last seq and serial."""
    store = open_store(folder)
    record(store, 30)
    store.acknowledge("b1", 10)
    photo = store.stage_evidence(b"jpeg")
    store.put_declaration("CKS-1", payload())
    with store.transaction("b1") as tx:
        serial = tx.permit_serial()
        event = tx.event("override", {}, photos=[photo])
        tx.confirmation("CKS-1", GIVEN)
        tx.action("key", {"code": "done"})
    store.close()
    return event.seq, serial


def alarm(store: Store) -> dict[str, object]:
    event = store.recent("b1", 1)[0]
    assert event["kind"] == "alarm"
    return dict(event["body"])


def test_a_smashed_header_keeps_the_numbers(tmp_path: Path) -> None:
    seq, serial = filled(tmp_path)
    database = tmp_path / "barie.db"
    smashed = b"not a database!!" + database.read_bytes()[16:]
    database.write_bytes(smashed)
    store = open_store(tmp_path)
    body = alarm(store)
    assert (body["code"], body["lost_from"], body["events_kept"]) == ("record_set_aside", None, seq - 10)
    assert [event.seq for event in store.pending("b1", 0, 100)] == list(range(11, seq + 2)), "read from the raw pages"
    assert len(store.findings) == 1
    assert store.unacknowledged("b1").next_seq == seq + 2
    with store.transaction("b1") as tx:
        assert tx.permit_serial() > serial + 500
    assert store.verify() == []
    assert (tmp_path / str(body["folder"]) / "barie.db").read_bytes() == smashed
    assert len(list((tmp_path / str(body["folder"]) / "evidence").glob("*/*.jpg"))) == 1
    store.close()
    again = open_store(tmp_path)
    assert again.findings == []
    again.close()


def test_what_can_be_read_is_carried_over(tmp_path: Path) -> None:
    """An index page smashed: the rows are all there, so nothing is lost at all."""
    seq, _ = filled(tmp_path)
    store = open_store(tmp_path)
    (root,) = store._db.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'lane_number'").fetchone()
    size = store._db.execute("PRAGMA page_size").fetchone()[0]
    store.close()
    database = tmp_path / "barie.db"
    raw = bytearray(database.read_bytes())
    raw[(root - 1) * size : root * size] = bytes([0xA5]) * size
    database.write_bytes(raw)
    store = open_store(tmp_path)
    body = alarm(store)
    assert (body["events_kept"], body["lost_from"]) == (seq - 10, None)
    assert [event.seq for event in store.pending("b1", 0, 100)] == list(range(11, seq + 2))
    assert store.verify() == []
    assert store.action("key") == {"code": "done"}
    here = store.declaration("CKS-1")
    assert here is not None
    assert here.confirmations == (GIVEN,)
    lines = (tmp_path / str(body["folder"]) / "salvaged.jsonl").read_text().splitlines()
    assert [json.loads(line)["seq"] for line in lines] == list(range(11, seq + 1))
    store.close()


@pytest.mark.parametrize("how", ["gone", "empty", "older"])
def test_a_lost_or_older_database_does_not_use_numbers_twice(tmp_path: Path, how: str) -> None:
    store = open_store(tmp_path)
    record(store, 5)
    store.close()
    old = tmp_path / "old.db"
    shutil.copy(tmp_path / "barie.db", old)
    store = open_store(tmp_path)
    record(store, 7)
    store.close()
    for part in tmp_path.glob("barie.db*"):
        part.unlink()
    if how == "empty":
        (tmp_path / "barie.db").touch()
    elif how == "older":
        shutil.copy(old, tmp_path / "barie.db")
    store = open_store(tmp_path)
    assert alarm(store)["lost_to"] == 12
    assert store.unacknowledged("b1").next_seq == 14
    assert store.verify() == []
    store.close()


def test_a_torn_counter_slot_leaves_the_one_before(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    record(store, 4)
    store.close()
    counters = tmp_path / "counters"
    raw = bytearray(counters.read_bytes())
    newest = max((0, 16_384), key=lambda at: json.loads(raw[at:].partition(b"\n")[0].partition(b" ")[2])["generation"])
    raw[newest + 70] ^= 0xFF
    counters.write_bytes(raw)
    store = open_store(tmp_path)
    assert store.findings == []
    record(store, 1)
    assert store.verify() == []
    store.close()


def test_the_alarm_is_not_lost_by_a_crash_behind_the_rebuild(tmp_path: Path) -> None:
    seq, _ = filled(tmp_path)
    (tmp_path / "barie.db").write_bytes(b"not a database")
    connection, rescued = open_or_recover(tmp_path, CounterFile(tmp_path / "counters").found, "crashed")
    assert rescued is not None
    connection.close()  # and here the power fails, before anything else happened
    store = open_store(tmp_path)
    assert alarm(store)["lost_to"] == seq
    assert store.verify() == []
    store.close()
    again = open_store(tmp_path)
    assert [event["kind"] for event in again.recent("b1")] == ["alarm"]
    again.close()


def test_an_interrupted_rebuild_is_finished_at_the_next_start(tmp_path: Path) -> None:
    """The crash that could hurt: the damaged database is away, the fresh one has not got its name yet."""
    seq, _ = filled(tmp_path)
    (tmp_path / "barie.db").rename(tmp_path / "barie.db.new")
    store = open_store(tmp_path)
    assert store.findings == []
    assert store.unacknowledged("b1").next_seq == seq + 1
    store.close()
