"""The store on real files: all or nothing, nothing twice, nothing silently lost, whatever happens to process or
disk."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge.errors import BadMessageError, StoreError, StoreFullError
from edge.store import Clocks, Store, db
from edge.store.export import export_csv, export_jsonl, verify_folder
from tests.record.world import GIVEN, SITE, declaration, open_store, payload, record


@pytest.fixture
def store(tmp_path: Path) -> Any:
    one = open_store(tmp_path / "gate", lanes=("b1", "b2"))
    yield one
    one.close()


def database(folder: Path) -> sqlite3.Connection:
    return sqlite3.connect(folder / "barie.db", isolation_level=None)


def counts(store: Store) -> tuple[int, ...]:
    tables = ("event", "action", "evidence", "confirmation")
    return tuple(store._reader.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables)  # noqa: S608


# ---------------------------------------------------------------- one transaction


def test_nothing_of_a_failed_transaction_stays(store: Store) -> None:
    record(store, 3)
    photo = store.stage_evidence(b"jpeg")
    before = counts(store)

    def override() -> None:
        with store.transaction("b1") as tx:
            tx.permit_serial()
            tx.event("override", {}, photos=[photo])
            tx.confirmation("CKS-1", GIVEN)
            tx.action("key", {"code": "done"})
            raise RuntimeError("the guard's screen broke")

    with pytest.raises(RuntimeError, match="the guard's screen broke"):
        override()
    assert counts(store) == before
    assert store.action("key") is None
    assert store.unacknowledged("b1").next_seq == 4
    assert store.verify() == []


def test_nothing_is_visible_before_the_commit(store: Store) -> None:
    with store.transaction("b1") as tx:
        tx.event("passage", {})
        tx.action("key", {})
        assert store.recent("b1") == []
        assert store.action("key") is None
        assert store.unacknowledged("b1").waiting == 0
    assert len(store.recent("b1")) == 1
    assert store.action("key") == {}


def test_readers_do_not_wait_for_a_writer(store: Store) -> None:
    inside, go_on = threading.Event(), threading.Event()

    def write() -> None:
        with store.transaction("b1") as tx:
            tx.event("passage", {})
            inside.set()
            go_on.wait(10)

    writer = threading.Thread(target=write)
    writer.start()
    assert inside.wait(10)
    assert store.recent("b1") == []
    assert store.declarations_for_plate("12C12345") == []
    go_on.set()
    writer.join(10)
    assert len(store.recent("b1")) == 1


def test_threads_share_one_gapless_sequence(store: Store) -> None:
    threads = [threading.Thread(target=record, args=(store, 20, lane)) for lane in ("b1", "b1", "b2", "b2")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.verify() == []
    assert [store.unacknowledged(lane).next_seq for lane in ("b1", "b2")] == [41, 41]


def test_an_action_is_done_once(store: Store) -> None:
    with store.transaction("b1") as tx:
        tx.action("key", {"code": "done", "seq": 1})

    def again() -> None:
        with store.transaction("b1") as tx:
            assert tx.known_action("key") == {"code": "done", "seq": 1}
            tx.event("override", {})
            tx.action("key", {"code": "again"})

    with pytest.raises(StoreError, match="done already"):
        again()
    assert store.action("key") == {"code": "done", "seq": 1}
    assert store.recent("b1") == []


def test_the_envelope_has_what_the_contract_asks_for(tmp_path: Path) -> None:
    clocks = Clocks(wall_ms=lambda: 1_795_140_600_123, mono_ns=lambda: 77, state=lambda: "synced", boot_id="boot-1")
    store = open_store(tmp_path, clocks=clocks)
    with store.transaction("b1") as tx:
        tx.event("passage", {"a": 1}, captured_at="2026-11-20T09:09:59.900+07:00", mono_ns=55)
    event = store.recent("b1")[0]
    assert " ".join(sorted(event)) == (
        "body boot_id captured_at clock event_id hash kind lane mono_ns prev_hash recorded_at seq signature site"
    )
    assert (event["site"], event["lane"], event["seq"], event["kind"]) == (SITE, "b1", 1, "passage")
    assert (event["captured_at"], event["mono_ns"]) == ("2026-11-20T09:09:59.900+07:00", 55)
    assert (event["recorded_at"][-6:], event["clock"], event["boot_id"]) == ("+07:00", "synced", "boot-1")
    assert re.fullmatch(r"[0-9a-f]{128}", event["signature"])
    store.close()


@pytest.mark.parametrize(
    ("kind", "body"), [("gossip", {}), ("passage", {"x": float("nan")}), ("passage", {"x": "\ud800"})]
)
def test_an_event_that_makes_no_sense_is_refused(store: Store, kind: str, body: dict[str, Any]) -> None:
    with pytest.raises(StoreError, match="lane b1"), store.transaction("b1") as tx:
        tx.event(kind, body)
    assert store.unacknowledged("b1").next_seq == 1


# ---------------------------------------------------------------- restarts, two processes, kills


def test_serials_and_sequence_go_on_after_a_restart(tmp_path: Path) -> None:
    serials = []
    for _ in range(3):
        store = open_store(tmp_path)
        for _ in range(3):
            with store.transaction("b1") as tx:
                serials.append(tx.permit_serial())
                tx.event("barrier", {})
        store.close()
    assert serials == list(range(1, 10))
    assert verify_folder(tmp_path, SITE) == []


def test_a_second_process_is_told_who_holds_the_record(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    line = f"import edge.store, pathlib; edge.store.Store.open(pathlib.Path({str(tmp_path)!r}), site='x', lanes=[])"
    second = subprocess.run([sys.executable, "-c", line], capture_output=True, text=True, check=False)
    assert second.returncode != 0
    assert f"another barie runs on {tmp_path} (process {os.getpid()}): stop it first" in second.stderr
    store.close()
    open_store(tmp_path).close()


def test_another_site_is_refused(tmp_path: Path) -> None:
    open_store(tmp_path).close()
    with pytest.raises(StoreError, match="belongs to site 'testsite'"):
        Store.open(tmp_path, site="other", lanes=["b1"])


def test_a_process_killed_anywhere_leaves_a_whole_record(tmp_path: Path) -> None:
    """SIGKILL at random moments, the last line seen outside is the oracle: what was said to be done is there."""
    chance = random.Random(6)  # noqa: S311 - seeded on purpose
    said_seq = said_serial = 0
    for _ in range(5):
        victim = subprocess.Popen(
            [sys.executable, "-m", "tests.record.victim", str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        assert victim.stdout is not None
        for _ in range(chance.randrange(2, 40)):
            line = victim.stdout.readline().split()
            if len(line) == 2:
                said_seq, said_serial = int(line[0]), int(line[1])
        victim.send_signal(signal.SIGKILL)
        for rest in victim.stdout.read().splitlines():
            if len(line := rest.split()) == 2:
                said_seq, said_serial = int(line[0]), int(line[1])
        victim.wait()
        store = open_store(tmp_path)
        assert store.findings == []
        assert store.verify() == []
        here = store.unacknowledged("b1").next_seq - 1
        assert said_seq <= here <= said_seq + 1
        assert store.action(f"key-{here}") is not None or here == 0
        assert [event["seq"] for event in reversed(store.recent("b1", 10_000))] == list(range(1, here + 1))
        photos = list((tmp_path / "evidence").glob("*/*.jpg"))
        assert len(photos) == here
        with store.transaction("b1") as tx:
            serial = tx.permit_serial()
            event = tx.event("barrier", {}, photos=[store.stage_evidence(b"one more")])
            tx.action(f"key-{event.seq}", {})
        assert serial > said_serial
        said_seq, said_serial = event.seq, serial
        store.close()


# ---------------------------------------------------------------- no room


def test_no_room_is_said_and_nothing_is_half_written(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    record(store, 5)
    pages = store._db.execute("PRAGMA page_count").fetchone()[0]
    store._db.execute(f"PRAGMA max_page_count = {pages + 2}")
    before = 0

    def fill() -> None:
        nonlocal before
        while True:
            before = store.unacknowledged("b1").next_seq
            with store.transaction("b1") as tx:
                tx.permit_serial()
                tx.event("passage", {"text": "x" * 500})
                tx.action(f"key-{before}", {})

    with pytest.raises(StoreFullError, match="no room left"):
        fill()
    assert store.unacknowledged("b1").next_seq == before
    assert store.action(f"key-{before}") is None
    assert store.verify() == []
    store._db.execute(f"PRAGMA max_page_count = {pages + 500}")
    record(store, 1)
    assert store.verify() == []
    store.close()
    assert open_and_close(tmp_path) == []


def test_a_photo_without_room_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(tmp_path)
    (tmp_path / "evidence" / store.stage_evidence(b"jpeg").path).unlink()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(StoreFullError, match="writing a photo"):
            store.stage_evidence(b"jpeg")
    assert list((tmp_path / "evidence").glob("*/*.jpg")) == []
    store.close()


def open_and_close(folder: Path) -> list[str]:
    store = open_store(folder)
    store.close()
    return store.findings


# ---------------------------------------------------------------- outbox


def test_acknowledged_events_are_pruned_and_the_chain_still_verifies(store: Store) -> None:
    record(store, 10)
    assert store.acknowledge("b1", 4) == 4
    assert [event.seq for event in store.pending("b1", 0, 100)] == [5, 6, 7, 8, 9, 10]
    assert [event.seq for event in store.pending("b1", 7, 2)] == [8, 9]
    assert store.acknowledge("b1", 2) == 0
    assert store.verify() == []
    assert [event["seq"] for event in store.recent("b1")] == [10, 9, 8, 7, 6, 5]
    assert store.unacknowledged("b1")[0::2] == (6, 11)


def test_an_acknowledgement_beyond_what_exists_is_refused(store: Store) -> None:
    record(store, 3)
    with pytest.raises(BadMessageError, match="the last event is 3"):
        store.acknowledge("b1", 4)
    with pytest.raises(BadMessageError, match="not one of this gate's"):
        store.acknowledge("b9", 1)
    assert store.unacknowledged("b1").waiting == 3


def _truly(now: list[int]) -> Clocks:
    """Both clocks go on together, and the time service agrees."""
    return Clocks(wall_ms=lambda: now[0], mono_ns=lambda: now[0] * 10**6, state=lambda: "synced")


def test_acknowledged_events_stay_for_as_long_as_the_site_wants(tmp_path: Path) -> None:
    now = [1_800_000_000_000]
    store = open_store(tmp_path, keep_acknowledged_s=60, clocks=_truly(now))
    record(store, 5)
    store.acknowledge("b1", 3)
    assert store.prune() == 0
    now[0] += 61_000
    assert store.prune() == 0, "only marked: the centre has not said it twice"
    assert store.prune() == 0
    store.acknowledge("b1", 3)
    assert store.prune() == 3
    assert [event["seq"] for event in store.recent("b1")] == [5, 4]
    record(store, 1)
    assert store.prune() == 0  # old, but not acknowledged
    assert [event["seq"] for event in store.recent("b1")] == [6, 5, 4]
    assert store.verify() == []
    store.close()


# ---------------------------------------------------------------- photos


def test_photos_without_an_event_are_collected_and_missing_ones_reported(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    orphan, kept, lost = (store.stage_evidence(name) for name in (b"orphan", b"kept", b"lost"))
    with store.transaction("b1") as tx:
        event = tx.event("passage", {})
        tx.evidence(event.event_id, kept)
        tx.evidence(event.event_id, lost)
    store.close()
    (tmp_path / "evidence" / lost.path).unlink()
    store = open_store(tmp_path)
    assert store.findings == [f"photo {lost.id} is missing on disk"]
    assert store.evidence_path(lost.id) is None
    path = store.evidence_path(kept.id)
    assert path is not None
    assert path.read_bytes() == b"kept"
    assert not (tmp_path / "evidence" / orphan.path).exists()
    store.close()


def test_over_the_budget_the_oldest_sent_photo_goes_first_and_events_stay(tmp_path: Path) -> None:
    store = open_store(tmp_path, evidence_budget_mb=1)
    photos = [store.stage_evidence(bytes(400_000)) for _ in range(4)]
    for photo in photos:
        with store.transaction("b1") as tx:
            tx.event("passage", {}, photos=[photo])
    store.evidence_sent(photos[2].id)
    store.prune()
    assert [store.evidence_path(photo.id) is not None for photo in photos] == [False, True, False, True]
    assert store.unacknowledged("b1").waiting == 5, "and an alarm that names the one which nobody else had"
    lost = store.recent("b1")[0]["body"]
    assert (lost["code"], [one["sha256"] for one in lost["photos"]]) == ("photos_lost", [photos[0].sha256])
    store.close()


# ---------------------------------------------------------------- verify, export


@pytest.mark.parametrize(
    ("sql", "seq"),
    [
        ("UPDATE event SET payload = CAST(replace(CAST(payload AS TEXT), '\"number\":4', '\"number\":5') AS BLOB)", 5),
        ("DELETE FROM event WHERE seq = 3", 3),
        ("DELETE FROM event WHERE seq = 8", 8),
        ("DELETE FROM event", 1),
        ("UPDATE event SET kind = 'alarm' WHERE seq = 6", 6),
        ("UPDATE event SET event_id = 'x' WHERE seq = 2", 2),
        ("UPDATE event SET seq = CASE seq WHEN 4 THEN 1004 WHEN 5 THEN 4 ELSE seq END WHERE seq IN (4, 5)", 4),
        ("UPDATE lane SET last_hash = 'x'", 9),
        ("UPDATE lane SET pruned_hash = 'x'", 1),
    ],
)
def test_verify_names_the_first_row_that_does_not_hold(tmp_path: Path, sql: str, seq: int) -> None:
    store = open_store(tmp_path)
    record(store, 8)
    store.close()
    assert verify_folder(tmp_path, SITE) == []
    connection = database(tmp_path)
    connection.execute(sql)
    connection.close()
    faults = verify_folder(tmp_path, SITE)
    assert [(fault.lane, fault.seq) for fault in faults] == [("b1", seq)]


def test_export_gives_every_event_as_it_was_signed(store: Store, tmp_path: Path) -> None:
    record(store, 3)
    record(store, 2, "b2")
    with (tmp_path / "out.jsonl").open("w") as out:
        assert export_jsonl(tmp_path / "gate", out) == 5
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [(row["lane"], row["seq"]) for row in rows] == [("b1", 1), ("b1", 2), ("b1", 3), ("b2", 1), ("b2", 2)]
    with (tmp_path / "out.csv").open("w") as table:
        assert export_csv(tmp_path / "gate", table) == 5
    assert (tmp_path / "out.csv").read_text().splitlines()[0].startswith("lane,seq,kind,event_id")


def test_an_empty_folder_is_not_an_empty_record(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no record at"):
        verify_folder(tmp_path, SITE)


def test_the_signing_key_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    record(store, 1)
    pem = (tmp_path / "keys" / "gate.pem").read_bytes()
    store.close()
    open_store(tmp_path).close()
    assert (tmp_path / "keys" / "gate.pem").read_bytes() == pem
    assert (tmp_path / "keys" / "gate.pem").stat().st_mode & 0o777 == 0o600
    (tmp_path / "keys" / "gate.pem").write_text("scratched")
    with pytest.raises(StoreError, match="is not a key"):
        open_store(tmp_path)


# ---------------------------------------------------------------- the copy


def test_versions_only_move_forward(store: Store) -> None:
    assert store.put_declaration("CKS-1", payload(version=2))
    assert not store.put_declaration("CKS-1", payload(version=2))
    for bad, why in [
        (payload(version=1), "older than 2"),
        (payload(version=2, procedure="IM-IN"), "another content"),
        (payload("CKS-2", 3), "does not match the topic's"),
        (b'{"id": "CKS-1"', "no JSON"),
        (b"\xff\xfe", "no JSON"),
    ]:
        with pytest.raises(BadMessageError, match=why):
            store.put_declaration("CKS-1", bad)
        here = store.declaration("CKS-1")
        assert here is not None
        assert (here.version, here.procedure) == (2, "EX-IN")
    assert store.put_declaration("CKS-1", payload(version=3))


def test_a_removed_declaration_does_not_come_back_with_an_old_version(store: Store) -> None:
    store.put_declaration("CKS-1", payload(version=4))
    assert store.put_declaration("CKS-1", b"")
    assert not store.put_declaration("CKS-1", b"")
    assert store.declaration("CKS-1") is None
    assert store.declarations_for_plate("12C12345") == []
    for version in (3, 4):
        with pytest.raises(BadMessageError, match="version"):
            store.put_declaration("CKS-1", payload(version=version))
    assert store.put_declaration("CKS-1", payload(version=5))
    assert len(store.declarations_for_plate("12C-123.45")) == 1


def test_an_unknown_procedure_is_refused(store: Store) -> None:
    with pytest.raises(BadMessageError, match="procedure"):
        store.put_declaration("CKS-1", payload(procedure="XX"), lambda name: name == "EX-IN")
    assert store.declaration("CKS-1") is None


def test_plates_are_matched_whole_and_the_newest_active_comes_first(store: Store) -> None:
    store.put_declaration("OLD", payload("OLD", declared_at="2026-11-18T08:00:00+07:00"))
    store.put_declaration("NEW", payload("NEW", declared_at="2026-11-19T08:00:00+07:00"))
    store.put_declaration("GONE", payload("GONE", state="withdrawn", declared_at="2026-11-20T08:00:00+07:00"))
    assert [one.id for one in store.declarations_for_plate("12c 123.45")] == ["NEW", "OLD", "GONE"]
    assert store.declarations_for_plate("12C1234") == []
    store.put_declaration(
        "NEW", payload("NEW", 2, vehicles=[{"role": "vehicle", "plate": "34C-000.01", "country": "VN"}])
    )
    assert [one.id for one in store.declarations_for_plate("12C12345")] == ["OLD", "GONE"]


def test_own_confirmations_lie_over_the_copy_until_it_carries_them(store: Store) -> None:
    with store.transaction("b1") as tx:
        tx.confirmation("CKS-1", GIVEN)
    store.put_declaration("CKS-1", payload(version=1))
    carried = [{"step": "b1_out", "authority": "BG", "act": "pass", "at": GIVEN.at, "by": GIVEN.by, "via": "gate"}]
    for version, confirmations in [(2, []), (3, carried), (4, carried)]:
        store.put_declaration("CKS-1", payload(version=version, confirmations=confirmations))
        here = store.declaration("CKS-1")
        assert here is not None
        assert here.confirmations == (GIVEN,)
    assert counts(store)[3] == 0


def test_the_watch_list_is_replaced_whole(store: Store) -> None:
    assert store.put_watchlist(json.dumps({"plates": [{"plate": "29A-999.99", "reason": "hold"}]}).encode())
    assert store.watch("29a99999") == "hold"
    with pytest.raises(BadMessageError):
        store.put_watchlist(b"{}")
    assert store.watch("29A99999") == "hold"
    assert store.put_watchlist(b"[]")
    assert store.watch("29A99999") is None


def test_a_declaration_that_a_whole_subscribe_no_longer_shows_was_removed(store: Store) -> None:
    for name in ("A", "B"):
        store.put_declaration(name, payload(name))
    store.begin_copy()
    store.put_declaration("A", payload("A"))
    with pytest.raises(BadMessageError):
        store.put_declaration("B", b"unreadable, but there")
    store.put_watchlist(b"[]")
    assert store.mark_copy_complete() == 0
    store.begin_copy()
    store.put_declaration("A", payload("A"))
    store.put_watchlist(b"[]")
    assert store.mark_copy_complete() == 1
    assert store.declaration("B") is None
    assert store.put_declaration("B", payload("B"))
    assert store.declaration("B") is not None


def test_a_broker_that_forgot_everything_proves_nothing(store: Store) -> None:
    store.begin_copy()
    store.put_declaration("A", payload("A"))
    store.mark_copy_complete()
    seen = store.copy_seen_at()
    store.begin_copy()
    assert store.mark_copy_complete() is None
    assert store.declaration("A") is not None
    assert store.copy_seen_at() == seen


def test_the_age_of_the_copy_does_not_follow_the_wall_clock(tmp_path: Path) -> None:
    wall_ms, mono_ns = [1_800_000_000_000], [5_000_000_000]
    clocks = Clocks(wall_ms=lambda: wall_ms[0], mono_ns=lambda: mono_ns[0], boot_id="one")
    store = open_store(tmp_path, clocks=clocks)
    assert store.copy_age_s() is None
    store.begin_copy()
    store.mark_copy_complete()
    mono_ns[0] += 90 * 10**9
    wall_ms[0] -= 86_400_000
    assert store.copy_age_s() == 90.0
    store.close()
    wall_ms[0] += 86_400_000 + 200_000
    store = open_store(tmp_path, clocks=Clocks(wall_ms=lambda: wall_ms[0], mono_ns=lambda: 0, boot_id="two"))
    assert store.copy_age_s() == 200.0
    store.close()


def test_what_is_set_aside_is_counted_and_bounded(store: Store) -> None:
    for number in range(5):
        store.set_aside("topic\x00", bytes(10_000), f"why {number}")
    assert store.set_aside_count() == 5
    rows = store._reader.execute("SELECT topic, why, size, length(payload) FROM set_aside").fetchall()
    assert rows[0] == ("topic\ufffd", "why 0", 10_000, 4096)
    assert declaration()["id"] == "CKS-1"


def test_a_confirmation_given_again_replaces_the_one_that_came_too_early(store: Store) -> None:
    store.put_declaration("CKS-1", payload())
    times = ("2026-11-20T09:00:00+07:00", "2026-11-20T10:00:00+07:00")
    for at in times:
        with store.transaction("b1") as tx:
            tx.confirmation("CKS-1", replace(GIVEN, at=at))
    known = store.declaration("CKS-1")
    assert known is not None
    own = [one for one in known.confirmations if (one.step, one.authority, one.act) == (GIVEN.step, "BG", GIVEN.act)]
    assert [one.at for one in own] == [times[1]]


def test_the_log_that_grew_gives_its_room_back(tmp_path: Path) -> None:
    """A reader who stays keeps the log growing; once it is gone and the log is in the database, the file shrinks."""
    store = open_store(tmp_path)
    reader = database(tmp_path)
    wal = tmp_path / "barie.db-wal"
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM event").fetchone()
    while wal.stat().st_size <= 2 * db.WAL_KEPT_BYTES:
        with store.transaction("b1") as tx:
            tx.event("passage", {"words": "x" * 60_000})
    reader.close()
    db.checkpoint(tmp_path / "barie.db")
    record(store, 1)
    assert wal.stat().st_size <= db.WAL_KEPT_BYTES
    store.close()
