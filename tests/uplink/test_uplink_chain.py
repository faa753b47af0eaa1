"""Gate's store, uplink, a real broker and the centre, together: nothing lost, nothing twice, whatever dies."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.record.world import GIVEN, Centre, declaration, open_store, record, uplink
from tests.uplink.brokers import Broker, Mosquitto, broker, mosquitto, until

__all__ = ["broker", "mosquitto"]
pytestmark = pytest.mark.broker


def test_events_made_offline_drain_in_order_and_leave_the_gate(broker: Broker, tmp_path: Path) -> None:
    store = open_store(tmp_path / "gate")
    record(store, 300)
    centre = Centre(broker.port, tmp_path)
    until(lambda: bool(centre.said("connected")), "centre connected")
    link = uplink(store, broker.port)
    link.start()
    until(lambda: store.unacknowledged("b1").waiting == 0, "all acknowledged")
    assert centre.seqs() == list(range(1, 301))
    assert store.pending("b1", 0, 10) == []
    assert store.recent("b1") == []
    assert store.verify() == []
    with store.transaction("b1") as tx:
        tx.event("passage", {})
    link.wake()
    until(lambda: centre.whole("b1", 301), "the next event follows")
    link.stop()
    centre.stop()
    store.close()


def test_a_new_gate_is_current_after_one_subscribe(broker: Broker, tmp_path: Path) -> None:
    folder = tmp_path / "declarations"
    folder.mkdir()
    for number in range(50):
        (folder / f"{number}.json").write_text(json.dumps(declaration(f"CKS-{number}")))
    (folder / "watchlist.json").write_text(json.dumps({"plates": [{"plate": "29A-999.99", "reason": "customs hold"}]}))
    centre = Centre(broker.port, tmp_path, folder)
    until(lambda: bool(centre.said("connected")), "centre connected")
    store = open_store(tmp_path / "gate")
    link = uplink(store, broker.port)
    link.start()
    until(lambda: store.copy_seen_at() is not None, "copy complete")
    until(lambda: len(store.declarations_for_plate("12C12345")) == 50, "all declarations here")
    assert store.watch("29A99999") == "customs hold"
    (folder / "7.json").write_text(json.dumps(declaration("CKS-7", 5, state="withdrawn")))
    (folder / "8.json").unlink()
    until(lambda: (one := store.declaration("CKS-7")) is not None and one.state == "withdrawn", "a change arrives")
    until(lambda: store.declaration("CKS-8") is None, "a removal arrives")
    link.stop()
    centre.stop()
    store.close()


def test_a_confirmation_comes_back_in_the_next_version(broker: Broker, tmp_path: Path) -> None:
    folder = tmp_path / "declarations"
    folder.mkdir()
    (folder / "one.json").write_text(json.dumps(declaration()))
    centre = Centre(broker.port, tmp_path, folder)
    store = open_store(tmp_path / "gate")
    link = uplink(store, broker.port)
    link.start()
    until(lambda: store.declaration("CKS-1") is not None, "declaration here")
    with store.transaction("b1") as tx:
        given = {"step": "b1_out", "authority": "BG", "act": "pass", "at": GIVEN.at, "by": GIVEN.by, "via": "gate"}
        tx.event("confirmation", {"declaration": "CKS-1", "confirmation": given})
        tx.confirmation("CKS-1", GIVEN)
    here = store.declaration("CKS-1")
    assert here is not None
    assert (here.version, here.confirmations) == (1, (GIVEN,))
    link.wake()
    until(lambda: (one := store.declaration("CKS-1")) is not None and one.version == 2, "the next version arrives")
    back = store.declaration("CKS-1")
    assert back is not None
    assert back.confirmations == (GIVEN,)
    link.stop()
    centre.stop()
    store.close()


@pytest.mark.parametrize("wipe", [False, True], ids=["killed", "killed and wiped"])
def test_a_killed_broker_loses_nothing(mosquitto: Mosquitto, tmp_path: Path, wipe: bool) -> None:
    store = open_store(tmp_path / "gate", lanes=("b1", "b2"))
    centre = Centre(mosquitto.port, tmp_path)
    until(lambda: bool(centre.said("connected")), "centre connected")
    link = uplink(store, mosquitto.port)
    link.start()
    for _ in range(3):
        record(store, 20, "b1")
        record(store, 20, "b2")
        link.wake()
        mosquitto.kill(wipe=wipe)
        record(store, 10, "b1")
        mosquitto.start()
    until(lambda: store.unacknowledged("b1").waiting + store.unacknowledged("b2").waiting == 0, "all acknowledged")
    assert centre.whole("b1", 90)
    assert centre.whole("b2", 60)
    link.stop()
    centre.stop()
    store.close()


def test_a_centre_that_was_away_gets_everything_once(mosquitto: Mosquitto, tmp_path: Path) -> None:
    store = open_store(tmp_path / "gate")
    record(store, 150)
    link = uplink(store, mosquitto.port)
    link.start()
    until(lambda: link.counters()["published"] > 0, "published to nobody")
    until(lambda: link.counters()["resent"] > 0, "sent again, because nobody acknowledged")
    centre = Centre(mosquitto.port, tmp_path)
    until(lambda: store.unacknowledged("b1").waiting == 0, "all acknowledged")
    assert centre.whole("b1", 150)
    centre.stop()
    record(store, 50)
    link.wake()
    centre = Centre(mosquitto.port, tmp_path)
    until(lambda: store.unacknowledged("b1").waiting == 0, "all acknowledged after a restart")
    assert centre.whole("b1", 200)
    link.stop()
    centre.stop()
    store.close()


def test_repeats_change_nothing_at_the_centre(mosquitto: Mosquitto, tmp_path: Path) -> None:
    """A gate that forgets its acknowledgements sends everything again, under the same ids."""
    gate = tmp_path / "gate"
    store = open_store(gate, keep_acknowledged_s=3600)
    record(store, 40)
    centre = Centre(mosquitto.port, tmp_path)
    link = uplink(store, mosquitto.port)
    link.start()
    until(lambda: store.unacknowledged("b1").waiting == 0, "all acknowledged")
    link.stop()
    store._db.execute("UPDATE lane SET acked_seq = 0")
    link = uplink(store, mosquitto.port)
    link.start()
    until(lambda: store.unacknowledged("b1").waiting == 0, "all acknowledged again")
    link.stop()
    assert centre.whole("b1", 40)
    assert len(centre.said("duplicate")) > 0
    assert not centre.said("conflict")
    centre.stop()
    store.close()


def test_photos_follow_their_events(broker: Broker, tmp_path: Path) -> None:
    store = open_store(tmp_path / "gate")
    centre = Centre(broker.port, tmp_path)
    link = uplink(store, broker.port)
    link.start()
    photo = store.stage_evidence(b"\xff\xd8 a photo \xff\xd9" * 1000)
    with store.transaction("b1") as tx:
        event = tx.event("passage", {}, photos=[photo])
    link.wake()
    until(lambda: bool(centre.said("evidence")), "the photo arrives")
    until(lambda: store.next_evidence("b1") is None, "marked as sent")
    stored = list((tmp_path / "central-evidence").glob("*.jpg"))
    assert [path.read_bytes() for path in stored] == [b"\xff\xd8 a photo \xff\xd9" * 1000]
    assert stored[0].name.startswith(event.event_id)
    link.stop()
    centre.stop()
    store.close()


def test_the_centre_goes_on_behind_events_that_their_gate_declares_lost(mosquitto: Mosquitto, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    store = open_store(gate)
    centre = Centre(mosquitto.port, tmp_path)
    link = uplink(store, mosquitto.port)
    link.start()
    record(store, 5)
    link.wake()
    until(lambda: store.unacknowledged("b1").waiting == 0, "five are with the centre")
    link.stop()
    record(store, 6)
    store.close()
    (gate / "barie.db").write_bytes(b"not a database")
    store = open_store(gate)
    record(store, 2)
    link = uplink(store, mosquitto.port)
    link.start()
    until(lambda: store.unacknowledged("b1").waiting == 0, "all that is left is with the centre")
    # A centre that subscribed in the middle of the first five gets the rest of them again: complete, whatever came
    # first.
    assert sorted(centre.seqs()) == [1, 2, 3, 4, 5, 12, 13, 14]
    assert not centre.said("chain_broken")
    assert not centre.said("conflict")
    link.stop()
    centre.stop()
    store.close()


@pytest.mark.parametrize("keep_s", [3600, 0])
def test_a_centre_that_lost_its_database_gets_what_is_still_here_and_is_told_what_is_not(
    mosquitto: Mosquitto, tmp_path: Path, keep_s: int
) -> None:
    store = open_store(tmp_path / "gate", keep_acknowledged_s=keep_s)
    centre = Centre(mosquitto.port, tmp_path)
    link = uplink(store, mosquitto.port)
    link.start()
    record(store, 40)
    link.wake()
    until(lambda: store.unacknowledged("b1").waiting == 0, "all acknowledged")
    centre.stop()
    for part in tmp_path.glob("central.db*"):
        part.unlink()
    centre = Centre(mosquitto.port, tmp_path)
    record(store, 2)
    link.wake()
    until(lambda: 42 in centre.seqs() and store.unacknowledged("b1").waiting == 0, "the new centre has it", 60.0)
    link.stop()
    alarms = [event["body"] for event in store.recent("b1") if event["kind"] == "alarm"]
    if keep_s:
        assert centre.whole("b1", 42)
        assert alarms == []
    else:
        assert sorted(centre.seqs()) == [41, 42, 43]
        assert centre.said("ack")[-1]["seq"] == 43
    assert not centre.said("chain_broken")
    assert not centre.said("conflict")
    centre.stop()
    store.close()
