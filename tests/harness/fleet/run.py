"""Many gates against one broker and one consumer, with an outage of the broker in between (docs/fleet.md).

Every gate is a real store and a real uplink; all of them live in this one process. Beside them runs one whole agent,
where a demo can (camera, models, board), for its memory. Last line: JSON.
"""

from __future__ import annotations

import argparse
import json
import logging
import resource
import sqlite3
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.config import MqttConfig
from edge.errors import BarieError
from edge.store import Limits, Store, StoreInbox
from edge.uplink.mqtt import Uplink
from tests.harness.broker_process import Mosquitto
from tests.harness.faults.world import CentreProcess
from tests.harness.fleet.agent import FleetAgent, fleet_agent

SITE = "faults"
FILES_PER_GATE = 24
SETTLE_S = 600.0


@dataclass(frozen=True, slots=True)
class Plan:
    """`rate` is events a second of all gates together; the broker is away for `outage_s` in the middle."""

    gates: int
    rate: float
    outage_s: float
    before_s: float = 30.0
    after_s: float = 30.0
    agent: bool = True
    vehicle_every_s: float = 15.0


class Gate:
    def __init__(self, folder: Path, number: int, port: int) -> None:
        self.lane = f"g{number:03d}"
        self.store = Store.open(folder / self.lane, site=SITE, lanes=[self.lane], limits=Limits(reserve_bytes=4096))
        config = MqttConfig(host="127.0.0.1", port=port)
        self.uplink = Uplink(SITE, config, self.store, StoreInbox(self.store, lambda *_: None), lambda lane: {})
        self.made = 0

    def event(self) -> None:
        with self.store.transaction(self.lane) as tx:
            tx.event("passage", {"number": self.made, "plates": [{"text": "12C12345", "confidence": 0.98}]})
        self.made += 1
        self.uplink.wake()

    def close(self) -> None:
        self.uplink.stop()
        self.store.close()


def run(plan: Plan) -> dict[str, Any]:
    """Raises BarieError where the centre does not get everything."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, plan.gates * FILES_PER_GATE + 200), most))
    with tempfile.TemporaryDirectory(prefix="barie-fleet-") as name, ExitStack() as ends:
        folder = Path(name)
        broker = Mosquitto(folder, autosave=False)
        broker.start()
        ends.callback(broker.stop)
        centre = CentreProcess(broker.port, folder / "central.db")
        centre.start()
        ends.callback(centre.kill)
        agent = ends.enter_context(fleet_agent(folder / "one", SITE, broker.port)) if plan.agent else None
        gates = [Gate(folder, number, broker.port) for number in range(plan.gates)]
        for gate in gates:
            ends.callback(gate.close)
            gate.uplink.start()
        return _live(plan, gates, agent, broker, centre)


def _live(
    plan: Plan, gates: list[Gate], agent: FleetAgent | None, broker: Mosquitto, centre: CentreProcess
) -> dict[str, Any]:
    _events(plan, gates, agent, plan.before_s)
    memory = {"broker_mb_before": rss_mb(broker.pid), **_agent_mb("before", agent)}
    broker.kill(wipe=True)
    _events(plan, gates, agent, plan.outage_s)
    memory |= _agent_mb("after_outage", agent)
    waiting = sum(gate.store.unacknowledged(gate.lane).waiting for gate in gates)
    broker.start()
    began_s = time.monotonic()
    _events(plan, gates, agent, plan.after_s)
    memory["broker_mb_after"] = rss_mb(broker.pid)
    _settle(gates, agent)
    settled_s = time.monotonic() - began_s
    made = {gate.lane: gate.made for gate in gates}
    if agent is not None:
        made[agent.lane] = agent.made()
    return {
        "gates": plan.gates,
        "events": sum(made.values()),
        "missing": _missing(centre.db, made),
        "waiting_after_outage": waiting,
        "settled_s": round(settled_s, 1),
        "resent": sum(gate.uplink.counters()["resent"] for gate in gates),
        **memory,
        "gates_mb_each": round(rss_mb("self") / plan.gates, 2),
    }


def _agent_mb(when: str, agent: FleetAgent | None) -> dict[str, float]:
    """RSS of the gate process, and of it and its camera's process with pages that they share counted once."""
    if agent is None:
        return {}
    return {f"agent_mb_{when}": rss_mb(agent.pid), f"agent_and_camera_mb_{when}": agent.memory_mb()}


def _events(plan: Plan, gates: list[Gate], agent: FleetAgent | None, seconds: float) -> None:
    """Round robin, at the plan's rate as well as the disk allows; vehicles at the agent beside that."""
    began_s, count, vehicles = time.monotonic(), 0, 0
    while (past_s := time.monotonic() - began_s) < seconds:
        if agent is not None and vehicles * plan.vehicle_every_s <= past_s:
            agent.vehicle()
            vehicles += 1
        if count / plan.rate > past_s:
            time.sleep(min(seconds - past_s, count / plan.rate - past_s))
            continue
        gates[count % len(gates)].event()
        count += 1


def _settle(gates: list[Gate], agent: FleetAgent | None) -> None:
    until_s = time.monotonic() + SETTLE_S
    while any(gate.store.unacknowledged(gate.lane).waiting for gate in gates) or (agent and agent.waiting()):
        if time.monotonic() > until_s:
            raise BarieError("the centre does not get everything")
        time.sleep(0.5)


def _missing(db: Path, made: dict[str, int]) -> int:
    """Events that the centre does not have, or has beyond what was made."""
    with closing(sqlite3.connect(db)) as connection:
        here = dict(connection.execute("SELECT lane, count(DISTINCT seq) FROM event GROUP BY lane").fetchall())
    return sum(abs(count - here.get(lane, 0)) for lane, count in made.items())


def rss_mb(pid: int | str) -> float:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS"):
            return round(int(line.split()[1]) / 1000, 1)
    return 0.0


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.harness.fleet.run", description=__doc__)
    parser.add_argument("--gates", type=int, default=200)
    parser.add_argument("--rate", type=float, default=20.0)
    parser.add_argument("--outage", type=float, default=600.0, metavar="SECONDS")
    parser.add_argument("--no-agent", action="store_true", help="without the whole agent beside the simulated gates")
    args = parser.parse_args(argv)
    logging.disable(logging.WARNING)
    result = run(Plan(args.gates, args.rate, args.outage, agent=not args.no_agent))
    print(json.dumps(result), flush=True)
    return 0 if not result["missing"] else 1


if __name__ == "__main__":
    sys.exit(main())
