"""The law's figures for `barie bench`: how long a verdict takes on the largest declaration that is worth calling one,
and how long the whole of what a passage waits for: lookup, record, verdict and row of steps.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from edge import resources
from edge.agent.lane.law import AtGate, Law
from edge.config import LaneConfig, LawConfig
from edge.core.identity import Named
from edge.core.law.procedures import Facts, decide
from edge.core.law.rules import parse_rules
from edge.core.law.terms import Choices, Procedure, Rules
from edge.core.model import Confirmation, Declaration, Vehicle
from edge.store import Store
from edge.wire import declaration_to_json

VEHICLES = 40
CONFIRMATIONS = 200
ROUNDS = 3_000
COPY = 500
"""Declarations in the record beside the one that is asked for: those of a busy gate's few hours."""
_NOW = "2026-11-20T12:00:00+07:00"


def figures(rounds: int = ROUNDS, copy: int = COPY) -> list[dict[str, Any]]:
    """`law.verdict_ms_p99` and `law.passage_ms_p99`, over every gate of the longest procedure, reasons in words
    included.
    """
    rules = parse_rules(*resources.config_text("procedures.toml"))
    procedure = max(rules.procedures.values(), key=lambda p: len(p.steps))
    declaration = _large(rules, procedure)
    gates = [gate for gate, step in rules.passages.items() if procedure.index(step) is not None]
    plate = declaration.vehicles[-1].plate
    facts = Facts(exact_plate=True, plates=(plate,))
    size = f"{VEHICLES} vehicles, {CONFIRMATIONS} confirmations, {len(procedure.steps)} steps"

    def verdict(gate: tuple[str, str]) -> None:
        decide(rules, Choices(), declaration, *gate, now=_NOW, facts=facts)

    told = [_figure("law.verdict_ms_p99", f"{rounds} verdicts, {size}", gates, rounds, verdict)]
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(Store.open(Path(folder), site="bench", lanes=["bench"])) as store,
    ):
        for one in (declaration, *(_small(declaration, number) for number in range(copy))):
            store.put_declaration(one.id, json.dumps(declaration_to_json(one)).encode())
        law = Law.load(LawConfig(), store, lambda: None)
        lanes = {gate: _lane(*gate) for gate in gates}
        at = AtGate((Named(plate, "camera"),))
        few, how = max(1, rounds // 10), f"lookup, record of {copy} others, verdict, row of steps; {size}"

        def passage(gate: tuple[str, str]) -> None:
            if law.assess(lanes[gate], at).declaration is None:
                raise AssertionError("the bench's own declaration was not found")

        told.append(_figure("law.passage_ms_p99", f"{few} times: {how}", gates, few, passage))
    return told


def _figure(
    name: str, how: str, gates: Sequence[tuple[str, str]], rounds: int, ask: Callable[[tuple[str, str]], None]
) -> dict[str, Any]:
    times_ns, cpu_ns = [], []
    for number in range(rounds):
        began_ns, began_cpu_ns = time.perf_counter_ns(), time.thread_time_ns()
        ask(gates[number % len(gates)])
        cpu_ns.append(time.thread_time_ns() - began_cpu_ns)
        times_ns.append(time.perf_counter_ns() - began_ns)
    value_ms, median_ms, cpu_ms = _at(times_ns, 0.99), _at(times_ns, 0.5), _at(cpu_ns, 0.99)
    how = f"{how}; median {median_ms:.3f} ms, p99 of CPU time {cpu_ms:.3f} ms"
    return {"figure": name, "value": round(value_ms, 4), "unit": "ms", "how": how}


def _lane(place: str, direction: str) -> LaneConfig:
    where: dict[str, Any] = {"id": "bench", "place": place, "direction": direction, "smart_lane": False}
    return LaneConfig.model_construct(**where)


def _small(large: Declaration, number: int) -> Declaration:
    """Another truck's."""
    vehicle = Vehicle("vehicle", f"98C{20_000 + number}", "VN")
    return replace(large, id=f"BENCH-{number}", vehicles=(vehicle,), confirmations=large.confirmations[:5])


def _at(times_ns: list[int], quantile: float) -> float:
    return sorted(times_ns)[int(len(times_ns) * quantile)] / 1e6


def _large(rules: Rules, procedure: Procedure) -> Declaration:
    """Every act of every step, given again and again for one vehicle after another."""
    vehicles = tuple(Vehicle("vehicle", f"12C{10_000 + n}", "VN") for n in range(VEHICLES))
    acts = [(step.step, need.authorities[0], need.act) for step in procedure.steps for need in step.needs]
    confirmations = []
    for number in range(CONFIRMATIONS):
        step, authority, act = acts[number % len(acts)]
        at = f"2026-11-20T{number // 60:02d}:{number % 60:02d}:00+07:00"
        plate = vehicles[number // len(acts)].plate if number >= len(acts) else None
        confirmations.append(Confirmation(step, authority, act, at, "X-1", "platform", plate))
    requires = dict.fromkeys(rules.requires, True)
    return Declaration("BENCH", 1, "active", procedure.id, _NOW, vehicles, requires, tuple(confirmations))
