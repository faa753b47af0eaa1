"""The record of one gate: one SQLite file, one writer under one lock, one reader beside it that never waits for an
fsync."""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from functools import cache
from pathlib import Path
from typing import IO, TypeVar

from edge import errors, resources
from edge.core.law.declaration_json import confirmation_to_json
from edge.core.law.rules import parse_rules
from edge.core.plate import skeleton
from edge.core.plate import table as plate
from edge.core.plate.skeleton import Skeletons
from edge.core.record import events
from edge.core.record.events import Anchor, ChainFault
from edge.ports import OutgoingEvent
from edge.store import db, declarations, evidence, fork, journal, keys, leaving, notes, recovery, watch
from edge.store.clocks import Clocks
from edge.store.counter import CounterFile, Counters
from edge.store.deciding import Deciding
from edge.store.evidence import StagedEvidence
from edge.store.housekeeping import Housekeeping
from edge.store.photos import CENTRE, Photos
from edge.store.questions import Questions
from edge.store.room import Limits, Room
from edge.store.transaction import Transaction

log = logging.getLogger(__name__)

T = TypeVar("T")

PAPER_ID = "PAPER-"
"""How ids begin that only this gate knows."""


class Store(Questions, Housekeeping, Photos):
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


@cache
def shipped_holders() -> frozenset[str]:
    """The authorities of the shipped rule table whose hold takes two people to lift. Raises ConfigError."""
    return parse_rules(*resources.config_text("procedures.toml")).holders


def plate_skeletons() -> Skeletons:
    """The shipped rules of which plates look alike, for the watch list. Raises ConfigError."""
    fits = plate.parse(*resources.config_text("plates.toml")).fits
    return skeleton.parse(*resources.config_text("watch.toml"), fits)
