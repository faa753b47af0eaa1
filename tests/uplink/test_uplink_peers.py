"""Gates of one site that agree while the centre is gone: B1 knows at once what B2 confirmed, marked as such; nothing
opens by itself on it; after the centre's return nothing contradicts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge import clock
from edge.core.model import PEER, Confirmation
from edge.store import Store
from edge.store.keys import load_or_create_signer
from edge.uplink.topics import Topics
from edge.wire import confirmation_to_json
from tests.lane.world import World, ready
from tests.record.world import SITE, Centre, declaration, payload, uplink
from tests.uplink.brokers import Mosquitto, mosquitto, until
from tests.uplink.test_uplink_session import Watcher

__all__ = ["mosquitto"]
TOPICS = Topics(SITE)


def open_gate(folder: Path, lane: str) -> Store:
    return Store.open(folder, site=SITE, lanes=[lane], signer=load_or_create_signer(folder / "keys"))


def confirm(store: Store, lane: str, declaration_id: str, step: str, act: str = "pass") -> Confirmation:
    given = Confirmation(step, "BG", act, clock.wall_iso(), "BP-0107", "gate")
    with store.transaction(lane) as tx:
        tx.event("confirmation", {"declaration": declaration_id, "confirmation": confirmation_to_json(given)})
        tx.confirmation(declaration_id, given)
    return given


def vias(store: Store, declaration_id: str) -> list[tuple[str, str]]:
    here = store.declaration(declaration_id)
    assert here is not None
    return [(one.step, one.via) for one in here.confirmations]


@pytest.fixture
def gates(tmp_path: Path) -> Iterator[tuple[Store, Store]]:
    with closing(open_gate(tmp_path / "b1", "b1")) as b1, closing(open_gate(tmp_path / "b2", "b2")) as b2:
        yield b1, b2


@pytest.mark.broker
def test_two_barriers_through_a_day_without_the_centre_and_its_return(
    mosquitto: Mosquitto, gates: tuple[Store, Store], tmp_path: Path
) -> None:
    """A simulated day: vehicles in at B2 and out at B1, both gates restarted in the middle, the broker wiped once."""
    b1, b2 = gates
    names = [f"CKS-{number}" for number in range(24)]
    for store in gates:
        for name in names:
            store.put_declaration(name, payload(name))
    links = [uplink(store, mosquitto.port) for store in gates]
    for link in links:
        link.start()
    until(lambda: all(link.state()[0] == "up" for link in links), "connected")
    for number, name in enumerate(names):
        confirm(b2, "b2", name, "b2_in")
        links[1].wake()
        until(lambda name=name: ("b2_in", PEER) in vias(b1, name), "B1 knows it")  # type: ignore[misc]
        if number % 2:
            confirm(b1, "b1", name, "b1_out")
            links[0].wake()
            until(lambda name=name: ("b1_out", PEER) in vias(b2, name), "B2 knows it")  # type: ignore[misc]
        if number in (8, 16):
            store, at = gates[number // 16], number // 16
            links[at].stop()
            if number == 8:
                mosquitto.kill(wipe=True)
                mosquitto.start()
            links[at] = uplink(store, mosquitto.port)
            links[at].start()
    folder = tmp_path / "declarations"
    folder.mkdir()
    for name in names:
        (folder / f"{name}.json").write_text(json.dumps(declaration(name)))
    centre = Centre(mosquitto.port, tmp_path, folder)

    def settled() -> bool:
        return all(store.unacknowledged(lane).waiting == 0 for store, lane in zip(gates, ("b1", "b2"), strict=True))

    until(settled, "every event is with the centre", 60.0)
    until(lambda: not b1.laid() and not b2.laid(), "the centre's versions carry everything", 60.0)
    until(lambda: not b1.notes(PEER) and not b2.notes(PEER), "and the peers' words are gone", 60.0)
    for number, name in enumerate(names):
        expected = [("b1_out", "gate")] * (number % 2) + [("b2_in", "gate")]
        assert sorted(vias(b1, name)) == sorted(vias(b2, name)) == expected, "each once, and the same at both"
    until(lambda: retained(mosquitto.port) == [], "nothing of it stands at the broker any more")
    assert not centre.said("conflict")
    for link in links:
        link.stop()
    centre.stop()


def retained(port: int) -> list[str]:
    """Topics on which some gate's word stands."""
    late = Watcher(port, TOPICS.peers)
    late.link.publish(TOPICS.peer("x", "last"), b"x")
    until(lambda: any(one.topic.endswith("/last") for one in late.pull()), "everything retained was seen")
    late.link.close()
    return [one.topic for one in late.seen if one.retained]


@pytest.mark.broker
def test_a_gate_that_comes_later_hears_what_was_said_and_what_is_no_longer_true_is_cleared(
    mosquitto: Mosquitto, gates: tuple[Store, Store]
) -> None:
    b1, b2 = gates
    for store in gates:
        store.put_declaration("CKS-1", payload())
    link = uplink(b2, mosquitto.port)
    link.start()
    given = confirm(b2, "b2", "CKS-1", "b2_in")
    link.wake()
    watcher = Watcher(mosquitto.port, TOPICS.peers)
    until(lambda: bool(watcher.last(TOPICS.peer("b2", "CKS-1"))), "told")
    link.stop()
    carried = payload(version=2, confirmations=[confirmation_to_json(given)])
    b2.put_declaration("CKS-1", carried)
    late = uplink(b1, mosquitto.port)
    late.start()
    until(lambda: ("b2_in", PEER) in vias(b1, "CKS-1"), "B1 hears what stands there")
    link = uplink(b2, mosquitto.port)
    link.start()
    until(lambda: not b1.notes(PEER), "B2 clears what an earlier connection left")
    link.stop()
    late.stop()
    watcher.link.close()


@pytest.mark.parametrize(
    "bad", [b"{", b'{"declaration": "CKS-2", "confirmations": []}', b'{"declaration": "CKS-1", "confirmations": [{}]}']
)
def test_a_word_that_says_nothing_changes_nothing(gates: tuple[Store, Store], bad: bytes) -> None:
    from edge.errors import BadMessageError

    with pytest.raises(BadMessageError, match="peer"):
        gates[0].put_peer("b2", "CKS-1", bad)
    assert gates[0].notes(PEER) == {}


def said(world: World, name: str, given: list[Confirmation]) -> None:
    body = {"declaration": name, "confirmations": [confirmation_to_json(one) for one in given]}
    world.store.put_peer("b2-in", name, json.dumps(body).encode())


def lacking(world: World, gate: str, **more: Any) -> tuple[str, list[Confirmation]]:
    """A declaration that lacks what another gate of the site gave, and that."""
    whole = ready("EX-IN", gate, **more)
    theirs = [one for one in whole.confirmations if one.step == "b2_in"]
    assert theirs
    kept = tuple(one for one in whole.confirmations if one.step != "b2_in")
    world.declares(replace(whole, confirmations=kept))
    return whole.id, theirs


def test_a_guard_presses_on_a_peers_word_and_is_told_so(tmp_path: Path) -> None:
    with closing(World(tmp_path)) as world:
        name, theirs = lacking(world, "b1_out")
        world.arrives()
        assert world.verdict() == "await"
        said(world, name, theirs)
        world.run(world.copy_changed())
        assert world.verdict() == "ready"
        assert "peer_word" in world.codes()
        assert world.run(world.press("confirm")).done


def test_nothing_opens_by_itself_on_a_peers_word(tmp_path: Path) -> None:
    gate = "yard_out"
    with closing(World(tmp_path, gate)) as world:
        name, theirs = lacking(world, gate)
        said(world, name, theirs)
        world.arrives()
        assert world.verdict() == "release"
        assert "peer_word" in world.codes()
        assert world.barrier.offers == [], "a guard looks first"
        world.store.put_peer("b2-in", name, b"")
        world.declares(replace(ready("EX-IN", gate), version=2))
        world.run(world.copy_changed(), world.tick())
        assert len(world.barrier.offers) == 1, "the platform carries it now"
