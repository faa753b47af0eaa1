"""`barie central`: a stand-in for the platform that is a correct consumer, small enough to read.

It publishes declarations from a folder, takes events and photos, acknowledges what is on disk, and puts a confirmation
that a gate gave into the declaration's next version, so that the gate sees its own come back. The watch list is
published after all declarations, always: a gate that sees it has seen the whole copy. Then it says that it is there.
"""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from edge import clock
from edge.errors import BadMessageError
from edge.uplink import consumer
from edge.uplink.central_store import CentralStore, Incoming, Progress, Taken, read_event
from edge.uplink.connection import Link, LinkError, LinkSettings, Protocol, Will
from edge.uplink.consumer import StoredPhoto
from edge.uplink.folder import WATCHLIST, Change, Folder, folded, merged
from edge.uplink.mailbox import Arrived, Connected, Lost, Mailbox, Published, Subscribed
from edge.uplink.topics import Topics

GOODBYE_S = 0.3
_LINE = json.JSONEncoder(ensure_ascii=False)


def run_central(
    settings: LinkSettings,
    folder: Path | None,
    db: Path,
    site: str,
    *,
    out: Callable[[str], None],
    stop: threading.Event,
    protocol: Protocol = "5",
) -> None:
    """Until `stop`; connects again by itself. `out` gets JSON lines, one or several at a time, for everything
    that happens."""
    store = CentralStore(db)
    central = Central(store, Topics(site), folder, db.with_name(f"{db.stem}-evidence"), out)
    try:
        while not stop.is_set():
            central.serve(settings, protocol, stop)
            stop.wait(0.5)
    finally:
        store.close()


class Central:
    """Everything on one thread."""

    def __init__(
        self, store: CentralStore, topics: Topics, folder: Path | None, evidence: Path, out: Callable[[str], None]
    ) -> None:
        self._store, self._topics, self._evidence, self._out = store, topics, evidence, out
        self._folder = Folder(folder) if folder is not None else None
        self._watchlist = b"[]"
        self._names: dict[str, str] = {}  # file name to declaration id
        self._link: Link | None = None
        self._lines: list[str] = []
        self._at = ""
        self._instance = secrets.token_hex(8)
        self._said_s = self._word_due_s = self._want_due_s = 0.0

    def serve(self, settings: LinkSettings, protocol: Protocol, stop: threading.Event) -> None:
        mailbox = Mailbox()
        will = Will(self._topics.centre, consumer.word(self._instance, online=False))
        self._link = link = Link(settings, protocol, mailbox, will=will, at_once=consumer.is_event)
        try:
            self._at = clock.wall_iso()
            link.open()
            self._start(mailbox)
            self._flush()
            while not stop.is_set():
                self._turn(mailbox)
            self._goodbye(mailbox)
        except LinkError as error:
            self._say("link", error=str(error))
        finally:
            link.close()
            self._flush()

    def _start(self, mailbox: Mailbox) -> None:
        connected = consumer.answer(mailbox, Connected)
        if connected.refused:
            raise LinkError(f"broker refused: {connected.refused}")
        root = self._topics.root
        self._publisher.subscribe(
            [(f"{root}/+/{what}", False) for what in ("event", "evidence/+", "status", "refused")]
        )
        if any(consumer.answer(mailbox, Subscribed).refused):
            raise LinkError("broker refused the subscription: check its ACL")
        self._say("connected")
        self._read_folder(publish=False)
        for declaration_id, payload in self._store.declarations():
            self._publisher.publish(self._topics.declaration(declaration_id), payload, retain=True)
        self._publisher.publish(self._topics.watchlist, self._watchlist, retain=True)
        for progress in self._store.acked():
            self._acknowledge(progress)
        self._want_due_s = clock.mono_s() + consumer.WANT_FIRST_S
        self._say_word()

    def _say_word(self) -> None:
        """That the centre, and not only its broker, is there: behind everything that a gate may have missed."""
        self._publisher.publish(self._topics.centre, consumer.word(self._instance, online=True), retain=True)
        self._said_s = clock.mono_s()
        self._word_due_s = self._said_s + consumer.WORD_S

    def _goodbye(self, mailbox: Mailbox) -> None:
        """A client that leaves on purpose has no last will."""
        self._publisher.publish(self._topics.centre, consumer.word(self._instance, online=False), retain=True)
        until_s = clock.mono_s() + GOODBYE_S
        while (left_s := until_s - clock.mono_s()) > 0:
            if isinstance(mailbox.take(left_s), Published | Lost):
                return

    @property
    def _publisher(self) -> Link:
        if self._link is None:
            raise LinkError("not connected")
        return self._link

    def _turn(self, mailbox: Mailbox) -> None:
        letters = consumer.gather(mailbox)
        self._at = clock.wall_iso()
        batch = [letter for letter in letters if isinstance(letter, Arrived)]
        if batch:
            self._take(batch)
        else:
            self._read_folder(publish=True)
        for letter in letters:
            if isinstance(letter, Lost):
                raise LinkError(f"connection lost: {letter.why}")
        now_s = clock.mono_s()
        if now_s >= self._word_due_s:
            self._say_word()
        if now_s >= self._want_due_s:
            self._want_due_s = now_s + consumer.WANT_S
            self._want()
        self._flush()

    def _want(self) -> None:
        for lane, event_ids in self._store.photos_due(consumer.WANT_MOST).items():
            self._publisher.publish(self._topics.evidence_ack(lane), json.dumps({"want": event_ids}).encode())
            self._say("want", lane=lane, events=len(event_ids))

    # ------------------------------------------------------------ up: events, photos, status

    def _take(self, batch: list[Arrived]) -> None:
        """Commit first, acknowledge after: to the gate, lane by lane, its events and its photos.

        The broker hears at once that an event arrived, and goes on sending: what is lost here the gate sends again."""
        events: list[Incoming] = []
        photos: list[StoredPhoto] = []
        declarations: dict[str, bytes] = {}
        for letter in batch:
            self._take_one(letter, events, photos)
        with self._store.commit():
            for photo in photos:
                self._photo_taken(photo)
            for (event, _), taken in zip(events, self._store.take(events), strict=True):
                self._taken(event, taken, declarations)
            progress = [self._store.advance(lane) for lane in sorted({event["lane"] for event, _ in events})]
        for letter in batch:
            if not consumer.is_event(letter.topic):
                self._publisher.done(letter)
        for one in progress:
            self._acknowledge(one)
        for lane in sorted({photo.lane for photo in photos}):
            stored = [photo.sha256 for photo in photos if photo.lane == lane]
            self._publisher.publish(self._topics.evidence_ack(lane), json.dumps({"sha256": stored}).encode())
        for declaration_id, payload in declarations.items():
            self._publisher.publish(self._topics.declaration(declaration_id), payload, retain=True)

    def _take_one(self, letter: Arrived, events: list[Incoming], photos: list[StoredPhoto]) -> None:
        kind, lane = self._topics.parse(letter.topic)
        try:
            if kind == "event":
                event = read_event(letter.payload)
                if event["lane"] != lane or event["site"] != self._topics.site:
                    raise BadMessageError("event: lane or site is not the topic's")
                events.append((event, letter.payload))
            elif kind == "evidence":
                photos.append(self._take_photo(lane, letter))
            elif kind == "status":
                self._say("status", lane=lane, online=b'"online": true' in letter.payload)
                self._word_due_s = min(self._word_due_s, self._said_s + consumer.WORD_AGAIN_S)
            elif kind == "refused":
                self._take_refused(lane, letter.payload)
        except BadMessageError as error:
            self._say("refused", topic=letter.topic, why=str(error))

    def _taken(self, event: Mapping[str, Any], taken: Taken, declarations: dict[str, bytes]) -> None:
        if taken != "new":
            self._say(taken, lane=event["lane"], seq=event["seq"], kind=event["kind"], id=event["event_id"])
            return
        body = event["body"]
        if isinstance(body, dict) and isinstance(body.get("confirmation"), dict):
            self._fold(str(body.get("declaration")), body["confirmation"], declarations)

    def _fold(self, declaration_id: str, given: dict[str, Any], declarations: dict[str, bytes]) -> None:
        held = self._store.declaration(declaration_id)
        if held is None:
            self._say("unknown_declaration", id=declaration_id)
            return
        try:
            fresh = folded(held[0], given)
        except BadMessageError as error:
            self._say("refused", declaration=declaration_id, why=str(error))
            return
        if fresh is not None:
            declarations[declaration_id] = self._store.put_declaration(fresh, held[1])
            self._say("declaration", id=declaration_id, version=fresh["version"])

    def _take_photo(self, lane: str, letter: Arrived) -> StoredPhoto:
        """Onto the disk, fsynced: what is acknowledged is here for good."""
        photo = consumer.photo_of(lane, letter.topic, letter.payload)
        if self._store.photo(photo.sha256) is None:
            consumer.write_photo(self._evidence, photo, letter.payload)
        return photo

    def _photo_taken(self, photo: StoredPhoto) -> None:
        new = self._store.put_photo(photo.sha256, photo.lane, photo.event_id, photo.file)
        self._say("evidence" if new else "evidence_again", lane=photo.lane, id=photo.event_id, bytes=photo.size)

    def _take_refused(self, lane: str, payload: bytes) -> None:
        """What a gate did not take; photos that it does not have any more are not asked for again."""
        topic, _, rows = consumer.told(payload)
        if self._topics.parse(topic)[0] == "evidence_ack":
            with self._store.commit():
                self._store.drop_due(lane, rows)
        self._say("told", lane=lane, topic=topic, rows=rows)

    def _acknowledge(self, progress: Progress) -> None:
        self._publisher.publish(self._topics.ack(progress.lane), consumer.ack(progress))
        self._say("ack", lane=progress.lane, seq=progress.acked)
        if progress.missing is not None:
            self._say("gap", lane=progress.lane, missing=progress.missing)
        for seq in progress.chain_breaks:
            self._say("chain_broken", lane=progress.lane, seq=seq)

    # ------------------------------------------------------------ down: declarations, watch list

    def _read_folder(self, *, publish: bool) -> None:
        for change in self._folder.changes() if self._folder is not None else ():
            if change.fault:
                self._say("bad_file", file=change.name, why=change.fault)
                continue
            for topic, payload in self._changed(change):
                if publish:
                    self._publisher.publish(topic, payload, retain=True)

    def _changed(self, change: Change) -> Iterable[tuple[str, bytes]]:
        if change.name == WATCHLIST:
            self._watchlist = change.payload or b"[]"
            self._say("watchlist")
            return [(self._topics.watchlist, self._watchlist)]
        if change.payload is None:
            return self._removed(change.name)
        fresh = json.loads(change.payload)
        self._names[change.name] = declaration_id = fresh["id"]
        held = self._store.declaration(declaration_id)
        if held is not None and held[1] == change.digest:
            return []
        with self._store.commit():
            next_version = merged(fresh, held[0] if held else None, self._store.version(declaration_id))
            payload = self._store.put_declaration(next_version, change.digest)
        self._say("declaration", id=declaration_id, version=next_version["version"])
        return [(self._topics.declaration(declaration_id), payload)]

    def _removed(self, name: str) -> Iterable[tuple[str, bytes]]:
        declaration_id = self._names.pop(name, None)
        if declaration_id is None:
            return []
        with self._store.commit():
            self._store.drop_declaration(declaration_id)
        self._say("removed", id=declaration_id)
        return [(self._topics.declaration(declaration_id), b"")]

    def _say(self, what: str, **more: Any) -> None:
        """One line; told when the turn is over, and so never before its commit."""
        self._lines.append(_LINE.encode({"at": self._at, "what": what, **more}))

    def _flush(self) -> None:
        lines, self._lines = self._lines, []
        if lines:
            self._out("\n".join(lines))
