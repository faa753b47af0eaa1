"""`barie central`: a stand-in for the platform that is a correct consumer, small enough to read.

It publishes declarations from a folder, takes events into its own database, acknowledges what is committed, and puts
a confirmation that a gate gave into the declaration's next version, so that the gate sees its own come back. The
watch list is published last, always: a gate that sees it has seen the whole copy.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from edge import clock
from edge.errors import BadMessageError
from edge.uplink.central_store import CentralStore, Incoming, Progress, Taken, read_event
from edge.uplink.folder import WATCHLIST, Change, Folder, folded, merged
from edge.uplink.link import RANDOM, Link, LinkError, LinkSettings, Protocol
from edge.uplink.mailbox import Arrived, Connected, Letter, Lost, Mailbox, Subscribed
from edge.uplink.topics import Topics

FOLDER_S = 0.5
ANSWER_S = 10.0
BATCH = 300
_LINE = json.JSONEncoder(ensure_ascii=False)
_NAME = re.compile(r"[0-9a-f-]{36}")


def run_central(
    host: str,
    port: int,
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
    settings = LinkSettings(host=host, port=port, client_id=f"barie-central-{site}-{RANDOM}")
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

    def serve(self, settings: LinkSettings, protocol: Protocol, stop: threading.Event) -> None:
        mailbox = Mailbox()
        self._link = link = Link(settings, protocol, mailbox, at_once=_is_event)
        try:
            self._at = clock.wall_iso()
            link.open()
            self._start(mailbox)
            self._flush()
            while not stop.is_set():
                self._turn(mailbox)
        except LinkError as error:
            self._say("link", error=str(error))
        finally:
            self._flush()
            link.close()

    def _start(self, mailbox: Mailbox) -> None:
        connected = _await(mailbox, Connected)
        if connected.refused:
            raise LinkError(f"broker refused: {connected.refused}")
        root = self._topics.root
        self._publisher.subscribe(
            [(f"{root}/+/event", False), (f"{root}/+/evidence/+", False), (f"{root}/+/status", False)]
        )
        if any(_await(mailbox, Subscribed).refused):
            raise LinkError("broker refused the subscription: check its ACL")
        self._say("connected")
        self._read_folder(publish=False)
        for declaration_id, payload in self._store.declarations():
            self._publisher.publish(self._topics.declaration(declaration_id), payload, retain=True)
        self._publisher.publish(self._topics.watchlist, self._watchlist, retain=True)
        for progress in self._store.acked():
            self._acknowledge(progress)

    @property
    def _publisher(self) -> Link:
        if self._link is None:
            raise LinkError("not connected")
        return self._link

    def _turn(self, mailbox: Mailbox) -> None:
        letters = _gather(mailbox)
        self._at = clock.wall_iso()
        batch = [letter for letter in letters if isinstance(letter, Arrived)]
        if batch:
            self._take(batch)
        else:
            self._read_folder(publish=True)
        for letter in letters:
            if isinstance(letter, Lost):
                raise LinkError(f"connection lost: {letter.why}")
        self._flush()

    # ------------------------------------------------------------ up: events, photos, status

    def _take(self, batch: list[Arrived]) -> None:
        """Commit first, acknowledge after: to the gate, lane by lane, and for a photo to the broker.

        The broker hears at once that an event arrived, and goes on sending: what is lost here the gate sends again."""
        events: list[Incoming] = []
        declarations: dict[str, bytes] = {}
        for letter in batch:
            self._take_one(letter, events)
        with self._store.commit():
            for (event, _), taken in zip(events, self._store.take(events), strict=True):
                self._taken(event, taken, declarations)
            progress = [self._store.advance(lane) for lane in sorted({event["lane"] for event, _ in events})]
        for letter in batch:
            if not _is_event(letter.topic):
                self._publisher.done(letter)
        for one in progress:
            self._acknowledge(one)
        for declaration_id, payload in declarations.items():
            self._publisher.publish(self._topics.declaration(declaration_id), payload, retain=True)

    def _take_one(self, letter: Arrived, events: list[Incoming]) -> None:
        kind, lane = self._topics.parse(letter.topic)
        try:
            if kind == "event":
                event = read_event(letter.payload)
                if event["lane"] != lane or event["site"] != self._topics.site:
                    raise BadMessageError("event: lane or site is not the topic's")
                events.append((event, letter.payload))
            elif kind == "evidence":
                self._take_photo(lane, letter)
            elif kind == "status":
                self._say("status", lane=lane, online=b'"online": true' in letter.payload)
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

    def _take_photo(self, lane: str, letter: Arrived) -> None:
        name = letter.topic.rsplit("/", 1)[1]
        if not _NAME.fullmatch(name):
            raise BadMessageError("evidence: the topic does not end in an event's id")
        change = Change(name, letter.payload)
        self._evidence.mkdir(parents=True, exist_ok=True)
        (self._evidence / f"{name}-{change.digest[:12]}.jpg").write_bytes(letter.payload)
        self._say("evidence", lane=lane, id=name, bytes=len(letter.payload))

    def _acknowledge(self, progress: Progress) -> None:
        body = {"seq": progress.acked, **({"hash": progress.hash} if progress.hash else {})}
        self._publisher.publish(self._topics.ack(progress.lane), json.dumps(body).encode())
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


def _gather(mailbox: Mailbox) -> list[Letter]:
    """Everything that is there, up to BATCH or a little more: one commit for all of it."""
    letters: list[Letter] = []
    letter = mailbox.take(FOLDER_S)
    while letter is not None:
        letters.append(letter)
        letters += mailbox.take_all(BATCH)
        letter = mailbox.take(0.0) if len(letters) < BATCH else None
    return letters


def _is_event(topic: str) -> bool:
    return topic.endswith("/event")


def _await(mailbox: Mailbox, kind: type[Any]) -> Any:
    deadline_s = clock.mono_s() + ANSWER_S
    while (left_s := deadline_s - clock.mono_s()) > 0:
        letter = mailbox.take(left_s)
        if isinstance(letter, kind):
            return letter
        if isinstance(letter, Lost):
            raise LinkError(f"connection lost: {letter.why}")
    raise LinkError(f"broker did not answer within {ANSWER_S:g} s")
