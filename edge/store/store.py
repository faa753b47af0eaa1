"""The record of one gate: one SQLite file, one writer under one lock, one reader beside it that never waits for an
fsync."""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from functools import cache
from pathlib import Path
from typing import IO, Any, Literal, TypeVar

from edge import clock, errors, resources
from edge.core.bodies import Deleted, DeletedOnRequest, PhotosGone
from edge.core.law.declaration_json import confirmation_to_json
from edge.core.law.lookup import normal_plate
from edge.core.law.rules import parse_rules
from edge.core.law.terms import SYSTEM
from edge.core.model import Declaration
from edge.core.plate import skeleton
from edge.core.plate import table as plate
from edge.core.plate.skeleton import Skeletons
from edge.core.record import events
from edge.core.record.events import Anchor, ChainFault
from edge.ports import OutgoingEvent, OutgoingEvidence
from edge.store import db, declarations, evidence, fork, journal, keys, leaving, notes, recovery, watch
from edge.store import transaction as tx
from edge.store.clocks import Clocks
from edge.store.counter import CounterFile, Counters
from edge.store.deciding import Deciding
from edge.store.evidence import Going, StagedEvidence
from edge.store.journal import Unacknowledged
from edge.store.room import Level, Limits, Room
from edge.store.transaction import Transaction

log = logging.getLogger(__name__)

T = TypeVar("T")

PAPER_ID = "PAPER-"
"""How ids begin that only this gate knows."""

DELETED = "deleted"
"""The note, by lane, of what housekeeping deleted since the last event that told of it."""
LOST: Literal["photos_lost"] = "photos_lost"
"""Code of the alarm about photos that had to go though the centre does not have them."""
NAMED_TOGETHER = 50
CENTRE = "centre"
"""The kind of note of what this centre is known to do: `tells` whether it is there, `photos` acknowledge."""
ASIDE: Literal["photos_aside"] = "photos_aside"
"""Code of the alarm about photos that cannot be sent; they stay here."""


class Store:
    """Thread safe. Raises StoreError or StoreFullError from every method that touches the disk.

    `findings` says what was wrong at the start (photos missing, database set aside), in words for the technician.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        site: str,
        lanes: Sequence[str],
        sign: events.Signer | None,
        check: events.SignatureCheck | None,
        clocks: Clocks,
        keep_acknowledged_s: int,
        evidence_budget_mb: int,
        limits: Limits,
        held: IO[str],
        skeletons: Skeletons,
        holders: frozenset[str],
    ) -> None:
        self._skeletons = skeletons
        self._holders = holders
        self._site, self._lanes, self._sign, self._check = site, tuple(lanes), sign, check
        self._clocks, self._held = clocks, held
        self._keep_ms, self._budget_bytes = keep_acknowledged_s * 1000, evidence_budget_mb * 1_000_000
        self._path, self._evidence = data_dir / db.NAME, data_dir / "evidence"
        self._write_lock, self._read_lock = threading.RLock(), threading.Lock()
        self._room = Room(data_dir, limits)
        self._counter = CounterFile(data_dir / "counters")
        self.findings: list[str] = []
        self.troubles: dict[str, str] = {}
        """What was found of this record since the start that a person must know: code by what it is about."""
        self._proven: dict[str, int] = {}
        self._db = self._open_database(data_dir)
        self._reader = db.connect(data_dir / db.NAME, readonly=True)
        self._sender, self._sender_lock = db.connect(data_dir / db.NAME, readonly=True), threading.Lock()
        self._deciding, self._durable = Deciding(), True
        for lane in lanes:
            self._record_overlap(lane)  # that a crash interrupted
        self._look_at_list()
        self._refused = frozenset(self.notes(declarations.REFUSED))
        self._tidy_evidence()
        self._room.keep_reserve()

    @classmethod
    def open(
        cls,
        data_dir: Path,
        *,
        site: str,
        lanes: Sequence[str],
        signer: events.Signer | None = None,
        check: events.SignatureCheck | None = None,
        clocks: Clocks | None = None,
        keep_acknowledged_s: int = 30 * 86_400,
        evidence_budget_mb: int = 20_000,
        limits: Limits | None = None,
        skeletons: Skeletons | None = None,
        holders: frozenset[str] | None = None,
    ) -> Store:
        """Open or make the record in `data_dir`, which no other process may hold.

        `keep_acknowledged_s`: how long an event stays here after the centre has it, until it has said so twice
        (leaving.py); 0 prunes at once and on the centre's first word, which no config can ask for. `check` proves
        signatures in `verify`; without it the key in data_dir/keys is used where there is one. `skeletons`: what
        holds a plate, without it config/watch.toml. `holders`: whose hold takes two people to lift (`Rules.holders`),
        without it the shipped rule table's.
        """
        held = db.lock(data_dir)
        try:
            with db.translated(f"opening the record in {data_dir}"):
                return cls(
                    data_dir,
                    site=site,
                    lanes=lanes,
                    sign=signer,
                    check=check or keys.public_check(data_dir / "keys"),
                    clocks=clocks or Clocks(),
                    keep_acknowledged_s=keep_acknowledged_s,
                    evidence_budget_mb=evidence_budget_mb,
                    limits=limits or Limits(),
                    held=held,
                    skeletons=skeletons or plate_skeletons(),
                    holders=shipped_holders() if holders is None else holders,
                )
        except BaseException:
            held.close()
            raise

    def close(self) -> None:
        with self._write_lock, self._read_lock, self._sender_lock:
            self._reader.close()
            self._sender.close()
            self._db.close()
            self._counter.sync()
            self._counter.close()
            self._held.close()

    def _open_database(self, data_dir: Path) -> sqlite3.Connection:
        (data_dir / "evidence").mkdir(exist_ok=True)
        label = self._clocks.wall_iso().replace(":", "")
        connection, rescued = recovery.open_or_recover(data_dir, self._counter.found, label, self._check)
        known = self._counter.found or Counters()
        with db.transaction(connection, "adding lanes"):
            recovery.meet_site(connection, self._site)
            for lane in self._lanes:
                journal.add_lane(connection, lane, known.lanes.get(lane, Anchor()))
            watch.meet_table(connection, self._skeletons)
            recovery.raise_serial(connection, known.permit_serial)
            if rescued is not None and rescued.code in (recovery.GONE, recovery.COUNTERS_GONE):
                for lane in self._lanes:
                    self._transaction(connection, lane).tell(rescued.bodies(lane)[0])
            for lane, body in recovery.take_alarms(connection):
                self._transaction(connection, lane).event("alarm", body)
        self.findings += [rescued.words()] if rescued is not None else []
        self.troubles |= {"record": rescued.code} if rescued is not None else {}
        recovery.mark_begun(data_dir, self._site, label)
        self._db = connection
        self._copy_counters()
        return connection

    def _tidy_evidence(self) -> None:
        aside = evidence.set_orphans_aside(self._db, self._evidence, self._evidence.parent / "orphans")
        if aside:
            log.warning("%d photos that nothing names were put into orphans/", aside)
        self.findings += [f"photo {one} is missing on disk" for one in evidence.missing(self._db, self._evidence)]

    # ------------------------------------------------------------ writing

    @contextmanager
    def transaction(self, lane: str) -> Iterator[Transaction]:
        """All or nothing; when the block has ended without an error, everything in it is on disk."""
        with self._deciding, self._writing(f"recording on lane {lane}") as connection:
            yield self._transaction(connection, lane)

    def _transaction(self, connection: sqlite3.Connection, lane: str) -> Transaction:
        return Transaction(connection, site=self._site, lane=lane, clocks=self._clocks, sign=self._sign)

    @contextmanager
    def _writing(self, doing: str, *, durable: bool = True) -> Iterator[sqlite3.Connection]:
        """`durable=False` is for what comes again by itself: it is whole and in order, but a power failure may take it
        back until the next durable commit. A killed process loses nothing of it."""
        with self._write_lock:
            if durable != self._durable:
                db.set_durable(self._db, durable)
                self._durable = durable
            with db.translated(doing):
                self._room.make_way()
            with db.transaction(self._db, doing):
                yield self._db
            with db.translated("writing the second copy of the counters"):
                self._copy_counters()

    def _copy_counters(self) -> None:
        rows = self._db.execute(
            "SELECT lane, next_seq - 1, last_hash, acked_seq, max(value, permit_serial) FROM lane, counter"
            " WHERE name = 'permit_serial'"
        ).fetchall()
        tips = {lane: Anchor(seq, last) for lane, seq, last, _, _ in rows}
        serial = max((row[4] for row in rows), default=0)
        fresh = Counters(tips, {row[0]: row[3] for row in rows}, serial)
        if fresh != self._counter.found:
            self._counter.write(fresh)
            self._counter.found = fresh

    def stage_evidence(self, jpeg: bytes, *, name: str = "photo") -> StagedEvidence:
        """Put a photo on disk before the event that will name it. Waits for the disk: not on an event loop.

        StoreFullError where what room is left is kept for events: record the event without its photos then."""
        if self.room() == "full":
            raise errors.StoreFullError("no room for photos: what is left is kept for the record itself")
        with db.translated("writing a photo"):
            day = self._clocks.wall_iso()[:10]
            return evidence.stage(self._evidence, day, self._clocks.new_id(), jpeg, self._clocks.wall_ms(), name)

    # ------------------------------------------------------------ checking

    def verify(self) -> list[ChainFault]:
        """The first fault of each lane's chain; empty where all hold."""
        with db.translated("verifying the record"), closing(db.connect(self._path, readonly=True)) as connection:
            return journal.verify(connection, self._site, self._check)

    # ------------------------------------------------------------ from the centre (ports.Inbox behind edge.store.inbox)

    def put_declaration(
        self, declaration_id: str, payload: bytes, known_procedure: Callable[[str], bool] | None = None
    ) -> bool:
        """True where the copy changed. Raises BadMessageError, and then the version that was here stays."""
        fault: errors.BadMessageError | None = None
        changed, refused = False, None
        self._deciding.give_way()
        with self._writing("storing a declaration", durable=False) as connection:
            if payload:
                declarations.mark_seen(connection, declaration_id)
            try:
                changed = declarations.put(connection, declaration_id, payload, self._clocks.wall_ms(), known_procedure)
            except errors.BadMessageError as error:
                fault, refused = error, None if isinstance(error, errors.OldMessageError) else str(error)
            if refused is not None or declaration_id in self._refused:
                declarations.refuse(connection, declaration_id, refused)
        self._refused = self._refused - {declaration_id} | ({declaration_id} if refused is not None else frozenset())
        if fault is not None:
            raise fault
        return changed

    def put_watchlist(self, payload: bytes, piece: int = watch.WHOLE) -> bool:
        """`watchlist`, or `watchlist/{piece}`. True where the list changed.

        Raises BadMessageError: nothing of it can be read; the list before stands, and the copy is not fresh until one
        that can be read has come. HalfTakenError: good rows count, the bad ones are named.
        """
        topic = "watchlist" if piece == watch.WHOLE else f"watchlist/{piece}"
        with self._writing_list() as connection:
            declarations.watch_seen(connection, gone=not payload)
        try:
            changed, faults = watch.take(self._writing_list, self._skeletons, piece, payload, self._holders)
        except errors.BadMessageError as error:
            with self._writing("refusing a watch list") as connection:
                watch.refuse(connection, topic, str(error))
            raise
        finally:
            self._look_at_list()
        with self._writing_list() as connection:
            watch.refuse(connection, topic, None)
        self._look_at_list()
        if faults:
            raise errors.HalfTakenError(f"{topic}: {len(faults)} rows are bad or fit no plate", faults, changed)
        return changed

    def _writing_list(self) -> AbstractContextManager[sqlite3.Connection]:
        self._deciding.give_way()
        return self._writing("storing the watch list", durable=False)

    def _look_at_list(self) -> None:
        self.watch_state = self._read(watch.state)

    def begin_copy(self) -> None:
        """Before a subscribe: from now on every retained message is about to be seen again."""
        with self._writing("beginning a copy", durable=False) as connection:
            declarations.begin_copy(connection)

    def mark_copy_complete(self, *, fresh: bool = True) -> int | None:
        """How many declarations were found removed; None where the broker showed nothing at all, which proves
        nothing. Without `fresh` the centre is not there: what was removed goes, and the copy keeps its age."""
        with self._writing("completing a copy") as connection:
            if declarations.watch_unseen(connection):
                watch.refuse(connection, "watchlist", "the broker did not show it, though there was one")
            fresh = fresh and watch.state(connection).whole
            removed = declarations.complete_copy(connection, self._clocks.now(), fresh=fresh)
        self._look_at_list()
        return removed

    def put_peer(self, lane: str, declaration_id: str, payload: bytes) -> bool:
        """What another gate of the site confirmed. True where it changed. Raises BadMessageError."""
        if lane in self._lanes:
            return False
        self._deciding.give_way()
        with self._writing("taking a peer's word", durable=False) as connection:
            return declarations.put_peer(connection, lane, declaration_id, payload)

    def laid(self) -> dict[str, bytes]:
        """For the site's other gates: this gate's confirmations that the centre does not carry yet, by declaration."""
        self._deciding.give_way()
        with self._sender_lock, db.translated("reading the record"):
            found = declarations.laid(self._sender)
        return {
            declaration_id: json.dumps(
                {"declaration": declaration_id, "confirmations": [confirmation_to_json(one) for one in given]},
                ensure_ascii=False,
            ).encode()
            for declaration_id, given in found.items()
            if not declaration_id.startswith(PAPER_ID)
        }

    def keep_copy_fresh(self) -> None:
        """The centre is there and nothing of it was missed: the copy's age counts from now on, over a restart too."""
        if not self.watch_state.whole:
            return
        self._deciding.give_way()
        with self._writing("keeping the copy fresh", durable=False) as connection:
            declarations.keep_fresh(connection, self._clocks.now())

    def centre_tells(self) -> bool:
        return bool(self.notes(CENTRE, "tells"))

    def remember_centre(self, tells: bool) -> None:
        with self._writing("remembering that the centre tells", durable=False) as connection:
            notes.put(connection, CENTRE, "tells", {"at": self._clocks.wall_iso()} if tells else None)

    def set_aside(self, topic: str, payload: bytes, why: str) -> None:
        self._deciding.give_way()
        with self._writing("setting a message aside", durable=False) as connection:
            declarations.set_aside(connection, topic, payload, why, self._clocks.wall_iso())

    # ------------------------------------------------------------ to the centre (ports.Outbox, ports.EvidenceOutbox)

    def lanes(self) -> Sequence[str]:
        return self._lanes

    def pending(self, lane: str, after_seq: int, limit: int) -> list[OutgoingEvent]:
        """A decision that is being written goes first, for a moment: sending can wait."""
        self._deciding.give_way()
        with self._sender_lock, db.translated("reading the record"):
            return journal.pending(self._sender, lane, after_seq, limit)

    def acknowledge(self, lane: str, seq: int) -> int:
        with self._writing(f"taking an acknowledgement for lane {lane}", durable=False) as connection:
            covered = journal.acknowledge(connection, lane, seq)
            leaving.acknowledged(connection, lane, seq)
            if covered and self._keep_ms == 0:
                journal.prune(connection, lane, journal.ALL)
            return covered

    def fits(self, lane: str, seq: int, digest: str | None) -> bool:
        """`ports.Outbox`. One that fits by its hash is remembered: up to there both histories are one."""
        fits = self._read(lambda c: journal.fits(c, lane, seq, digest))
        if fits and digest is not None and seq > self._proven.get(lane, 0):
            with self._writing(f"proving lane {lane}", durable=False) as connection:
                fork.prove(connection, lane, seq)
            self._proven[lane] = seq
        return fits

    def forked(self, lane: str, seq: int, digest: str | None) -> int:
        """`ports.Outbox`: docs/storage.md, "Two histories"."""
        with self._writing(f"taking a fork of lane {lane}") as connection:
            leaving.stay(connection, lane)
            jumped = fork.begin(connection, self._transaction(connection, lane), lane, seq, digest)
        self._proven[lane] = jumped
        self.troubles[f"{lane}/{fork.FORKED}"] = fork.FORKED
        log.error(
            "lane %s: the centre's event %d is not ours: a copy was put back, or a twin runs; numbers go on from %d",
            lane, seq, jumped + 1,
        )  # fmt: skip
        self._record_overlap(lane)
        return jumped

    def _record_overlap(self, lane: str) -> None:
        more = True
        while more:
            self._deciding.give_way()
            with self._writing(f"recording the overlap of lane {lane}") as connection:
                more = fork.record_again(connection, self._transaction(connection, lane), lane)

    def go_back(self, lane: str, seq: int) -> int:
        """A centre without its store: acknowledged events count as unsent again as far as they are here. What is gone
        is told once, by an alarm that is still to be sent."""
        with self._writing(f"going back on lane {lane}") as connection:
            leaving.stay(connection, lane)
            back = journal.go_back(connection, lane, seq)
            if back > seq:
                self._transaction(connection, lane).tell_gone(seq + 1, back)
        log.warning(
            "lane %s: the centre has nothing behind event %d any more: sending again from %d", lane, seq, back + 1
        )
        return back

    # ------------------------------------------------- questions: of the reader, which waits for no fsync

    def _read(self, ask: Callable[[sqlite3.Connection], T]) -> T:
        with self._read_lock, db.translated("reading the record"):
            return ask(self._reader)

    def declaration(self, declaration_id: str) -> Declaration | None:
        """With this gate's own confirmations laid over."""
        return self._read(lambda c: declarations.get(c, declaration_id))

    def declarations_for_plate(self, plate: str) -> list[Declaration]:
        """Exact plate only; the active ones first, the newest of each first."""
        return self._read(lambda c: declarations.for_plate(c, plate))

    def watch(self, plate: str, *, customs: bool = False) -> str | None:
        """Why this plate must be held, or None: by its skeleton, so that no spelling lets it by (config/watch.toml).
        `customs`: asked for by customs, which takes two people to override."""
        hit = self._read(lambda c: watch.find(c, self._skeletons, plate, normal_plate, customs=customs))
        return None if hit is None else hit.words

    def refused_declarations(self) -> int:
        """How many declarations have a newest message that was not taken: the version here may be out of date."""
        return len(self._refused)

    def is_refused(self, declaration_id: str) -> bool:
        return declaration_id in self._refused

    def copy_seen_at(self) -> str | None:
        """When all of the centre's retained messages had last been seen, by the wall clock; None: never."""
        row = self._read(lambda c: c.execute("SELECT seen_ms FROM copy").fetchone())
        return None if row[0] is None else clock.iso(row[0] * 1_000_000)

    def copy_age_s(self) -> float | None:
        """How old the copy is, for the staleness that the law asks for; None: never complete."""
        return self._read(lambda c: declarations.copy_age_s(c, self._clocks.now()))

    def action(self, key: str) -> dict[str, Any] | None:
        """The answer that the press with this key got, or None."""
        return self._read(lambda c: tx.action(c, key))

    def recent(self, lane: str, limit: int = 50) -> list[dict[str, Any]]:
        """The newest envelopes of a lane, newest first."""
        return [json.loads(one) for one in self._read(lambda c: journal.recent(c, lane, limit))]

    def evidence_path(self, evidence_id: str) -> Path | None:
        """The photo's file, or None where the record knows none or the file is gone."""
        row = self._read(lambda c: c.execute("SELECT path FROM evidence WHERE id = ?", (evidence_id,)).fetchone())
        path = self._evidence / row[0] if row else None
        return path if path is not None and path.is_file() else None

    def unacknowledged(self, lane: str) -> Unacknowledged:
        return self._read(lambda c: journal.unacknowledged(c, lane))

    def tip(self, lane: str) -> Anchor:
        """Number and hash of the lane's last event."""
        return self._read(lambda c: journal.tip(c, lane))

    def set_aside_count(self) -> int:
        row = self._read(lambda c: c.execute("SELECT value FROM counter WHERE name = 'set_aside'").fetchone())
        return int(row[0])

    def notes(self, kind: str, key: str | None = None) -> dict[str, dict[str, Any]]:
        """What the gate remembers under this kind (docs/storage.md), by key; only the one of `key` where it is
        given."""
        return self._read(lambda c: notes.all_of(c, kind, key))

    def declared(self, plates: Collection[str]) -> list[str]:
        """Which of these normalised plates an active declaration names."""
        return self._read(lambda c: declarations.declared(c, plates))

    def declarations_active(self) -> list[Declaration]:
        """Every active declaration. Reads them all: for a person's search, not for every passage."""
        return self._read(declarations.active)

    def declarations_inside(self) -> list[Declaration]:
        """Active declarations whose vehicle went through some barrier already. Reads them all: not for every
        passage."""
        return self._read(declarations.passed_somewhere)

    # ---------------------------------------------------------------- what goes again, and the record of it

    def room(self) -> Level:
        """ "ok"; "low": a person should make room; "full": no photos, and nothing may open by itself."""
        with db.translated("looking for room"):
            return self._room.level()

    def keep(self, keep_acknowledged_s: int, evidence_budget_mb: int) -> None:
        """Other limits, from the next `prune` on."""
        self._keep_ms, self._budget_bytes = keep_acknowledged_s * 1000, evidence_budget_mb * 1_000_000

    def prune(self) -> int:
        """Every minute or so: some of the old acknowledged events (leaving.py) and their photos, photos over the
        budget, old answers. How many events. Once a day an event of each lane says how much went, and why."""
        today = self._today()
        with self._writing("pruning") as connection:
            now_ms = self._patient_ms(connection)
            cap = leaving.cap(connection, now_ms)
            gone: dict[str, int] = {}
            for lane in journal.lanes(connection):
                most = min(leaving.EVENTS_TOGETHER, cap.events)
                gone[lane] = leaving.events(connection, lane, now_ms - self._keep_ms, most)
                cap.events -= gone[lane]
            going = self._forget_photos(connection, cap)
            if min(cap.events, cap.photos) <= 0 and not cap.reached:
                cap.reached = True
                log.warning("as much was deleted today as may be in a day (events, photos): the rest waits")
            cap.keep(connection)
            tx.forget_old(connection, now_ms)
            self._tell_lost(connection, [one for one in going if one.here_only])
            for lane, events in gone.items():
                self._tell(connection, lane, today, events, [one for one in going if one.lane == lane])
        with db.translated("pruning photos"):
            db.checkpoint(self._path)
            evidence.remove(self._evidence, going, today)
            self._counter.sync()
            self._room.keep_reserve()
        return sum(gone.values())

    def _patient_ms(self, connection: sqlite3.Connection) -> int:
        """The time by which things are old: never ahead of the wall clock, and never faster than twice the monotonic
        one, so that no step of a clock erases a record. It stands still while the clock is not synchronised, whatever
        that says; what a machine was off for is made up for at double speed. Inside the caller's transaction."""
        wall_ms, mono_ns, boot = self._clocks.now()
        known = notes.all_of(connection, tx.PATIENT, "clock").get("clock")
        if known is None:
            newest = connection.execute("SELECT max(recorded_ms) FROM event").fetchone()[0]
            patient_ms = wall_ms if newest is None else min(wall_ms, int(newest))
        else:
            passed_ms = (mono_ns - int(known["mono_ns"])) // 1_000_000 if boot == known["boot"] else 0
            ms = int(known["ms"])
            trusted = self._clocks.state() == "synced"
            patient_ms = min(wall_ms, ms + 2 * max(0, passed_ms)) if trusted else ms
        notes.put(connection, tx.PATIENT, "clock", {"ms": patient_ms, "mono_ns": mono_ns, "boot": boot})
        return patient_ms

    def _forget_photos(self, connection: sqlite3.Connection, cap: leaving.Cap) -> list[Going]:
        """For room that the disk has not, as many as it takes; for the budget, as many as the day's cap allows."""
        full, short = self.room() == "full", self._room.short_bytes()
        old = evidence.over_age(connection)
        evidence.forget(connection, old)
        room = evidence.over_budget(connection, self._budget_bytes, short_bytes=short, unsent_too=full)
        if not short:
            room = room[: max(0, min(leaving.PHOTOS_TOGETHER, cap.photos))]
            cap.photos -= len(room)
        evidence.forget(connection, room)
        return [*old, *room]

    def _tell(self, connection: sqlite3.Connection, lane: str, today: str, events: int, going: list[Going]) -> None:
        """Count it for the day; what was counted on another day becomes an event."""
        told = notes.all_of(connection, DELETED, lane).get(lane)
        if told is not None and told["day"] != today:
            self._transaction(connection, lane).tell(Deleted(by=SYSTEM, **told))
            notes.put(connection, DELETED, lane, None)
            told = None
        if events or going:
            notes.put(connection, DELETED, lane, counted(told or {"day": today}, events, going))

    def _tell_lost(self, connection: sqlite3.Connection, lost: list[Going]) -> None:
        """Photos that the centre never said to have: each is named, in the transaction that lets it go."""
        for lane in sorted({one.lane for one in lost}):
            mine = [one for one in lost if one.lane == lane]
            for first in range(0, len(mine), NAMED_TOGETHER):
                some = mine[first : first + NAMED_TOGETHER]
                body = PhotosGone(code=LOST, why=some[0].why, photos=[one.named() for one in some])
                self._transaction(connection, lane).tell(body)
        if lost:
            self.troubles[LOST] = LOST
            log.error("%d photos went that the centre never said to have", len(lost))

    def erase(self, passages: Collection[str], by: str, reason: str) -> list[str]:
        """Delete the photos of these passages because somebody asked; their ids. The event that says so is in the same
        transaction, and names them for the centre. Nothing is recorded where there is none."""
        with db.translated("looking for photos"), closing(db.connect(self._path, readonly=True)) as connection:
            going = evidence.of_passages(connection, passages)
        if not going:
            return []
        with self._writing("deleting photos") as connection:
            evidence.forget(connection, going)
            for lane in sorted({one.lane for one in going}):
                mine = [one for one in going if one.lane == lane]
                told = DeletedOnRequest(
                    by=by,
                    reason=reason,
                    photos={"asked": len(mine)},
                    bytes=sum(one.size for one in mine),
                    photo_ids=[one.id for one in mine],
                    passages=sorted(passages),
                )
                self._transaction(connection, lane).tell(told)
        with db.translated("deleting photos"):
            evidence.remove(self._evidence, going, self._today())
        return [one.id for one in going]

    def _today(self) -> str:
        return self._clocks.wall_iso()[:10]

    # ---------------------------------------------------------------- photos for the centre (ports.EvidenceOutbox)

    def next_evidence(self, lane: str, but: Collection[str] = ()) -> OutgoingEvidence | None:
        while (row := self._read(lambda c: evidence.next_unsent(c, lane, but))) is not None:
            photo_id, event_id, path, sha256, passage = row
            try:
                with db.translated("reading a photo"):
                    jpeg = (self._evidence / path).read_bytes()
            except errors.StoreError as error:
                log.error("photo %s cannot be sent: %s", photo_id, error)
                self._mark(photo_id, evidence.UNREADABLE)
                continue
            return OutgoingEvidence(photo_id, lane, event_id, jpeg, sha256, passage)
        return None

    def photos_acknowledged(self) -> bool:
        return bool(self._read(lambda c: notes.all_of(c, CENTRE, "photos")))

    def evidence_sent(self, evidence_id: str) -> None:
        self._mark(evidence_id, evidence.SENT)

    def _mark(self, evidence_id: str, state: int) -> None:
        with self._writing("marking a photo", durable=False) as connection:
            connection.execute("UPDATE evidence SET sent = ? WHERE id = ?", (state, evidence_id))

    def evidence_stored(self, lane: str, sha256: Collection[str]) -> int:
        with self._writing("taking an acknowledgement of photos", durable=False) as connection:
            if not notes.all_of(connection, CENTRE, "photos"):
                notes.put(connection, CENTRE, "photos", {"acknowledged": True})
            return evidence.stored(connection, lane, sha256)

    def evidence_wanted(self, lane: str, event_ids: Collection[str]) -> list[str]:
        with self._writing("taking a wish for photos", durable=False) as connection:
            return evidence.wanted(connection, lane, event_ids)

    def evidence_set_aside(self, evidence_id: str, why: str) -> None:
        with self._writing("setting a photo aside") as connection:
            found = evidence.set_aside(connection, evidence_id)
            if found is not None:
                lane, named = found
                self._transaction(connection, lane).tell(PhotosGone(code=ASIDE, why=why, photos=[named]))
        log.error("photo %s is set aside: %s", evidence_id, why)

    def evidence_retry(self, most_bytes: int) -> None:
        if not self._read(evidence.any_aside):
            return
        with self._writing("trying photos again", durable=False) as connection:
            evidence.retry(connection, most_bytes)


@cache
def shipped_holders() -> frozenset[str]:
    """The authorities of the shipped rule table whose hold takes two people to lift. Raises ConfigError."""
    return parse_rules(*resources.config_text("procedures.toml")).holders


def plate_skeletons() -> Skeletons:
    """The shipped rules of which plates look alike, for the watch list. Raises ConfigError."""
    fits = plate.parse(*resources.config_text("plates.toml")).fits
    return skeleton.parse(*resources.config_text("watch.toml"), fits)


def counted(before: dict[str, Any], events: int, going: Iterable[Going]) -> dict[str, Any]:
    """The day's tally with these added: `events`, `photos` by reason, `bytes`."""
    photos = Counter({str(why): int(count) for why, count in before.get("photos", {}).items()})
    size = int(before.get("bytes", 0))
    for one in going:
        photos[one.why] += 1
        size += one.size
    return {**before, "events": int(before.get("events", 0)) + events, "photos": dict(photos), "bytes": size}
