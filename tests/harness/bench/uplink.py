"""The uplink's figures for `barie bench uplink`: how fast a record made offline drains, and what a decision notices.

The centre is a process of its own, its disk is memory where there is one (it stands elsewhere, only its processor time
is taken from this machine). The plain rate is the same client library, connection class, broker, payloads and window
publishing without a store, once before and once after the drain.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from edge.config import MqttConfig
from edge.errors import BarieError
from edge.store import Store, StoreInbox
from edge.store.keys import load_or_create_signer
from edge.uplink.connection import Link, LinkSettings
from edge.uplink.mailbox import Connected, Mailbox, Published
from edge.uplink.mqtt import Uplink
from firmware_io.pace import SWITCH_S
from tests.harness.bench.load import NICE
from tests.harness.broker_process import BrokerProcess, Mosquitto, any_broker, end_with_parent

SITE, LANE, GUARDED = "bench", "b1", "b2"
EVENTS = 100_000
WARM_UP = 300
DECISION_EVERY_S = 0.02
IN_FLIGHT = 20
FILL_BATCH = 500
DRAIN_S = 300.0

Figure = dict[str, Any]


def figures(events: int = EVENTS) -> Iterator[Figure]:
    """`uplink.drain_vs_plain_publish_ratio` and `uplink.decision_while_draining_ratio`."""
    # As in the agent, where the barrier's loop asks for it (firmware_io/pace.py).
    sys.setswitchinterval(min(SWITCH_S, sys.getswitchinterval()))
    with tempfile.TemporaryDirectory(prefix="barie-bench-") as name, _elsewhere() as there:
        folder = Path(name)
        broker = any_broker(folder)
        broker.start()
        try:
            yield from _figures(folder, broker, there / "central.db", events)
        finally:
            broker.stop()


def _figures(folder: Path, broker: BrokerProcess, db: Path, events: int) -> Iterator[Figure]:
    store = open_store(folder / "gate", lanes=(LANE, GUARDED))
    try:
        fill(store, LANE, events)
        payloads = [event.payload for event in store.pending(LANE, 0, min(events, 20_000))]
        plain = [plain_rate(broker.port, payloads)]
        with centre(broker.port, db):
            drained_s = drain(store, broker.port)
            in_order(db, events)
        plain.append(plain_rate(broker.port, payloads))
        rate, mean = events / drained_s, sum(plain) / 2
        how = (
            f"{events} events of {len(payloads[0])} bytes drained at {rate:.0f} /s, in order; plain QoS 1 publishes at "
        )
        how += f"{plain[0]:.0f} and {plain[1]:.0f} /s, {IN_FLIGHT} in flight, {broker.name}"
        yield {"figure": "uplink.drain_vs_plain_publish_ratio", "value": round(rate / mean, 3), "unit": "", "how": how}
        yield _decisions(store, broker, db, events)
    finally:
        store.close()


def _decisions(store: Store, broker: BrokerProcess, db: Path, events: int) -> Figure:
    """p99 of a durable decision on one lane, alone and while the other lane drains; alone both before and after."""
    fill(store, LANE, events)
    idle = decision_times(store, _countdown(WARM_UP))
    _elsewhere_too(broker)
    with centre(broker.port, db, niceness=NICE):
        worker = threading.Thread(target=drain, args=(store, broker.port))
        worker.start()
        busy = decision_times(store, lambda: not worker.is_alive())
        worker.join()
    idle += decision_times(store, _countdown(WARM_UP))
    p99 = [quantile(idle, 0.99), quantile(busy, 0.99)]
    how = f"p99 {p99[0]:.2f} ms alone ({len(idle)} decisions, median {quantile(idle, 0.5):.2f}), {p99[1]:.2f} ms while "
    how += f"{events} events drain ({len(busy)} decisions, median {quantile(busy, 0.5):.2f})"
    return {
        "figure": "uplink.decision_while_draining_ratio",
        "value": round(p99[1] / p99[0], 3),
        "unit": "",
        "how": how,
    }


def _elsewhere_too(broker: BrokerProcess) -> None:
    """Broker and centre stand on other machines: beside a decision they get what this gate leaves of the processor."""
    if isinstance(broker, Mosquitto):  # the embedded one runs in this process
        os.setpriority(os.PRIO_PROCESS, broker.pid, NICE)


# ---------------------------------------------------------------- pieces, used by the tests and the fleet's run too


def open_store(folder: Path, *, lanes: Sequence[str]) -> Store:
    signer = load_or_create_signer(folder / "keys")
    return Store.open(folder, site=SITE, lanes=lanes, signer=signer, keep_acknowledged_s=3600)


def fill(store: Store, lane: str, events: int) -> None:
    """A record made offline; many events in one transaction, because only the draining is measured."""
    for first in range(0, events, FILL_BATCH):
        with store.transaction(lane) as tx:
            for number in range(first, min(events, first + FILL_BATCH)):
                tx.event("passage", _body(number))


def _body(number: int) -> dict[str, Any]:
    plate = {"text": f"12C{number % 100_000:05d}", "confidence": 0.98, "country": "VN", "kind": "vn-truck"}
    return {"passage": f"passage-{number}", "plates": [plate], "stage": "seen", "verdict": {"verdict": "ready"}}


def plain_rate(port: int, payloads: Sequence[bytes]) -> float:
    """Messages a second of the bare link: publish, wait for the broker's acknowledgement, IN_FLIGHT at a time."""
    mailbox = Mailbox()
    link = Link(LinkSettings("127.0.0.1", port, "bench-plain"), "5", mailbox)
    link.open()
    try:
        while not isinstance(mailbox.take(10.0), Connected):
            pass
        waiting, began_s = 0, time.perf_counter()
        for payload in payloads:
            while waiting >= IN_FLIGHT:
                waiting -= isinstance(mailbox.take(10.0), Published)
            link.publish(f"ckso/v1/{SITE}/plain/event", payload)
            waiting += 1
        while waiting:
            waiting -= isinstance(mailbox.take(10.0), Published)
        return len(payloads) / (time.perf_counter() - began_s)
    finally:
        link.close()


@contextmanager
def _elsewhere() -> Iterator[Path]:
    """A folder on another disk than the gate's, where this machine has memory for one."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="barie-bench-", dir=memory if memory.is_dir() else None) as name:
        yield Path(name)


@contextmanager
def centre(port: int, db: Path, *, niceness: int = 0) -> Iterator[None]:
    """`barie central` as a process, ready. It must keep its database: a new one would wait for what is pruned here."""
    command = [
        sys.executable,
        "-m",
        "edge",
        "central",
        "--broker",
        f"127.0.0.1:{port}",
        "--site",
        SITE,
        "--db",
        str(db),
        "--protocol",
        "3.1.1",  # a consumer of events needs nothing of MQTT 5, which takes paho half as long again to read
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, preexec_fn=end_with_parent)  # noqa: PLW1509
    os.setpriority(os.PRIO_PROCESS, process.pid, niceness)
    assert process.stdout is not None
    try:
        while b'"connected"' not in (line := process.stdout.readline()):
            if not line:
                raise BarieError("barie central ended at its start")
        threading.Thread(target=process.stdout.read, daemon=True).start()
        yield
    finally:
        process.terminate()
        process.wait(10)


def drain(store: Store, port: int) -> float:
    """Seconds from the start of the uplink until the centre has everything of the lane."""
    config = MqttConfig(host="127.0.0.1", port=port, in_flight=IN_FLIGHT)
    uplink = Uplink(SITE, config, store, StoreInbox(store, lambda *_: None), lambda lane: {})
    began_s = time.perf_counter()
    uplink.start()
    until_s = began_s + DRAIN_S
    while store.unacknowledged(LANE).waiting:
        if time.perf_counter() > until_s:
            uplink.stop()
            raise BarieError(f"the lane did not drain within {DRAIN_S:g} s")
        time.sleep(0.05)
    took_s = time.perf_counter() - began_s
    uplink.stop()
    return took_s


def in_order(db: Path, events: int) -> None:
    """Raises BarieError where the centre has not exactly 1 … events, in this order."""
    connection = sqlite3.connect(f"file:{db}?mode=ro", uri=True)
    rows = connection.execute("SELECT seq FROM event WHERE lane = ? ORDER BY rowid", (LANE,)).fetchall()
    connection.close()
    if [row[0] for row in rows] != list(range(1, events + 1)):
        raise BarieError(f"the centre has {len(rows)} events of {events}, or not in order")


def decision_times(store: Store, over: Callable[[], bool]) -> list[float]:
    """Milliseconds of durable decisions (permit serial, event, the press's answer), one every DECISION_EVERY_S."""
    times = []
    while not over():
        began_s = time.perf_counter()
        with store.transaction(GUARDED) as tx:
            serial = tx.permit_serial()
            event = tx.event("barrier", {"permit": serial, "stage": "released", **_body(serial)})
            tx.action(f"once/{serial}", {"code": "released", "seq": event.seq})
        times.append((time.perf_counter() - began_s) * 1000)
        time.sleep(DECISION_EVERY_S)
    return times


def quantile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def _countdown(rounds: int) -> Callable[[], bool]:
    left = iter(range(rounds))
    return lambda: next(left, None) is None
