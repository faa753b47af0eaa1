"""Two histories of one lane: an older copy put back, a twin, keys without their record. Nothing of the overlap counts
as acknowledged, nothing is deleted, and somebody is told."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from edge.errors import BadMessageError
from edge.store import Store, fork
from edge.uplink.central_store import CentralStore, read_event
from tests.record.world import Centre, open_store, record, uplink
from tests.uplink.brokers import Mosquitto, mosquitto, until

__all__ = ["mosquitto"]


class Consumer:
    """The stand-in's own store, fed by hand: rules 1 to 12 without a broker between."""

    def __init__(self, path: Path) -> None:
        self.store = CentralStore(path)

    def meet(self, gate: Store, lane: str = "b1") -> None:
        """What a session does, until the gate has nothing more to send."""
        for _ in range(8):
            events = gate.pending(lane, 0, 10_000)
            with self.store.commit():
                self.store.take([(read_event(one.payload), one.payload) for one in events])
                progress = self.store.advance(lane)
            if gate.fits(lane, progress.acked, progress.hash):
                gate.acknowledge(lane, progress.acked)
                if not gate.pending(lane, 0, 1):
                    return
            else:
                gate.forked(lane, progress.acked, progress.hash)
        pytest.fail("gate and centre never came together")

    def known(self) -> set[str]:
        """Ids of every event that is here, on its own or whole inside another."""
        found = set()
        for (payload,) in self.store._db.execute("SELECT payload FROM event"):
            event = json.loads(payload)
            while True:
                found.add(event["event_id"])
                if event["body"].get("code") != fork.AGAIN:
                    break
                event = event["body"]["was"]
        return found


def own(store: Store, count: int) -> list[str]:
    made = []
    for number in range(count):
        with store.transaction("b1") as tx:
            made.append(tx.event("passage", {"number": number}).event_id)
    return made


def codes(store: Store) -> list[Any]:
    return [one["body"].get("code") for one in store.recent("b1", 5_000) if one["kind"] == "alarm"]


def test_a_folder_put_back_loses_nothing_and_takes_no_number_twice(tmp_path: Path) -> None:
    gate, centre = open_store(tmp_path / "gate", keep_acknowledged_s=86_400), Consumer(tmp_path / "central.db")
    own(gate, 60)
    centre.meet(gate)
    gate.close()
    shutil.copytree(tmp_path / "gate", tmp_path / "copy")
    gate = open_store(tmp_path / "gate", keep_acknowledged_s=86_400)
    own(gate, 40)
    centre.meet(gate)
    gate.close()
    back = open_store(tmp_path / "copy", keep_acknowledged_s=86_400)
    made = own(back, 73)  # past the centre's 100: the plain number would have been taken
    centre.meet(back)
    assert set(made) <= centre.known()
    assert codes(back).count(fork.FORKED) == 1
    assert back.troubles == {"b1/record_forked": "record_forked"}
    assert back.unacknowledged("b1").waiting == 0
    assert back.verify() == []
    own(back, 3)
    centre.meet(back)
    assert codes(back).count(fork.FORKED) == 1, "told once"
    back.close()


def test_an_acknowledgement_that_does_not_fit_acknowledges_nothing(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    made = own(store, 5)
    assert not store.fits("b1", 3, "0" * 64)
    assert not store.fits("b1", 9, None), "above our last"
    assert store.fits("b1", 3, None), "an older centre says no hash"
    with pytest.raises(BadMessageError):
        store.fits("b1", 1 << 60, None)
    jumped = store.forked("b1", 9, "0" * 64)
    again = [json.loads(one.payload) for one in store.pending("b1", 0, 100)]
    assert again[0]["seq"] == jumped + 1
    assert again[0]["body"]["centre_seq"] == 9
    assert [one["body"]["was"]["event_id"] for one in again[1:]] == made
    assert store.verify() == []
    with store.transaction("b1") as tx:
        assert tx.permit_serial() > fork.JUMP
    store.close()


def test_an_overlap_that_a_crash_interrupted_is_recorded_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(tmp_path)
    made = own(store, 120)
    with monkeypatch.context() as patched:
        patched.setattr(Store, "_record_overlap", lambda self, lane: None)
        store.forked("b1", 500, "0" * 64)
    store.close()
    again = open_store(tmp_path)
    was = [json.loads(one.payload)["body"].get("was", {}).get("event_id") for one in again.pending("b1", 0, 1000)]
    assert [one for one in was if one] == made
    again.close()


def test_a_record_that_is_gone_is_told_and_deletes_no_photo(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    photo = store.stage_evidence(b"jpeg")
    with store.transaction("b1") as tx:
        tx.event("passage", {}, photos=[photo])
    store.close()
    for part in (*tmp_path.glob("barie.db*"), tmp_path / "counters"):
        part.unlink()
    store = open_store(tmp_path)
    assert codes(store) == ["record_gone"]
    assert store.troubles == {"record": "record_gone"}
    assert [path.read_bytes() for path in tmp_path.glob("damaged/*/evidence/*/*.jpg")] == [b"jpeg"]
    store.close()


def test_counters_that_are_gone_are_told_once_and_cost_nothing(tmp_path: Path) -> None:
    store = open_store(tmp_path, keep_acknowledged_s=86_400)
    made = own(store, 5)
    store.close()
    (tmp_path / "counters").unlink()
    store = open_store(tmp_path, keep_acknowledged_s=86_400)
    assert store.troubles == {"record": "record_counters_gone"}
    assert codes(store) == ["record_counters_gone"]
    assert [one["event_id"] for one in reversed(store.recent("b1"))][:5] == made
    assert store.verify() == []
    store.close()
    store = open_store(tmp_path, keep_acknowledged_s=86_400)
    assert (store.troubles, len(codes(store))) == ({}, 1)
    store.close()


def test_a_first_start_tells_of_nothing(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    assert (codes(store), store.troubles, store.findings) == ([], {}, [])
    store.close()


def test_a_photo_that_nothing_names_goes_aside(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    photo = store.stage_evidence(b"jpeg")
    store.close()
    open_store(tmp_path).close()
    assert (tmp_path / "orphans" / photo.path).read_bytes() == b"jpeg"


@pytest.mark.parametrize("seed", range(4))
def test_whatever_copies_are_put_back_the_centre_has_every_event(tmp_path: Path, seed: int) -> None:
    """Snapshots put back, clones beside, counters or the whole record gone."""
    chance = random.Random(seed)  # noqa: S311 - seeded on purpose
    centre, folder, made = Consumer(tmp_path / "central.db"), tmp_path / "gate", list[str]()
    for turn in range(8):
        gate = open_store(folder, keep_acknowledged_s=86_400)
        made += own(gate, chance.randrange(1, 30))
        if chance.random() < 0.7:
            centre.meet(gate)
        gate.close()
        if turn == 2:
            shutil.copytree(folder, tmp_path / "copy")
        elif turn > 2 and chance.random() < 0.6:
            lost = open_store(folder, keep_acknowledged_s=86_400)
            centre.meet(lost)  # what only the lost folder had is nobody's fault here: it was with the centre
            lost.close()
            shutil.rmtree(folder)
            shutil.copytree(tmp_path / "copy", folder)
            if chance.random() < 0.3:
                (folder / "counters").unlink()
    gate = open_store(folder, keep_acknowledged_s=86_400)
    made += own(gate, 2)
    centre.meet(gate)
    assert set(made) <= centre.known()
    assert gate.verify() == []
    gate.close()


@pytest.mark.broker
def test_over_a_real_broker_the_copy_put_back_is_found_and_everything_arrives(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    centre, store = Centre(mosquitto.port, tmp_path), open_store(tmp_path / "gate")
    record(store, 5)
    store.close()
    shutil.copytree(tmp_path / "gate", tmp_path / "copy")
    for folder, count in (("gate", 20), ("copy", 8)):
        store = open_store(tmp_path / folder, keep_acknowledged_s=3600)
        record(store, count)
        link = uplink(store, mosquitto.port)
        link.start()
        until(lambda s=store: s.unacknowledged("b1").waiting == 0, f"{folder}: all acknowledged")  # type: ignore[misc]
        link.stop()
        assert (store.troubles != {}) == (folder == "copy")
        if folder == "copy":
            known = {one["event_id"] for one in store.recent("b1", 100) if one["kind"] == "passage"}
            payloads = b"".join(row[0] for row in centre._rows("SELECT payload FROM event"))
            assert all(one.encode() in payloads for one in known)
        store.close()
    centre.stop()
