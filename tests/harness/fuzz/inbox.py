"""Malformed payloads into the real inbox, through the real session and store: each must be set aside with a reason and
counted; none may stop the inbox or change what is stored. Seeded: the same seed, the same payloads.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import random
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from pathlib import Path
from typing import Any, cast

from edge import wire
from edge.errors import BadMessageError
from edge.store import Store, StoreInbox
from edge.store.db import NAME
from edge.uplink.connection import Link
from edge.uplink.liveness import CentreWatch
from edge.uplink.mailbox import Arrived, Connected, Mailbox, Subscribed
from edge.uplink.parts import Pace, Parts
from edge.uplink.session import Session
from edge.uplink.topics import Topics

SITE, LANE, HELD = "fuzz", "b1", "CKS-HELD"
COUNT = 100_000
_LOOKED_AT = (
    "SELECT id, version, state, payload, received_ms FROM declaration",
    "SELECT * FROM declaration_plate",
    "SELECT DISTINCT entry FROM watch WHERE entry = '29A99999'",
    "SELECT * FROM confirmation",
    "SELECT * FROM lane",
    "SELECT * FROM event",
    "SELECT * FROM action",
)
_PIECES = (
    b"null", b"true", b"-1", b"0", b"1e999", b"NaN", b"[]", b"{}", b'""', b'"\\ud800"', b'"\x00"', b"[" * 3_000,
    b'{"a":' * 3_000, b"9" * 5_000, b"\xff\xfe", b"\xed\xa0\x80", b'"' + b"A" * 3_000 + b'"', b"\xef\xbb\xbf{}", b"\n",
)  # fmt: skip

Draw = random.Random
Message = tuple[str, bytes]
"""(topic, payload)"""


def run(count: int = COUNT, seed: int = 20_261_120) -> dict[str, Any]:
    """`sent`, `set_aside`, `by_reason` (what was being read), `changed` (1 where the record is not what it was)."""
    draw = Draw(seed)
    with tempfile.TemporaryDirectory(prefix="barie-fuzz-") as name, closing(_store(Path(name))) as store:
        before = _digest(Path(name))
        session, mailbox, counted = _session(store)
        for _ in range(count):
            topic, payload = malformed(draw)
            mailbox.put(Arrived(topic, payload, draw.random() < 0.5, 1, 1))
            session.turn()
        result = {"sent": count, "set_aside": store.set_aside_count(), "counted": counted()}
        return {
            **result,
            "changed": int(_digest(Path(name)) != before),
            "by_reason": _reasons(Path(name)),
            "seed": seed,
        }


def _store(folder: Path) -> Store:
    store = Store.open(folder, site=SITE, lanes=[LANE])
    store.put_declaration(HELD, _held())
    store.put_watchlist(b'[{"plate": "29A99999", "reason": "hold"}]')
    with store.transaction(LANE) as tx:
        tx.event("passage", {})
    return store


def _held() -> bytes:
    return json.dumps(_declaration(3)).encode()


def _declaration(version: int, **more: Any) -> dict[str, Any]:
    vehicle = {"role": "tractor", "plate": "12C12345", "country": "VN", "class": "from_18t", "driver": {"name": "N"}}
    at = "2026-11-20T08:00:00+07:00"
    given = {"step": "b1_in", "authority": "A-1", "act": "pass", "at": at, "by": "HQ-1", "via": "platform"}
    head = {"id": HELD, "version": version, "state": "active", "procedure": "P-1", "declared_at": at}
    return {**head, "vehicles": [vehicle], "requires": {"fee": True}, "confirmations": [given], **more}


class _NoLink:
    """A connection that takes everything."""

    def publish(self, topic: str, payload: bytes, *, retain: bool = False, expiry_s: int | None = None) -> int:
        return 0

    def subscribe(self, topics: object) -> None:
        pass

    def done(self, letter: Arrived) -> None:
        pass

    def gathered(self) -> AbstractContextManager[None]:
        return nullcontext()


def _session(store: Store) -> tuple[Session, Mailbox, Callable[[], int]]:
    mailbox = Mailbox()
    inbox = StoreInbox(store, _command)
    parts = Parts(Topics(SITE), store, inbox, lambda lane: {}, mailbox, Pace(status_s=1e9), 20, 1e9, CentreWatch())
    session = Session(cast(Link, _NoLink()), parts, lambda why: None)
    mailbox.put(Connected(""))
    mailbox.put(Subscribed(()))
    session.start(lambda: False)
    return session, mailbox, lambda: parts.counts.set_aside


def _command(lane: str, payload: bytes, retained: bool) -> None:
    wire.parse_command(payload)


# ---------------------------------------------------------------- payloads


def malformed(draw: Draw) -> Message:
    """Something that does not say what it must. What comes out well-formed by chance is drawn again."""
    while True:
        topic, payload = draw.choice(_KINDS)(draw)
        if not _well(topic, payload):
            return topic, payload


def _well(topic: str, payload: bytes) -> bool:
    kind, name = Topics(SITE).parse(topic)
    try:
        match kind:
            case "declaration":
                return not payload or _moves(wire.parse_declaration(payload), name, payload)
            case "watchlist":
                wire.parse_watchlist(payload)
            case "command":
                return name != LANE or bool(wire.parse_command(payload))
            case "ack":
                wire.parse_ack(payload)
                return name == LANE
            case _:
                return kind == "echo" and name == LANE
    except BadMessageError:
        return False
    return True


def _moves(declaration: Any, name: str, payload: bytes) -> bool:
    """A newer version, or the very one that is here: a harmless repeat."""
    return bool(declaration.id == name and (name != HELD or declaration.version > 3 or payload == _held()))


def _old_version(draw: Draw) -> Message:
    """Well-formed, but a step back, another content under the same version, or under another id's topic."""
    version = draw.choice([1, 2, 3])
    changed = _declaration(version, procedure=draw.choice(["P-2", "P-3", "X"]))
    return Topics(SITE).declaration(draw.choice([HELD, "CKS-OTHER"])), json.dumps(changed).encode()


def _noise(draw: Draw) -> Message:
    return _topic(draw), draw.randbytes(draw.randrange(1, 300))


def _piece(draw: Draw) -> Message:
    return _topic(draw), draw.choice(_PIECES)


def _broken(draw: Draw) -> Message:
    """A good payload with bytes changed, cut off, doubled or put in."""
    topic, payload = _good(draw)
    for _ in range(draw.randrange(1, 4)):
        at = draw.randrange(len(payload) + 1)
        to = min(len(payload), at + draw.randrange(1, 20))
        payload = draw.choice(
            [
                payload[:at],
                payload[:at] + payload[to:],
                payload[:at] + payload[at:to] * 2 + payload[to:],
                payload[:at] + draw.choice(_PIECES)[:50] + payload[to:],
                payload[:at] + bytes([draw.randrange(256)]) + payload[at + 1 :],
            ]
        )
    return topic, payload or b"{"


def _wrong_type(draw: Draw) -> Message:
    """A good payload with one value, anywhere in it, replaced by one of another type."""
    topic, payload = _good(draw)
    tree = json.loads(payload)
    places = list(_places(tree))
    holder, key = draw.choice(places)
    holder[key] = draw.choice([None, True, -1, 2**63, 1.5, "", "x\x00", "\ud800", [], {}, [[]], {"a": {}}, "9" * 300])
    return topic, json.dumps(tree).encode()


def _places(tree: Any) -> list[tuple[Any, Any]]:
    pairs = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    return [place for key, value in list(pairs) for place in [(tree, key), *_places(value)]]


def _good(draw: Draw) -> Message:
    topics = Topics(SITE)
    command = {"id": "c", "issued_at": "2026-11-20T08:00:00+07:00", "action": "open", "by": "HQ-1", "reason": "r"}
    good: tuple[tuple[str, Any], ...] = (
        (topics.declaration(HELD), _declaration(draw.randrange(1, 9))),
        (topics.watchlist, {"plates": [{"plate": "29A1", "reason": "r"}]}),
        (topics.command(LANE), command),
        (topics.ack("b8"), {"seq": 2}),
    )
    topic, value = draw.choice(good)
    return topic, json.dumps(value).encode()


def _topic(draw: Draw) -> str:
    topics = Topics(SITE)
    known = (
        topics.declaration(HELD),
        topics.declaration("x"),
        topics.watchlist,
        topics.command(LANE),
        topics.ack(LANE),
    )
    odd = (topics.ack("b9"), f"{topics.root}/a/b/c/d", topics.status(LANE), "", "ckso/v1/other/b1/ack", "\ud800")
    return draw.choice((*known, *known, *odd))


_KINDS: tuple[Callable[[Draw], Message], ...] = (
    _old_version,
    _noise,
    _piece,
    _broken,
    _broken,
    _wrong_type,
    _wrong_type,
)


# ---------------------------------------------------------------- looking


def _digest(folder: Path) -> str:
    with closing(sqlite3.connect(folder / NAME)) as connection:
        rows = [connection.execute(question).fetchall() for question in _LOOKED_AT]
    return hashlib.sha256(repr(rows).encode()).hexdigest()


def _reasons(folder: Path) -> dict[str, int]:
    """Of those that are kept, by what was being read."""
    with closing(sqlite3.connect(folder / NAME)) as connection:
        rows = connection.execute("SELECT why FROM set_aside").fetchall()
    found: dict[str, int] = {}
    for (why,) in rows:
        word = why.split(":")[0].split(" ")[0]
        found[word] = found.get(word, 0) + 1
    return found


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="scripts/fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=COUNT)
    parser.add_argument("--seed", type=int, default=20_261_120)
    args = parser.parse_args(argv)
    logging.disable(logging.WARNING)
    result = run(args.count, args.seed)
    print(json.dumps(result), flush=True)
    return 0 if result["set_aside"] == result["counted"] == args.count and not result["changed"] else 1


if __name__ == "__main__":
    sys.exit(main())
