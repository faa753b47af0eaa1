"""The contract for the centre: schemas against real messages, and the conformance kit against a consumer that keeps it
and against ones that do not."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from jsonschema import Draft202012Validator

from edge import wire
from edge.core.record.events import KINDS
from edge.errors import BadMessageError
from edge.uplink.central_store import CentralStore
from edge.uplink.conformance import check
from edge.uplink.connection import Link, LinkSettings
from edge.uplink.mailbox import Arrived, Connected, Mailbox
from edge.uplink.topics import Topics
from scripts import contract
from tests.harness.bench import store as bench_store
from tests.record.world import GIVEN, SITE, Centre, declaration, open_store, uplink
from tests.uplink.brokers import Mosquitto, Stopper, mosquitto, until
from tests.uplink.test_uplink_session import Watcher

__all__ = ["mosquitto"]

DOCS = Path(__file__).parents[2] / "docs"


def schema(name: str) -> dict[str, Any]:
    content = json.loads((DOCS / "schemas" / f"{name}.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(content)
    return dict(content)


def fits(name: str, payload: bytes) -> bool:
    return bool(Draft202012Validator(schema(name)).is_valid(json.loads(payload)))


# ---------------------------------------------------------------- the documents


def references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if "$ref" in node else []
        return own + [one for value in node.values() for one in references(value)]
    return [one for value in node for one in references(value)] if isinstance(node, list) else []


def test_asyncapi_names_every_topic_and_every_reference_leads_somewhere() -> None:
    document = yaml.safe_load((DOCS / "asyncapi.yaml").read_text(encoding="utf-8"))
    assert document["asyncapi"] == "3.1.0"
    topics, lane = Topics("{site}"), "{lane}"
    ours = {topics.declaration("{id}"), topics.watchlist, topics.command(lane), topics.ack(lane)}
    ours |= {topics.event(lane), topics.evidence(lane, "{event_id}"), topics.status(lane)}
    ours |= {topics.centre, topics.evidence_ack(lane), topics.peer(lane, "{id}")}
    ours |= {topics.watchlist_pieces.replace("+", "{piece}"), topics.refused(lane)}
    assert {channel["address"] for channel in document["channels"].values()} == ours
    for reference in references(document):
        if reference.startswith("#/"):
            node = document
            for part in reference[2:].split("/"):
                node = node[part]
        else:
            assert (DOCS / reference).is_file(), reference


def test_every_message_has_an_example_that_fits_its_schema_and_every_operation_says_how() -> None:
    document = yaml.safe_load((DOCS / "asyncapi.yaml").read_text(encoding="utf-8"))
    for name, message in document["components"]["messages"].items():
        if message.get("contentType") == "image/jpeg":
            continue
        file = message["payload"]["$ref"].removeprefix("schemas/").removesuffix(".schema.json")
        for example in message["examples"]:
            assert Draft202012Validator(schema(file)).is_valid(example["payload"]), name
    assert all(one["bindings"]["mqtt"]["qos"] == 1 for one in document["operations"].values())
    will = document["servers"]["broker"]["bindings"]["mqtt"]["lastWill"]
    assert fits("status", will["message"].encode())


def test_schemas_and_examples_of_every_kind_and_stage_are_what_the_gate_writes() -> None:
    """Written by scripts/contract; run it where this fails, and say in docs/contract-changes.md what changed."""
    assert contract.SCHEMAS.read_text(encoding="utf-8") == contract.schemas()
    assert contract.EXAMPLES.read_text(encoding="utf-8") == contract.examples()
    whole = json.loads(contract.schemas())
    Draft202012Validator.check_schema(whole)
    shown = set()
    for line in contract.examples().splitlines():
        row = json.loads(line)
        Draft202012Validator({**whole, "$ref": f"#/$defs/{row['name']}"}).validate(row["body"])
        shown.add(row["name"])
    assert shown == set(contract.names()) == set(whole["$defs"]) - {"photo"}
    assert len(shown) > 46


def test_the_event_schema_knows_the_kinds_that_the_gate_writes() -> None:
    assert set(schema("event")["properties"]["kind"]["enum"]) == KINDS


# ---------------------------------------------------------------- real messages


@pytest.mark.broker
def test_what_gate_and_centre_really_say_fits_the_schemas(mosquitto: Mosquitto, tmp_path: Path) -> None:
    folder = tmp_path / "declarations"
    folder.mkdir()
    (folder / "one.json").write_text(json.dumps(declaration()))
    (folder / "two.json").write_bytes(bench_store.declaration(2))
    watcher = Watcher(mosquitto.port)
    centre = Centre(mosquitto.port, tmp_path, folder)
    store = open_store(tmp_path / "gate", lanes=("b1", "b2"))
    link = uplink(store, mosquitto.port)
    link.start()
    photo = store.stage_evidence(b"\xff\xd8\xff\xd9")
    with store.transaction("b1") as tx:
        given = {"step": "b1_out", "authority": "BG", "act": "pass", "at": GIVEN.at, "by": GIVEN.by, "via": "gate"}
        body = {"declaration": "CKS-1", "confirmation": given}
        tx.event("confirmation", body, captured_at=GIVEN.at, photos=[photo])
        tx.confirmation("CKS-1", GIVEN)
    link.wake()
    until(lambda: store.unacknowledged("b1").waiting == 0, "acknowledged")
    until(lambda: len(topics_of(watcher, "declaration")) >= 3, "the next version is published")
    until(lambda: bool(topics_of(watcher, "evidence_ack")), "the photo is acknowledged")
    link.stop()
    until(lambda: b'"online": false' in b"".join(topics_of(watcher, "status")), "offline is told")
    centre.stop()
    store.close()
    for name in ("declaration", "watchlist", "ack", "event", "status", "centre", "evidence_ack"):
        said = topics_of(watcher, name)
        assert said, name
        assert [payload for payload in said if payload and not fits(name, payload)] == [], name


def topics_of(watcher: Watcher, kind: str) -> list[bytes]:
    parts = [(one, Topics(SITE).parse(one.topic)[0]) for one in watcher.pull()]
    return [one.payload for one, what in parts if what == kind]


WORD = {"online": True, "at": "2026-11-20T09:10:00+07:00", "instance": "a"}
COMMAND = {"id": "c-1", "issued_at": datetime.now(UTC).isoformat(), "action": "open", "by": "HQ-1", "reason": "late"}


@pytest.mark.parametrize(
    ("name", "parse", "good", "bad"),
    [
        ("declaration", wire.parse_declaration, declaration(), {"version": 0}),
        ("declaration", wire.parse_declaration, declaration(), {"vehicles": []}),
        ("declaration", wire.parse_declaration, declaration(), {"state": "open"}),
        ("declaration", wire.parse_declaration, declaration(), {"declared_at": "2026-11-20 08:00"}),
        ("declaration", wire.parse_declaration, declaration(), {"requires": {"fee": "yes"}}),
        ("command", wire.parse_command, COMMAND, {"action": "close"}),
        ("command", wire.parse_command, COMMAND, {"issued_at": "2026-11-20T08:00:00"}),
        ("ack", wire.parse_ack, {"seq": 3}, {"seq": -1}),
        ("ack", wire.parse_ack, {"seq": 3}, {"seq": "3"}),
        ("centre", wire.parse_centre, WORD, {"online": "yes"}),
        ("centre", wire.parse_centre, WORD, {"at": 3}),
        ("evidence_ack", wire.parse_evidence_ack, {"sha256": ["0" * 64]}, {"sha256": ["x"]}),
        ("evidence_ack", wire.parse_evidence_ack, {"want": ["an-event"]}, {"want": "an-event"}),
        (
            "watchlist",
            wire.parse_watchlist,
            {"plates": [{"plate": "29A1", "reason": "r"}]},
            {"plates": [{"plate": ""}]},
        ),
    ],
)
def test_the_schemas_and_the_gate_refuse_the_same(
    name: str, parse: Callable[[bytes], Any], good: dict[str, Any], bad: dict[str, Any]
) -> None:
    right, wrong = json.dumps(good).encode(), json.dumps({**good, **bad}).encode()
    parse(right)
    assert fits(name, right)
    assert not fits(name, wrong)
    with pytest.raises(BadMessageError):
        parse(wrong)


# ---------------------------------------------------------------- the conformance kit


def settings(port: int) -> LinkSettings:
    return LinkSettings("127.0.0.1", port, "conformance-{random}")


@pytest.mark.broker
def test_the_stand_in_passes_every_check(mosquitto: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.uplink.conformance.SETTLE_S", 0.3)
    centres = [Centre(mosquitto.port, tmp_path)]
    until(lambda: bool(centres[0].said("connected")), "centre connected")

    def restart() -> None:
        centres[-1].stop()
        centres.append(Centre(mosquitto.port, tmp_path))

    results = list(check(settings(mosquitto.port), SITE, restart=restart))
    assert [one for one in results if not one.ok] == []
    assert len(results) > 20
    centres[-1].stop()


@pytest.mark.broker
def test_a_consumer_that_says_no_hash_and_hears_no_refusal_is_found(
    mosquitto: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.uplink.conformance.SETTLE_S", 0.3)
    advance = CentralStore.advance
    monkeypatch.setattr(CentralStore, "advance", lambda self, lane: replace(advance(self, lane), hash=None))
    subscribe = Link.subscribe
    monkeypatch.setattr(
        Link, "subscribe", lambda self, topics: subscribe(self, [one for one in topics if "refused" not in one[0]])
    )
    centre = Centre(mosquitto.port, tmp_path)
    until(lambda: bool(centre.said("connected")), "centre connected")
    failed = [one.name for one in check(settings(mosquitto.port), SITE) if not one.ok]
    assert [name.partition(" (")[0] for name in failed] == [
        "each acknowledgement carries the hash of its event",
        "its acknowledgements carry the hashes of these",
        "what a gate refused is heard",
    ]
    centre.stop()


@pytest.mark.broker
@pytest.mark.parametrize(
    ("answer", "fails"),
    [
        (max, "no acknowledgement over a gap"),
        (lambda seqs: len(seqs) if len(seqs) <= 20 else 20, "no acknowledgement over a gap"),
        (lambda seqs: len(set(seqs)), "no acknowledgement over a gap"),
        (len, "repeats change nothing"),
    ],
    ids=["the highest", "stops", "counts", "counts repeats"],
)
def test_a_consumer_that_breaks_the_contract_is_found(
    mosquitto: Mosquitto, answer: Callable[[list[int]], int], fails: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.uplink.conformance.ANSWER_S", 1.0)
    monkeypatch.setattr("edge.uplink.conformance.SETTLE_S", 0.3)
    ready = threading.Event()

    def consume(stop: threading.Event) -> None:
        mailbox = Mailbox()
        seqs: list[int] = []
        link = Link(settings(mosquitto.port), "5", mailbox)
        link.open()
        while not stop.is_set():
            letter = mailbox.take(0.1)
            if isinstance(letter, Connected):
                link.subscribe([(f"ckso/v1/{SITE}/+/event", False)])
                ready.set()
            if isinstance(letter, Arrived):
                link.done(letter)
                try:
                    event = json.loads(letter.payload)
                except ValueError:
                    continue
                seqs.append(event["seq"])
                link.publish(Topics(SITE).ack(event["lane"]), json.dumps({"seq": answer(seqs)}).encode())
        link.close()

    consumer = Stopper(consume)
    until(ready.is_set, "the consumer listens")
    failed = next(one for one in check(settings(mosquitto.port), SITE) if not one.ok)
    assert failed.name == fails
    consumer.stop()
