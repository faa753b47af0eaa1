"""One worker of one site: takes its share of events and photos, and publishes the copy where it is the one that leads.

Everything on one thread over one connection to the broker and one to the database. Whatever it loses, it ends the turn,
its last will says so where it led, and it begins anew.
"""

from __future__ import annotations

import json
import logging
import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import psycopg

from central import database
from central.publisher import Publisher
from central.store import SiteStore
from edge import clock
from edge.errors import BadMessageError
from edge.uplink import consumer
from edge.uplink.central_store import Incoming, Progress, read_event
from edge.uplink.connection import RANDOM, Link, LinkError, LinkSettings, Will
from edge.uplink.consumer import StoredPhoto
from edge.uplink.mailbox import Arrived, Connected, Lost, Mailbox, Subscribed
from edge.uplink.topics import Topics

log = logging.getLogger(__name__)

GROUP = "centre"
"""Of the shared subscription: each message goes to one worker of it."""
AGAIN_S = 1.0
LOOK_S = 0.5
REGISTRY_S = 5.0
LEAD_S = 1.0
DAY_S = 3600.0
Say = Callable[[Mapping[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """`photos`: the folder that all workers of this centre share. `keep_months`: 0 keeps for ever."""

    url: str
    site: str
    settings: LinkSettings
    photos: Path
    keep_months: int = 0


def run(plan: Plan, say: Say, stop: threading.Event) -> None:
    """Until `stop`; begins anew by itself."""
    while not stop.is_set():
        try:
            with database.connect(plan.url) as connection:
                database.prepare(connection, today())
                Worker(plan, connection, say).serve(stop)
        except (psycopg.Error, LinkError, OSError) as error:
            say({"what": "lost", "site": plan.site, "why": f"{type(error).__name__}: {error}".strip()})
        stop.wait(AGAIN_S)


class Worker:
    def __init__(self, plan: Plan, connection: database.Connection, say: Say) -> None:
        self._plan, self._db, self._say = plan, connection, say
        self._topics = Topics(plan.site)
        self._store = SiteStore(connection, plan.site)
        self._publisher = Publisher(connection, plan.site, self._topics)
        self._instance = secrets.token_hex(8)
        self._leads = False
        self._word_due_s = self._said_s = self._look_due_s = self._keys_due_s = self._lead_due_s = 0.0
        self._want_due_s = clock.mono_s() + consumer.WANT_FIRST_S
        self._day_due_s = 0.0

    def serve(self, stop: threading.Event) -> None:
        """Raises psycopg.Error, LinkError, OSError."""
        name = f"barie-centre-{self._plan.site}-{RANDOM}"
        settings = replace(self._plan.settings, client_id=name)
        mailbox = Mailbox()
        # One that never said that the centre is there must not say that it has gone: its word is of its own instance.
        will = Will(self._topics.centre, consumer.word(self._instance, online=False))
        leads = self._publisher.lead()
        self._link = link = Link(settings, "5", mailbox, will=will if leads else None, at_once=consumer.is_event)
        try:
            link.open()
            self._start(mailbox)
            if leads:
                self._lead()
            while not stop.is_set():
                self._turn(mailbox)
        finally:
            self._goodbye(mailbox)
            link.close()

    def _start(self, mailbox: Mailbox) -> None:
        connected = consumer.answer(mailbox, Connected)
        if connected.refused:
            raise LinkError(f"broker refused: {connected.refused}", refused=True)
        root = self._topics.root
        shared = [f"$share/{GROUP}/{root}/+/{what}" for what in ("event", "evidence/+", "refused")]
        self._link.subscribe([(topic, False) for topic in (*shared, f"{root}/+/status")])
        if any(consumer.answer(mailbox, Subscribed).refused):
            raise LinkError("broker refused the subscription: check its ACL", refused=True)
        self._say({"what": "connected", "site": self._plan.site})

    def _lead(self) -> None:
        """Rule 7 of docs/protocol.md: declarations, the watch list, every lane's acknowledgement, and then the word."""
        self._leads = True
        for topic, payload in self._publisher.all():
            self._link.publish(topic, payload, retain=True)
        for progress in self._store.acked():
            self._acknowledge(progress)
        self._say_word()
        self._say({"what": "leads", "site": self._plan.site})

    def _say_word(self) -> None:
        self._link.publish(self._topics.centre, consumer.word(self._instance, online=True), retain=True)
        self._said_s = clock.mono_s()
        self._word_due_s = self._said_s + consumer.WORD_S

    def _goodbye(self, mailbox: Mailbox) -> None:
        """On purpose, or because the database is gone: a client that takes its leave has no last will."""
        if self._leads:
            with suppress(LinkError):  # then the last will says it
                self._link.publish(self._topics.centre, consumer.word(self._instance, online=False), retain=True)
                mailbox.take(0.3)

    # ------------------------------------------------------------ one turn

    def _turn(self, mailbox: Mailbox) -> None:
        letters = consumer.gather(mailbox)
        batch = [letter for letter in letters if isinstance(letter, Arrived)]
        if batch:
            self._take(batch)
        for letter in letters:
            if isinstance(letter, Lost):
                raise LinkError(f"connection lost: {letter.why}")
        self._look(clock.mono_s())

    def _look(self, now_s: float) -> None:
        """What has its own time."""
        if now_s >= self._keys_due_s:
            self._keys_due_s = now_s + REGISTRY_S
            self._store.read_registry()
        if not self._leads:
            self._try_to_lead(now_s)
            return
        if now_s >= self._look_due_s:
            self._look_due_s = now_s + LOOK_S
            for topic, payload in self._publisher.changed():
                self._link.publish(topic, payload, retain=True)
        if now_s >= self._word_due_s:
            self._db.execute("SELECT 1")  # said only while it can store
            self._say_word()
        if now_s >= self._want_due_s:
            self._want_due_s = now_s + consumer.WANT_S
            self._want()
        if now_s >= self._day_due_s:
            self._day_due_s = now_s + DAY_S
            self._keep_house()

    def _try_to_lead(self, now_s: float) -> None:
        """The one that led is gone: begin anew, as a client whose last will says when it goes."""
        if now_s >= self._lead_due_s:
            self._lead_due_s = now_s + LEAD_S
            if self._publisher.lead():
                raise LinkError("the one that led is gone: this one leads from now on")

    def _want(self) -> None:
        for lane, event_ids in self._store.photos_due(consumer.WANT_MOST).items():
            self._link.publish(self._topics.evidence_ack(lane), json.dumps({"want": event_ids}).encode())
            self._say({"what": "want", "site": self._plan.site, "lane": lane, "events": len(event_ids)})

    def _keep_house(self) -> None:
        database.prepare(self._db, today())
        if self._plan.keep_months:
            gone = database.retain(self._db, self._plan.photos, today(), self._plan.keep_months)
            if gone:
                self._say({"what": "retained", "site": self._plan.site, "gone": gone})

    # ------------------------------------------------------------ up

    def _take(self, batch: Sequence[Arrived]) -> None:
        """Photos to the disk, everything into one commit, and only then what acknowledges it."""
        events: list[Incoming] = []
        photos: list[StoredPhoto] = []
        bad: list[tuple[Arrived, str]] = []
        for letter in batch:
            try:
                self._sort(letter, events, photos)
            except BadMessageError as error:
                bad.append((letter, str(error)))
        progress: list[Progress] = []
        with self._store.commit():
            for letter, why in bad:
                self._store.set_aside(letter.topic, why, letter.payload)
            for photo in photos:
                self._store.put_photo(photo)
            if events:
                progress = self._take_events(events)
        for letter in batch:
            if not consumer.is_event(letter.topic):
                self._link.done(letter)
        for one in progress:
            self._acknowledge(one)
        for lane in sorted({photo.lane for photo in photos}):
            stored = [photo.sha256 for photo in photos if photo.lane == lane]
            self._link.publish(self._topics.evidence_ack(lane), json.dumps({"sha256": stored}).encode())

    def _sort(self, letter: Arrived, events: list[Incoming], photos: list[StoredPhoto]) -> None:
        """Raises BadMessageError: it is set aside, and what stands behind it goes on."""
        kind, lane = self._topics.parse(letter.topic)
        if kind == "event":
            event = read_event(letter.payload)
            if event["lane"] != lane or event["site"] != self._plan.site:
                raise BadMessageError("event: lane or site is not the topic's")
            events.append((event, letter.payload))
        elif kind == "evidence":
            photo = consumer.photo_of(lane, letter.topic, letter.payload, f"{today():%Y-%m}/{lane}/")
            if not self._store.has_photo(photo.sha256):
                consumer.write_photo(self._plan.photos, photo, letter.payload)
            photos.append(photo)
        elif kind == "status":
            self._status(lane, letter.payload)
        elif kind == "refused":
            topic, why, rows = consumer.told(letter.payload)
            if self._topics.parse(topic)[0] == "evidence_ack":
                self._store.drop_due(lane, rows)
            self._say({"what": "told", "site": self._plan.site, "lane": lane, "topic": topic, "why": why})

    def _status(self, lane: str, payload: bytes) -> None:
        try:
            body = json.loads(payload)
        except ValueError as error:
            raise BadMessageError("status: no JSON") from error
        if not isinstance(body, dict):
            raise BadMessageError("status: must be an object")
        self._store.status(lane, body)
        if self._leads:
            self._word_due_s = min(self._word_due_s, self._said_s + consumer.WORD_AGAIN_S)

    def _take_events(self, events: Sequence[Incoming]) -> list[Progress]:
        """Inside the commit. One that its lane's keys did not sign is set aside, and its number stays open: its gate
        has it still."""
        lanes = sorted({event["lane"] for event, _ in events})
        self._store.lock(lanes)
        good: list[Incoming] = []
        for event, payload in events:
            if why := self._store.faults(event):
                self._store.set_aside(self._topics.event(event["lane"]), why, payload)
                if why.startswith("signature"):
                    self._store.incident(event["lane"], "signature", event["seq"], why)
            else:
                good.append((event, payload))
        for (event, _), taken in zip(good, self._store.take(good) if good else [], strict=True):
            body = event["body"]
            if taken == "new" and isinstance(body, dict) and isinstance(body.get("confirmation"), dict):
                self._store.confirmed(str(body.get("declaration")), body["confirmation"])
        return [self._store.advance(lane) for lane in lanes]

    def _acknowledge(self, progress: Progress) -> None:
        self._link.publish(self._topics.ack(progress.lane), consumer.ack(progress))
        said = {"what": "ack", "site": self._plan.site, "lane": progress.lane, "seq": progress.acked}
        self._say(said | ({} if progress.missing is None else {"missing": progress.missing}))
        for seq in progress.chain_breaks:
            self._say({"what": "chain_broken", "site": self._plan.site, "lane": progress.lane, "seq": seq})


def today() -> date:
    return date.fromisoformat(clock.wall_iso()[:10])
