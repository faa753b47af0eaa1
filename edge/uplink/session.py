"""One connection from CONNACK to its loss: subscribe, take the copy, send what the centre does not have, take its acks.

On the uplink's own thread, which serves the socket too. Photos go one at a time (edge/uplink/photos.py).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

from edge import clock, wire
from edge.core.instant import instant
from edge.errors import BadMessageError, HalfTakenError, StoreError
from edge.ports import EvidenceOutbox, PeerOutbox
from edge.uplink import trace
from edge.uplink.connection import Link, LinkError
from edge.uplink.copying import Copying
from edge.uplink.liveness import Reach
from edge.uplink.mailbox import Arrived, Connected, Letter, Lost, Published, Subscribed
from edge.uplink.parts import HEADER_BYTES, Parts, status_payload
from edge.uplink.peers import Peers
from edge.uplink.photos import Photos
from edge.uplink.refusals import Refusals
from edge.uplink.window import Window

log = logging.getLogger(__name__)

WINDOW = 40
TOGETHER = 10
"""How many events leave at once: the broker works on these while the next ones are read and packed."""


class Session:
    """Raises LinkError when the connection is lost or refused."""

    def __init__(self, link: Link, parts: Parts, trouble: Callable[[str], None]) -> None:
        self._link, self._parts, self._trouble = link, parts, trouble
        self._lanes = list(parts.outbox.lanes())
        self._in_flight = parts.in_flight
        self._windows = {lane: Window(parts.in_flight * WINDOW, parts.resend_s) for lane in self._lanes}
        self._waiting: dict[int, tuple[str, str]] = {}  # mid to (kind, photo id)
        self._more = dict.fromkeys(self._lanes, True)
        self._photos: Photos | None = None
        self._limit_bytes: int | None = None
        self._blocked: set[str] = set()
        self._peers = (
            Peers(parts.outbox, parts.topics, self._lanes[0]) if isinstance(parts.outbox, PeerOutbox) else None
        )
        self._fresh_due_s = 0.0
        self._copy = Copying(parts.inbox, parts.pace)
        self._acks: dict[str, int] = {}  # of the centre, not yet told to the store
        self._acks_due_s = 0.0
        self._events_refused = False
        self._refusals = Refusals(parts.topics, self._lanes)
        now_s = clock.mono_s()
        self._status_due_s = self._poll_due_s = self._puback_s = now_s

    # ------------------------------------------------------------ starting

    def start(self, stopped: Callable[[], bool]) -> None:
        """Wait for CONNACK, subscribe, wait for SUBACK. The copy has begun when this returns."""
        try:
            connected = self._await(Connected, stopped)
        except LinkError as error:
            raise LinkError(str(error), unanswered=True) from error
        if connected.refused:
            hint = "try mqtt.protocol" if connected.wrong_version else "check mqtt.username and mqtt.password_file"
            why = f"broker refused: {connected.refused}; {hint}"
            raise LinkError(why, refused=True, unanswered=connected.wrong_version)
        self._in_flight = min(self._in_flight, connected.in_flight or self._in_flight)
        self._limit_bytes = connected.packet_bytes
        if isinstance(self._parts.outbox, EvidenceOutbox):
            self._photos = Photos(self._parts, self._parts.outbox, self._limit_bytes)
        self._subscribe()
        self._check_subscribed(self._await(Subscribed, stopped).refused)
        self._link.publish(self._parts.topics.echo(self._lanes[0]), self._copy.echo)

    def _check_subscribed(self, refused: Sequence[str]) -> None:
        newer = self._parts.topics.newer(self._lanes)
        for topic, why in zip(self._parts.topics.wanted(self._lanes), refused, strict=False):
            if why and topic not in newer:
                raise LinkError(f"broker refused the subscription {topic[0]}: {why}; check its ACL", refused=True)
            if why:
                log.warning("broker refused the subscription %s: %s; its ACL is of an older gate", topic[0], why)

    def _subscribe(self) -> None:
        """The broker answers with every retained message, then with the echo that is published behind the SUBACK."""
        try:
            self._copy.start(clock.mono_s())
        except StoreError as error:
            self._tear(error)
        self._link.subscribe(self._parts.topics.wanted(self._lanes))

    def _await(self, kind: type[Any], stopped: Callable[[], bool]) -> Any:
        deadline_s = clock.mono_s() + self._parts.pace.answer_s
        while not stopped():
            left_s = deadline_s - clock.mono_s()
            if left_s <= 0:
                raise LinkError(f"broker did not answer within {self._parts.pace.answer_s:g} s")
            letter = self._parts.mailbox.take(left_s)
            if isinstance(letter, kind):
                return letter
            self._take(letter)
        raise LinkError("stopped")

    # ------------------------------------------------------------ one turn

    @property
    def copied(self) -> bool:
        """Every retained message was seen in this session, and none that came since was missed."""
        return self._copy.complete

    @property
    def waiting(self) -> int:
        """How many messages the broker has not acknowledged yet."""
        return len(self._waiting)

    def take_one(self, timeout_s: float) -> None:
        """Deal with one letter and send nothing."""
        if (letter := self._parts.mailbox.take(timeout_s)) is not None:
            self._take(letter)

    def turn(self) -> None:
        """Deal with one letter, or with none for a while, and send what may be sent."""
        letter = self._parts.mailbox.take(self._idle_s())
        if letter is None:
            self._more = dict.fromkeys(self._lanes, True)
        else:
            self._take(letter)
            for more in self._parts.mailbox.take_all(self._in_flight):
                self._take(more)
        now_s = clock.mono_s()
        self._check_copy(now_s)
        self._check_due(now_s)
        if self._acks and (letter is None or now_s >= self._acks_due_s):
            self.flush_acks()
        self._send_peers(now_s)
        self._send_events(now_s)
        self._send_photo(now_s)

    def reach(self, now_s: float) -> Reach:
        return self._parts.centre.reach(now_s)

    def ended(self) -> None:
        """The connection is gone. Raises StoreError."""
        if self._photos is not None:
            self._photos.ended([photo_id for kind, photo_id in self._waiting.values() if kind == "photo"])

    def _idle_s(self) -> float:
        if self._acks:
            return max(0.0, self._acks_due_s - clock.mono_s())
        if self._copy.waits_for_quiet:
            return self._parts.pace.quiet_s / 4
        return min(1.0, self._parts.pace.poll_s)

    def _take(self, letter: Letter) -> None:
        match letter:
            case Lost(why):
                raise LinkError(f"connection lost: {why}")
            case Published():
                self._published(letter)
            case Arrived():
                self._arrived(letter)

    def _check_due(self, now_s: float) -> None:
        pace = self._parts.pace
        if now_s >= self._status_due_s:
            self._status_due_s = now_s + pace.status_s
            for lane in self._lanes:
                self.send_status(lane, online=True)
        if now_s >= self._poll_due_s:
            self._poll_due_s = now_s + pace.poll_s
            self._more = dict.fromkeys(self._lanes, True)
        if self._waiting and now_s - self._puback_s > self._parts.resend_s:
            raise LinkError("the broker stopped acknowledging: connecting again")
        for lane, window in self._windows.items():
            before = window.resent
            if window.overdue(now_s):
                self._more[lane] = True
                self._parts.counts.resent += window.resent - before
                log.info("lane %s: no acknowledgement from the centre, sending again from %d", lane, window.sent + 1)

    # ------------------------------------------------------------ sending

    def send_status(self, lane: str, *, online: bool) -> None:
        try:
            body = dict(self._parts.status(lane)) if online else {}
        except StoreError as error:
            body = {"health": {"store": str(error)}}
        payload = status_payload(self._lanes, online, body)
        self._send("status", self._parts.topics.status(lane), payload)

    def _send(self, kind: str, topic: str, payload: bytes, photo_id: str = "") -> bool:
        """False where the broker would end the connection over a packet of this size: it is not sent."""
        size = len(topic) + len(payload) + HEADER_BYTES
        if self._limit_bytes is not None and size > self._limit_bytes:
            self._trouble(
                f"broker refused {kind}: a packet of {size} bytes, and it takes {self._limit_bytes} at most;"
                " check its max_packet_size"
            )
            return False
        if not self._waiting:
            self._puback_s = clock.mono_s()
        self._waiting[self._link.publish(topic, payload, retain=kind in ("status", "peer"))] = (kind, photo_id)
        return True

    def _send_events(self, now_s: float) -> None:
        for lane, window in self._windows.items():
            room = min(window.room(), self._in_flight - len(self._waiting))
            if not self._more[lane] or room < max(1, self._in_flight // 4):
                continue
            while room > 0 and self._more[lane]:
                most = min(room, TOGETHER)
                sent = self._send_some(lane, window, most, now_s)
                self._more[lane], room = sent == most, room - sent

    def _send_some(self, lane: str, window: Window, most: int, now_s: float) -> int:
        """How many. Asking the store is where sending gives way to a decision, so few at a time."""
        try:
            batch = self._parts.outbox.pending(lane, window.sent, most)
        except StoreError as error:
            self._trouble(str(error))
            return 0
        sent = 0
        with self._link.gathered():
            for event in batch:
                if not self._send("event", self._parts.topics.event(lane), event.payload):
                    self._blocked.add(lane)  # nothing may overtake it
                    break
                self._blocked.discard(lane)
                window.published(event.seq, now_s)
                sent += 1
        trace.sent(batch[:sent])
        return sent

    def _send_peers(self, now_s: float) -> None:
        """Before the events: they may wait for a centre, this is for whoever stands at the next barrier."""
        if self._peers is None:
            return
        try:
            for topic, payload in self._peers.changed(now_s):
                self._send("peer", topic, payload)
        except StoreError as error:
            self._trouble(str(error))

    def _send_photo(self, now_s: float) -> None:
        """One at a time, on a lane whose events the centre has, and only while there may be a centre."""
        photos = self._photos
        if photos is None or self._waiting or self.reach(now_s) == "gone":
            return
        try:
            photo = photos.next([lane for lane, window in self._windows.items() if not window.outstanding], now_s)
            if photo is None:
                return
            topic = self._parts.topics.evidence(photo.lane, photo.event_id)
            if self._limit_bytes is not None and len(photo.jpeg) + len(topic) + HEADER_BYTES > self._limit_bytes:
                photos.too_large(photo, self._limit_bytes)
                return
        except StoreError as error:
            photos.soon(now_s + self._parts.pace.torn_s)
            self._trouble(str(error))
            return
        self._send("photo", topic, photo.jpeg, photo.id)
        photos.sent(photo, now_s)
        trace.sent_photo(photo)

    def _published(self, letter: Published) -> None:
        kind, photo_id = self._waiting.pop(letter.mid, ("", ""))
        self._puback_s = clock.mono_s()
        if letter.refused:
            self._parts.counts.broker_refused += 1
            if kind == "peer" and self._peers is not None:
                self._peers.refused = True
                log.warning("broker refuses words to the other gates: %s; its ACL is of an older gate", letter.refused)
                return
            if kind == "photo" and self._photos is not None:
                self._photos.refused(photo_id, letter.refused, clock.mono_s())
            if kind == "event" or not self._events_refused:  # nothing less hides that events do not leave
                self._trouble(f"broker refused {kind or 'a message'}: {letter.refused}; check its ACL and limits")
            self._events_refused = self._events_refused or kind == "event"
        elif kind == "event":
            self._parts.counts.published += 1
            if self._events_refused and not self._blocked:
                self._events_refused = False
                self._trouble("")
        elif kind == "photo" and self._photos is not None:
            self._photos.taken(photo_id)

    # ------------------------------------------------------------ taking

    def _arrived(self, letter: Arrived) -> None:
        """The broker hears that it was dealt with; one that is bad was dealt with by setting it aside."""
        if letter.retained:
            self._copy.retained(clock.mono_s())
        if self._copy.running:
            self._puback_s = clock.mono_s()  # what the broker owes us stands behind what it sends
        try:
            self._dispatch(letter)
        except BadMessageError as error:
            self._set_aside(letter, str(error))
            self._refuse(letter.topic, str(error), error.rows if isinstance(error, HalfTakenError) else ())
        except StoreError as error:
            self._tear(error)
        self._link.done(letter)

    def _dispatch(self, letter: Arrived) -> None:
        kind, name = self._parts.topics.parse(letter.topic)
        inbox = self._parts.inbox
        if kind == "declaration":
            inbox.declaration(name, letter.payload)
        elif kind == "watchlist":
            inbox.watchlist(letter.payload, int(name or 0))
        elif kind == "command" and name in self._windows:
            if not self._parts.commands_apart:
                inbox.command(name, letter.payload, letter.retained)
        elif kind == "ack" and name in self._windows:
            self._heard(name, wire.parse_ack(letter.payload))
        elif kind == "evidence_ack" and name in self._windows:
            self._heard_of_photos(name, letter)
        elif kind == "centre":
            self._centre(letter.payload)
        elif kind == "peer":
            self._peer(name, letter.topic.rsplit("/", 1)[1], letter.payload)
        elif kind == "echo" and name in self._windows:
            self._copy.echoed(letter.payload)
        else:
            raise BadMessageError("no such topic")

    def _centre(self, payload: bytes) -> None:
        watch, inbox, now_s = self._parts.centre, self._parts.inbox, clock.mono_s()
        told, before = watch.tells, watch.reach(now_s)
        if payload:
            now = instant(clock.wall_iso()) if clock.state() == "synced" else None
            watch.heard(wire.parse_centre(payload), now_s, now)
        else:
            watch.forget()
        if before == "gone" and watch.reach(now_s) == "reached":
            for lane, window in self._windows.items():
                window.begin_again(now_s)
                self._more[lane] = True
        if watch.tells != told:
            inbox.centre_told(watch.tells)

    def _peer(self, lane: str, declaration_id: str, payload: bytes) -> None:
        if lane in self._windows:
            if self._peers is not None and lane == self._lanes[0]:
                self._peers.own(declaration_id, payload)
        else:
            self._parts.inbox.peer(lane, declaration_id, payload)

    def _heard_of_photos(self, lane: str, letter: Arrived) -> None:
        ack = wire.parse_evidence_ack(letter.payload)
        if self._photos is not None and (gone := self._photos.heard(lane, ack, clock.mono_s())):
            self._refuse(letter.topic, "no photo of these events is here (any more)", gone)

    def _heard(self, lane: str, ack: wire.Ack) -> None:
        """One that does not fit event n here, or lies above our last, is no acknowledgement: it is evidence of a
        roll-back or of a twin of this gate."""
        if self._parts.outbox.fits(lane, ack.seq, ack.hash):
            self._acknowledged(lane, ack.seq)
            return
        self._acks.pop(lane, None)
        jumped = self._parts.outbox.forked(lane, ack.seq, ack.hash)
        self._windows[lane].restart(jumped, clock.mono_s())
        self._more[lane] = True
        raise BadMessageError(
            f"ack: event {ack.seq} here is another one, or none: an old copy was put back, or a twin runs"
        )

    def _acknowledged(self, lane: str, seq: int) -> None:
        """The window moves at once, the store is told a moment later, many acknowledgements in one go: forgetting one
        costs but a repeat. One beyond what was sent goes to the store directly, which knows if it can be."""
        window = self._windows[lane]
        if seq > window.sent:
            self._parts.counts.acknowledged += self._parts.outbox.acknowledge(lane, seq)
        elif seq > window.acked:
            if not self._acks:
                self._acks_due_s = clock.mono_s() + self._parts.pace.ack_s
            self._acks[lane] = seq
        before, settle_s = window.resent, self._parts.pace.settle_s
        if window.regressed(seq, clock.mono_s(), settle_s=settle_s):
            self.flush_acks()
            window.restart(self._parts.outbox.go_back(lane, seq), clock.mono_s())
        window.acknowledged(seq, clock.mono_s(), settle_s=settle_s)
        self._parts.counts.resent += window.resent - before
        if not window.outstanding:
            self._acks_due_s = clock.mono_s()
        self._more[lane] = True
        if self._photos is not None:
            self._photos.soon(clock.mono_s() + self._parts.pace.settle_s)

    def flush_acks(self) -> None:
        """Tell the store what the centre has."""
        while self._acks:
            lane, seq = self._acks.popitem()
            try:
                self._parts.counts.acknowledged += self._parts.outbox.acknowledge(lane, seq)
            except StoreError as error:
                self._trouble(str(error))

    def _set_aside(self, letter: Arrived, why: str) -> None:
        self._parts.counts.set_aside += 1
        log.warning("message on %s set aside: %s", letter.topic[:200], why)
        try:
            self._parts.inbox.set_aside(letter.topic, letter.payload, why)
        except StoreError as error:
            self._trouble(str(error))

    def _refuse(self, topic: str, reason: str, rows: Sequence[str]) -> None:
        """Tell the centre what was not taken."""
        if (answer := self._refusals.answer(topic, reason, rows)) is not None:
            self._send("refused", *answer)

    def _tear(self, error: StoreError) -> None:
        self._copy.tear(clock.mono_s())
        self._trouble(str(error))

    def _check_copy(self, now_s: float) -> None:
        if self._copy.again(now_s):
            self._subscribe()
            self._link.publish(self._parts.topics.echo(self._lanes[0]), self._copy.echo)
            return
        try:
            self._parts.counts.copies += self._copy.finish(now_s, fresh=self.reach(now_s) != "gone")
            if self._copy.complete and now_s >= self._fresh_due_s and self.reach(now_s) == "reached":
                self._fresh_due_s = now_s + self._parts.pace.fresh_s
                self._parts.inbox.copy_fresh()
        except StoreError as error:
            self._tear(error)
