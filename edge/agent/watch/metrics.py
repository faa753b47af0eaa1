"""What the gate counts and measures for those who watch it from afar: Prometheus metrics on 127.0.0.1.

Counts grow where the record is written (`recorded`), so they say what is on disk; everything that is a state is looked
up when Prometheus asks. Labels are lanes, cameras and codes, never a plate or a person.
"""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any, Protocol
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, make_wsgi_app
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from edge import __version__, clock
from edge.core.bodies import Body, Ended, Seen, SeenPlate
from edge.core.view import HealthView
from edge.errors import BarieError, StoreError
from firmware_io.loop import Snapshot

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
THERMAL = Path("/sys/class/thermal")
CLOCKS = ("synced", "holdover", "unset")

REGISTRY = CollectorRegistry()
EVENTS = Counter("barie_events", "Events written to the record", ["lane", "kind", "stage"], registry=REGISTRY)
PASSAGES = Counter("barie_passages", "Passages that ended", ["lane", "outcome"], registry=REGISTRY)
READS = Counter(
    "barie_reads", "Passages by how the plate was known: read, typed, unread", ["lane", "how"], registry=REGISTRY
)
VERDICTS = Counter("barie_verdicts", "Verdicts of the passages that were seen", ["lane", "verdict"], registry=REGISTRY)
OVERRIDES = Counter("barie_overrides", "Passages let through by a person's override", ["lane"], registry=REGISTRY)
DECISION_S = Histogram(
    "barie_decision_seconds", "From the frame that decided the plate to the verdict on disk", ["lane"],
    buckets=(0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 30), registry=REGISTRY,
)  # fmt: skip


def recorded(lane: str, body: Body, seen_mono_ns: int | None) -> None:
    """One event is on disk. `seen_mono_ns`: when the frame it is about was taken."""
    EVENTS.labels(lane, body.KIND, body.stage_name).inc()
    if isinstance(body, Seen):
        VERDICTS.labels(lane, body.verdict.verdict).inc()
        if seen_mono_ns is not None:
            DECISION_S.labels(lane).observe(max(0.0, (clock.mono_ns() - seen_mono_ns) / 1e9))
    if isinstance(body, Ended):
        PASSAGES.labels(lane, body.outcome).inc()
        READS.labels(lane, _how(body.about.plates)).inc()
    if body.KIND == "override":
        OVERRIDES.labels(lane).inc()


def _how(plates: Iterable[SeenPlate]) -> str:
    known = [plate for plate in plates if plate.decided]
    return "unread" if not known else "typed" if all(plate.typed for plate in known) else "read"


# ---------------------------------------------------------------- what is looked up


@dataclass(frozen=True, slots=True)
class LaneFigures:
    """One lane at this moment. `cycles`: how often its boom went up, ever."""

    lane: str
    health: HealthView
    barrier: Snapshot
    cycles: int


class Watched(Protocol):
    """What `States` asks of the gate, all of it cheap."""

    def figures(self) -> Iterable[LaneFigures]:
        """Of every lane."""
        ...

    def room(self) -> tuple[str, Path]:
        """The record's room ("ok", "low", "full") and the folder it is in."""
        ...


class States(Collector):
    """Gauges of the moment. A part that cannot be asked is left out: an absent series is not a good value."""

    def __init__(self, gate: Watched, cert_days: Callable[[], float | None]) -> None:
        self._gate = gate
        self._cert_days = cert_days

    def describe(self) -> Iterable[Metric]:
        """Nothing is asked of the gate while it is being built."""
        return ()

    def collect(self) -> Iterator[Metric]:
        yield _gauge("barie_info", "The program", [(1, {"version": __version__})])
        state = clock.state()
        yield _gauge("barie_clock_state", "The clock's discipline", [(float(c == state), {"state": c}) for c in CLOCKS])
        yield from self._lanes()
        room, folder = self._gate.room()
        disk = shutil.disk_usage(folder)
        yield _gauge("barie_disk_free_bytes", "Free on the record's disk", [(disk.free, {})])
        yield _gauge(
            "barie_store_room", "Room for the record", [(float(r == room), {"state": r}) for r in ("ok", "low", "full")]
        )
        yield _gauge("barie_temperature_celsius", "Of this PC", temperatures())
        days = self._cert_days()
        if days is not None:
            yield _gauge("barie_certificate_days", "Until the gate's certificate ends", [(days, {})])

    def _lanes(self) -> Iterator[Metric]:
        try:
            lanes = list(self._gate.figures())
        except StoreError as error:
            log.warning("metrics: %s", error)
            return
        per: list[tuple[str, str, Callable[[LaneFigures], float | None]]] = [
            ("barie_outbox_events", "Events that the centre does not have", lambda v: v.health.link.unacknowledged),
            ("barie_outbox_age_seconds", "Age of the oldest of them", lambda v: v.health.link.oldest_s or 0.0),
            ("barie_link_up", "The way to the centre", lambda v: float(v.health.link.state == "up")),
            ("barie_centre_silent_seconds", "Since its last sign of life", lambda v: v.health.link.silent_s),
            ("barie_copy_age_seconds", "Age of the declarations", lambda v: v.health.copy_age_s),
            (
                "barie_watchlist_taken",
                "The newest watch list is in force",
                lambda v: float(not v.health.taken.watchlist),
            ),
            (
                "barie_watchlist_bad_rows",
                "Rows of it that were bad or fit no plate",
                lambda v: v.health.taken.watch_rows,
            ),
            ("barie_refused_declarations", "Newest messages not taken", lambda v: v.health.taken.declarations),
            ("barie_board_ok", "The relay board answers", lambda v: float(v.health.boom.board_ok)),
            ("barie_boom_faults", "Faults of the barrier now", lambda v: len(v.health.boom.faults)),
            ("barie_loop_late_p99_seconds", "Lateness of the barrier loop", lambda v: v.barrier.late_p99_ms / 1000),
            ("barie_loop_late_max_seconds", "The worst since the start", lambda v: v.barrier.late_max_ms / 1000),
        ]
        for name, meaning, look in per:
            values = [(look(one), {"lane": one.lane}) for one in lanes]
            yield _gauge(name, meaning, [(value, labels) for value, labels in values if value is not None])
        yield _counted(
            "barie_boom_cycles", "How often the boom went up, ever", [(one.cycles, {"lane": one.lane}) for one in lanes]
        )
        met = [(one.barrier.obstacles, {"lane": one.lane}) for one in lanes]
        yield _counted("barie_boom_obstacles", "How often an arm that came down met something, ever", met)
        cameras = [(camera, {"lane": one.lane, "camera": camera.id}) for one in lanes for camera in one.health.cameras]
        ages = [(camera.age_ms / 1000, labels) for camera, labels in cameras if camera.age_ms is not None]
        yield _gauge("barie_frame_age_seconds", "Age of the newest picture", ages)
        yield _gauge("barie_camera_up", "The camera gives pictures", [(float(c.state == "up"), n) for c, n in cameras])


def temperatures(folder: Path = THERMAL) -> list[tuple[float, dict[str, str]]]:
    """(degrees Celsius, labels) of every sensor that the kernel shows; empty where it shows none."""
    found = []
    for zone in sorted(folder.glob("thermal_zone*")):
        try:
            degrees = int((zone / "temp").read_text(encoding="ascii")) / 1000
            found.append((degrees, {"zone": zone.name, "kind": (zone / "type").read_text(encoding="ascii").strip()}))
        except (OSError, ValueError):
            continue
    return found


def _gauge(name: str, meaning: str, values: Iterable[tuple[float, Mapping[str, str]]]) -> Metric:
    return _filled(GaugeMetricFamily, name, meaning, list(values))


def _counted(name: str, meaning: str, values: Iterable[tuple[float, Mapping[str, str]]]) -> Metric:
    return _filled(CounterMetricFamily, name, meaning, list(values))


def _filled(family: Any, name: str, meaning: str, values: list[tuple[float, Mapping[str, str]]]) -> Metric:
    labels = list(values[0][1]) if values else []
    metric: Metric = family(name, meaning, labels=labels)
    for value, named in values:
        metric.add_metric([named[label] for label in labels], value)  # type: ignore[attr-defined]
    return metric


class ShortAnswer(WSGIRequestHandler):
    """Whoever has not asked within two seconds is not asked for more."""

    timeout = 2.0

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: a scrape each few seconds is no news."""


class FewAtOnce(ThreadingMixIn, WSGIServer):
    """Each caller has a thread; so many and no more, or silent callers would take every thread that the gate may
    have."""

    daemon_threads, MOST = True, 4

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._places = threading.BoundedSemaphore(self.MOST)
        super().__init__(*args, **kwargs)

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._places.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that went away."""
        log.info("metrics: a caller went away")


def serve(port: int, gate: Watched, cert_days: Callable[[], float | None]) -> Callable[[], None]:
    """Answers Prometheus on 127.0.0.1:`port`; returns what ends it. Raises BarieError where the port is taken."""
    shown = CollectorRegistry()
    ProcessCollector(registry=shown)
    shown.register(States(gate, cert_days))
    shown.register(REGISTRY)
    try:
        server = make_server(HOST, port, make_wsgi_app(shown), FewAtOnce, handler_class=ShortAnswer)
    except OSError as error:
        raise BarieError(f"metrics.port: {HOST}:{port} cannot be used ({error.strerror}): choose another") from error
    thread = threading.Thread(target=server.serve_forever, name="metrics", daemon=True)
    thread.start()

    def end() -> None:
        server.shutdown()
        server.server_close()
        thread.join(2)

    return end
