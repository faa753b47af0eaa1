"""`barie central --check BROKER`: does the platform's own consumer keep the contract? Plays a gate with one new lane.

Every event is well made and signed unless a check says otherwise. What is looked at is what a gate can see: `ack`,
`evidence_ack` and `centre`.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge import clock
from edge.core.record import events
from edge.core.record.events import Anchor, Signer
from edge.uplink.connection import Link, LinkError, LinkSettings, Protocol
from edge.uplink.mailbox import Arrived, Connected, Lost, Mailbox, Published, Subscribed
from edge.uplink.topics import Topics

ANSWER_S = 10.0
SETTLE_S = 1.0
RESEND_S = 2.0
BEGINS_AT = 31
JPEG = b"\xff\xd8\xff\xe0 a check, no photo "
LARGE_BYTES, PACKET_ROOM = 1_000_000, 512
"""The largest photo that is tried, and what a packet needs beside it."""
JUMP = 1_000


@dataclass(frozen=True, slots=True)
class Checked:
    """`why` says what was seen where it is not what the contract asks for."""

    name: str
    ok: bool
    why: str = ""


def check(
    settings: LinkSettings,
    site: str,
    *,
    protocol: Protocol = "5",
    restart: Callable[[], None] | None = None,
) -> Iterator[Checked]:
    """One result for each check, in order. `restart` restarts the consumer; without it that check is left out. Raises
    LinkError."""
    lane = f"check-{secrets.token_hex(4)}"
    sign = Ed25519PrivateKey.generate().sign
    gate = _Gate(settings, protocol, Topics(site), lane, [_event(site, lane, sign)], sign)
    for _ in range(59):
        gate.made.append(_event(site, lane, sign, after=gate.made[-1]))
    try:
        gate.connect()
        yield from _checks(gate, restart)
    finally:
        gate.close()


def _checks(gate: _Gate, restart: Callable[[], None] | None) -> Iterator[Checked]:
    yield gate.expect("in order", range(1, 21), 20)
    yield gate.expect("repeats change nothing", [*range(5, 16), *range(5, 16)], 20)
    yield gate.expect("no acknowledgement over a gap", [21, 22, 24, 25], 22)
    yield gate.expect("the gap is filled", [23], 25)
    yield gate.expect("reversed order", [30, 29, 28, 27, 26], 30)
    gate.close()
    gate.connect()
    yield gate.expect("a gate that forgot its acknowledgements", range(1, 31), 30)
    yield gate.expect_bad("content that does not give its hash", _changed(gate.made[30]), 30)
    yield gate.expect("the right one after it", [31], 31)
    other = _event(gate.topics.site, gate.lane, gate.sign, after=gate.made[29], body={"other": True})
    yield gate.expect_bad("another event under a number that is taken", other, 31)
    yield gate.expect("the first one stands, and the chain goes on", [32], 32)
    yield gate.expect_bad("no JSON", b"\xff{", 32)
    yield gate.expect("and goes on", range(33, 41), 40)
    if restart is not None:
        gate.send(range(41, 46))
        restart()
        yield gate.expect("a restart of the consumer", range(41, 51), 50)
    last = 50 if restart is not None else 40
    gate.made[last + 2] = _loss(gate, last + 1, last + 2)
    yield gate.expect("events that their gate declares lost", [last + 3], last + 3)
    yield from _photos(gate, last + 4)
    yield gate.hashes()
    yield from _forked(gate, last + 4)
    yield gate.refusal()
    yield from _liveness(gate)
    yield from _pruned(gate)


def _photos(gate: _Gate, number: int) -> Iterator[Checked]:
    """An event that names two photos: a small one, and the largest that this broker takes."""
    largest = min(gate.packet_bytes or LARGE_BYTES, LARGE_BYTES) - PACKET_ROOM
    jpegs = [JPEG + secrets.token_bytes(size) for size in (2_000, largest - len(JPEG))]
    named = [{"id": clock.new_id(), "sha256": hashlib.sha256(one).hexdigest(), "name": "photo"} for one in jpegs]
    body = {"stage": "check", "evidence": named}
    gate.made[number - 1] = _event(gate.topics.site, gate.lane, gate.sign, after=gate.made[number - 2], body=body)
    yield gate.expect("an event that names photos", [number], number)
    event_id = str(json.loads(gate.made[number - 1])["event_id"])
    yield gate.expect_photo("a photo is acknowledged by its SHA-256", event_id, jpegs[0])
    yield gate.expect_photo("the same photo again", event_id, jpegs[0])
    yield gate.expect_photo(f"the largest photo that goes through ({largest} bytes)", event_id, jpegs[1])


def _liveness(gate: _Gate) -> Iterator[Checked]:
    """Rule 13 of docs/protocol.md."""
    gate.listen(SETTLE_S, lambda: bool(gate.words))
    there = bool(gate.words) and gate.words[-1].get("online") is True
    yield Checked("it says that it is there", there, "" if there else f"on `centre`: {gate.words[-1:] or 'nothing'}")
    before = {str(one.get("at")) for one in gate.words}
    gate.publish(json.dumps({"online": True, "lanes": [gate.lane]}).encode(), gate.topics.status(gate.lane))

    def anew() -> bool:
        return any(one.get("online") is True and str(one.get("at")) not in before for one in gate.words)

    gate.listen(ANSWER_S, anew)
    why = "" if anew() else f"no other word within {ANSWER_S:g} s after a gate's status"
    yield Checked("it says it anew when a gate comes", anew(), why)


def _forked(gate: _Gate, last: int) -> Iterator[Checked]:
    """Rule 15: events of another history, as of a copy that was put back or of a twin, and a gate that found it out."""
    site, lane, before = gate.topics.site, gate.lane, gate.made[last - 1]
    other = _event(site, lane, gate.sign, after=gate.made[last - 2], body={"other": True})
    foreign = _event(site, lane, gate.sign, after=other)
    after = _event(site, lane, gate.sign, after=foreign)
    yield gate.expect_bad("an event of another history: it does not hang on the one before", foreign, last)
    yield gate.expect_bad("nor is what hangs on that one acknowledged", after, last)
    jumped = last + JUMP
    body = {"code": "record_forked", "lost_from": last + 1, "lost_to": jumped}
    alarm = _event(site, lane, gate.sign, at=Anchor(jumped, json.loads(before)["hash"]), kind="alarm", body=body)
    gate.jump(jumped, alarm)
    yield gate.expect("a gate that found it out jumps, and goes on", [jumped + 1], jumped + 1)
    again = _event(
        site, lane, gate.sign, after=alarm, kind="alarm", body={"code": "record_overlap", "was": json.loads(foreign)}
    )
    gate.jump(jumped + 1, again)
    yield gate.expect("what it is not proven to have sent comes once more", [jumped + 2], jumped + 2)
    yield gate.hashes("its acknowledgements carry the hashes of these")


def _pruned(gate: _Gate) -> Iterator[Checked]:
    """A lane whose beginning its gate does not have any more, for a consumer that never had it or lost it."""
    first = _event(gate.topics.site, "", gate.sign)
    late = _Gate(gate.settings, gate.protocol, gate.topics, f"{gate.lane}-late", [first], gate.sign)
    for _ in range(BEGINS_AT + 1):
        late.made.append(_event(late.topics.site, late.lane, gate.sign, after=late.made[-1]))
    body = {"code": "record_pruned", "lost_from": 1, "lost_to": BEGINS_AT - 1}
    late.made.append(_event(late.topics.site, late.lane, gate.sign, after=late.made[-1], kind="alarm", body=body))
    late.connect()
    try:
        yield late.expect(
            "a lane that begins in the middle: the last acknowledgement again", [BEGINS_AT, BEGINS_AT + 1], 0
        )
        yield late.expect("its gate says that the beginning is gone", range(BEGINS_AT, BEGINS_AT + 4), BEGINS_AT + 3)
    finally:
        late.close()


@dataclass
class _Gate:
    settings: LinkSettings
    protocol: Protocol
    topics: Topics
    lane: str
    made: list[bytes]
    sign: Signer
    acks: list[int] = field(default_factory=list)
    photos: list[str] = field(default_factory=list)
    words: list[dict[str, Any]] = field(default_factory=list)
    packet_bytes: int | None = None
    unproven: list[int] = field(default_factory=list)
    """Acknowledgements without the hash of their own event."""
    _link: Link | None = None
    jumped: dict[int, bytes] = field(default_factory=dict)
    """Events with numbers far ahead of the others'."""
    _taken: dict[int, bool] = field(default_factory=dict)
    _mailbox: Mailbox = field(default_factory=Mailbox)

    def connect(self) -> None:
        self._mailbox = Mailbox()
        self._link = Link(self.settings, self.protocol, self._mailbox)
        self._link.open()
        connected = self._await(Connected)
        if connected.refused:
            raise LinkError(f"broker refused: {connected.refused}", refused=True)
        self.packet_bytes = connected.packet_bytes
        topics = (self.topics.ack(self.lane), self.topics.evidence_ack(self.lane), self.topics.centre)
        self._link.subscribe([(topic, False) for topic in topics])
        if any(self._await(Subscribed).refused):
            raise LinkError("broker refused the subscription: check its ACL", refused=True)

    def close(self) -> None:
        if self._link is not None:
            self._link.close()
            self._link = None

    def send(self, numbers: Sequence[int]) -> None:
        for number in numbers:
            self.publish(self._payload(number))

    def _payload(self, number: int) -> bytes:
        return self.jumped.get(number) or self.made[number - 1]

    def jump(self, last: int, payload: bytes) -> None:
        """Its next event has a number far ahead."""
        self.jumped[last + 1] = payload

    def hashes(self, name: str = "each acknowledgement carries the hash of its event (rule 15)") -> Checked:
        bad, self.unproven = self.unproven, []
        why = f"no hash, or another event's, with {bad[:5]}: a copy put back or a twin could not be found"
        return Checked(name, not bad, why if bad else "")

    def refusal(self) -> Checked:
        """A gate says what it did not take. Whether anybody listens only some brokers tell (MQTT 5, reason 16)."""
        assert self._link is not None
        reason = "a row was bad, says the conformance kit"
        body = {
            "topic": self.topics.watchlist, "reason": reason, "rows": ["entry 3: no plate"], "rows_count": 1,
            "not_told": 0, "at": clock.wall_iso(),
        }  # fmt: skip
        name, asked = "what a gate refused is heard ({lane}/refused)", json.dumps(body).encode()
        self._taken.clear()
        mid = self._link.publish(self.topics.refused(self.lane), asked)
        self.listen(ANSWER_S, lambda: mid in self._taken)
        if mid not in self._taken:
            return Checked(name, False, f"the broker did not take it within {ANSWER_S:g} s: check its ACL")
        return Checked(name, self._taken[mid], "" if self._taken[mid] else "nobody subscribes to it")

    def publish(self, payload: bytes, topic: str = "") -> None:
        assert self._link is not None
        self._link.publish(topic or self.topics.event(self.lane), payload)

    def expect_photo(self, name: str, event_id: str, jpeg: bytes) -> Checked:
        """Sends it, as a gate does again after a while, until its hash comes."""
        digest = hashlib.sha256(jpeg).hexdigest()
        self.photos.clear()
        until_s = clock.mono_s() + ANSWER_S
        while clock.mono_s() < until_s and digest not in self.photos:
            self.publish(jpeg, self.topics.evidence(self.lane, event_id))
            self.listen(RESEND_S, lambda: digest in self.photos)
        if digest in self.photos:
            return Checked(name, True)
        return Checked(name, False, f"no evidence_ack with its SHA-256 within {ANSWER_S:g} s")

    def expect(self, name: str, numbers: Sequence[int], acked: int) -> Checked:
        """Sends, as a gate does again after a while, until `acked` comes; then nothing higher may follow."""
        self.acks.clear()
        until_s = clock.mono_s() + ANSWER_S
        while clock.mono_s() < until_s and acked not in self.acks:
            self.send(numbers)
            self.listen(RESEND_S, lambda: acked in self.acks)
        self.listen(SETTLE_S, lambda: False)
        return self._judge(name, acked, asked=acked in self.acks)

    def expect_bad(self, name: str, payload: bytes, acked: int) -> Checked:
        """Nothing beyond `acked` may be acknowledged for this."""
        self.acks.clear()
        self.publish(payload)
        self.listen(SETTLE_S, lambda: False)
        return self._judge(name, acked, asked=True)

    def _judge(self, name: str, acked: int, *, asked: bool) -> Checked:
        if any(seq > acked for seq in self.acks):
            return Checked(name, False, f"acknowledged {max(self.acks)}; {acked} is all that can be stored")
        if not asked:
            return Checked(name, False, f"no acknowledgement of {acked} within {ANSWER_S:g} s; seen: {self.acks[-5:]}")
        return Checked(name, True)

    def listen(self, seconds: float, done: Callable[[], bool]) -> None:
        until_s = clock.mono_s() + seconds
        while not done() and (left_s := until_s - clock.mono_s()) > 0:
            self._take(self._mailbox.take(left_s))

    def _take(self, letter: Any) -> None:
        if isinstance(letter, Lost):
            raise LinkError(f"connection lost: {letter.why}")
        if isinstance(letter, Published):
            self._taken[letter.mid] = letter.heard
        if isinstance(letter, Arrived) and self._link is not None:
            self._link.done(letter)
            self._hear(self.topics.parse(letter.topic)[0], letter.payload)

    def _hear(self, kind: str, payload: bytes) -> None:
        said = json.loads(payload) if payload else {}
        if kind == "ack":
            self._note(int(said["seq"]), said.get("hash"))
        elif kind == "evidence_ack":
            self.photos += said.get("sha256", [])
        elif kind == "centre":
            self.words.append(said)

    def _note(self, seq: int, digest: object) -> None:
        """0 has no event, and one in the midst of a declared loss has none that anybody knows."""
        self.acks.append(seq)
        own = self.jumped.get(seq) or (self.made[seq - 1] if 0 < seq <= len(self.made) else None)
        if own is not None and digest != json.loads(own)["hash"]:
            self.unproven.append(seq)

    def _await(self, kind: type[Any]) -> Any:
        until_s = clock.mono_s() + ANSWER_S
        while (left_s := until_s - clock.mono_s()) > 0:
            letter = self._mailbox.take(left_s)
            if isinstance(letter, kind):
                return letter
            self._take(letter)
        raise LinkError(f"broker did not answer within {ANSWER_S:g} s")


# ---------------------------------------------------------------- events


def _event(
    site: str,
    lane: str,
    sign: Signer | None,
    *,
    after: bytes | None = None,
    at: Anchor | None = None,
    kind: str = "health",
    body: dict[str, Any] | None = None,
) -> bytes:
    before = json.loads(after) if after is not None else None
    _, payload = events.seal(
        event_id=clock.new_id(),
        site=site,
        lane=lane,
        after=at or (Anchor(before["seq"], before["hash"]) if before else Anchor()),
        kind=kind,
        captured_at=None,
        recorded_at=clock.wall_iso(),
        boot_id="conformance-check",
        mono_ns=clock.mono_ns(),
        clock="synced",
        body=body or {"check": True},
        sign=sign,
    )
    return payload


def _changed(payload: bytes) -> bytes:
    """The same envelope with another content under the old hash."""
    return payload.replace(b'{"check":true}', b'{"check":false}')


def _loss(gate: _Gate, first: int, last: int) -> bytes:
    """The event behind a hole that its gate declares: an alarm that names it."""
    body = {"code": "record_set_aside", "lost_from": first, "lost_to": last}
    return _event(gate.topics.site, gate.lane, gate.sign, after=gate.made[last - 1], kind="alarm", body=body)
