"""A gate's record and a centre for the record's tests. Everything real; plates, names and numbers are invented."""

from __future__ import annotations

import itertools
import json
import sqlite3
import threading
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from edge.config import MqttConfig
from edge.core.model import Confirmation
from edge.core.record.events import Anchor
from edge.store import Store, StoreInbox, db
from edge.store.counter import CounterFile, Counters
from edge.store.keys import load_or_create_signer
from edge.uplink.central import run_central
from edge.uplink.connection import RANDOM, LinkSettings, Protocol
from edge.uplink.mqtt import Uplink
from edge.uplink.parts import Pace
from tests.uplink.brokers import Stopper

SITE = "testsite"
FAST = Pace(quiet_s=0.3, poll_s=0.3, settle_s=0.3, torn_s=1.0, backoff_min_s=0.1, backoff_max_s=0.3)
GIVEN = Confirmation("b1_out", "BG", "pass", "2026-11-20T09:10:00+07:00", "BP-0107", "gate")


def open_store(folder: Path, *, lanes: tuple[str, ...] = ("b1",), **options: Any) -> Store:
    signer = load_or_create_signer(folder / "keys")
    return Store.open(folder, site=SITE, lanes=lanes, signer=signer, **{"keep_acknowledged_s": 0, **options})


def write_counters(folder: Path) -> None:
    """The second copy of the counters, beside a database that was made by hand."""
    with closing(db.connect(folder / db.NAME, readonly=True)) as connection:
        rows = connection.execute("SELECT lane, next_seq - 1, last_hash, acked_seq FROM lane").fetchall()
    counters = CounterFile(folder / "counters")
    counters.write(Counters({row[0]: Anchor(row[1], row[2]) for row in rows}, {row[0]: row[3] for row in rows}))
    counters.close()


def record(store: Store, count: int, lane: str = "b1") -> None:
    for number in range(count):
        with store.transaction(lane) as tx:
            tx.event("passage", {"number": number})


def declaration(declaration_id: str = "CKS-1", version: int = 1, **more: Any) -> dict[str, Any]:
    vehicle = {"role": "vehicle", "plate": "12C-123.45", "country": "VN"}
    base = {"id": declaration_id, "version": version, "state": "active", "procedure": "EX-IN"}
    return {**base, "declared_at": "2026-11-20T08:00:00+07:00", "vehicles": [vehicle], **more}


def payload(declaration_id: str = "CKS-1", version: int = 1, **more: Any) -> bytes:
    return json.dumps(declaration(declaration_id, version, **more)).encode()


def mqtt(port: int, **more: Any) -> MqttConfig:
    return MqttConfig(host="127.0.0.1", port=port, **{"resend_s": 1.0, **more})


def uplink(
    store: Store,
    port: int,
    *,
    on_command: Callable[[str, bytes, bool], None] = lambda *_: None,
    pace: Mapping[str, float] = MappingProxyType({}),
    **more: Any,
) -> Uplink:
    inbox = StoreInbox(store, on_command)
    waits = replace(FAST, **pace)
    return Uplink(SITE, mqtt(port, **more), store, inbox, lambda lane: {"version": "test"}, pace=waits)


class Centre:
    """`barie central` on a thread, its lines and its database."""

    def __init__(self, port: int, folder: Path, declarations: Path | None = None, *, protocol: Protocol = "5") -> None:
        self.lines: list[dict[str, Any]] = []
        self.db = folder / "central.db"

        def work(stop: threading.Event) -> None:
            settings = LinkSettings("127.0.0.1", port, f"barie-central-{SITE}-{RANDOM}")
            run_central(settings, declarations, self.db, SITE, out=self._take, stop=stop, protocol=protocol)

        self._stopper = Stopper(work)

    def _take(self, lines: str) -> None:
        self.lines += [json.loads(line) for line in lines.splitlines()]

    def said(self, what: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["what"] == what]

    def stop(self) -> None:
        self._stopper.stop()

    def seqs(self, lane: str = "b1") -> list[int]:
        return [row[0] for row in self._rows("SELECT seq FROM event WHERE lane = ? ORDER BY rowid", lane)]

    def whole(self, lane: str, count: int) -> bool:
        """Exactly 1 … count, each once, the chain unbroken."""
        seqs = sorted(self.seqs(lane))
        return seqs == list(itertools.chain(range(1, count + 1))) and not self.said("chain_broken")

    def _rows(self, sql: str, *values: Any) -> list[Any]:
        if not self.db.exists():
            return []
        connection = sqlite3.connect(self.db)
        try:
            return connection.execute(sql, values).fetchall()
        except sqlite3.OperationalError:  # not made yet
            return []
        finally:
            connection.close()
