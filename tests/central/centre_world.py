"""A reference centre for tests: PostgreSQL in a folder of its own, workers as threads or processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psycopg
import pytest

from central import database, worker
from central.cluster import Cluster, programs
from edge.uplink.connection import LinkSettings
from tests.uplink.brokers import Stopper

TABLES = (
    "lane", "place", "event", "loss", "gate_key", "incident", "set_aside", "photo", "photo_due", "lane_status",
    "declaration", "gate_confirmation", "declaration_out", "watch", "watch_changed",
)  # fmt: skip


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    if programs() is None:
        if os.environ.get("BARIE_REQUIRE_POSTGRES"):
            pytest.fail("PostgreSQL is not installed")
        pytest.skip("PostgreSQL is not installed")
    one = Cluster()
    one.start()
    yield one
    one.close()


@pytest.fixture
def db(cluster: Cluster) -> Iterator[database.Connection]:
    """Empty tables."""
    with database.connect(cluster.url) as connection:
        database.prepare(connection, worker.today())
        connection.execute(f"TRUNCATE {', '.join(TABLES)}")
        yield connection


class Workers:
    """Of one site, each on a thread. `said` is what they told."""

    def __init__(self, url: str, site: str, settings: LinkSettings, photos: Path, count: int = 1) -> None:
        self.said: list[Mapping[str, Any]] = []
        plan = worker.Plan(url, site, settings, photos)

        def work(stop: threading.Event) -> None:
            worker.run(plan, self.said.append, stop)

        self._stoppers = [Stopper(work) for _ in range(count)]

    def told(self, what: str) -> list[Mapping[str, Any]]:
        return [one for one in self.said if one["what"] == what]

    def stop(self) -> None:
        for one in self._stoppers:
            one.stop()


class WorkerProcess:
    """`barie central --store`, to be killed."""

    def __init__(self, url: str, broker: str, sites: list[str], photos: Path, *more: str) -> None:
        self._line = [sys.executable, "-m", "edge", "central", "--store", url, "--broker", broker]
        self._line += ["--photos", str(photos), *more]
        for site in sites:
            self._line += ["--site", site]
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(self._line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def kill(self) -> None:
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.wait()


def seqs(db: database.Connection, site: str, lane: str) -> list[int]:
    rows = db.execute("SELECT seq FROM event WHERE site = %s AND lane = %s ORDER BY seq", (site, lane)).fetchall()
    return [seq for (seq,) in rows]


def count(db: database.Connection, sql: str, *values: object) -> int:
    row = db.execute(sql, values).fetchone()
    assert row is not None
    return int(row[0])


__all__ = ["Cluster", "WorkerProcess", "Workers", "cluster", "count", "db", "psycopg", "seqs"]
