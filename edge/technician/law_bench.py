"""The law's figure for `barie bench`: how long a verdict takes on the largest declaration that is worth calling one."""

from __future__ import annotations

import time
from typing import Any

from edge import resources
from edge.core.law import Choices, Procedure, Rules
from edge.core.model import Confirmation, Declaration, Vehicle
from edge.core.procedures import Facts, decide
from edge.core.rules import parse_rules

VEHICLES = 40
CONFIRMATIONS = 200
ROUNDS = 3_000
_NOW = "2026-11-20T12:00:00+07:00"


def figures(rounds: int = ROUNDS) -> list[dict[str, Any]]:
    """`law.verdict_ms_p99`, over every gate of the longest procedure, reasons in words included."""
    rules = parse_rules(*resources.config_text("procedures.toml"))
    procedure = max(rules.procedures.values(), key=lambda p: len(p.steps))
    declaration = _large(rules, procedure)
    gates = [gate for gate, step in rules.passages.items() if procedure.index(step) is not None]
    facts = Facts(exact_plate=True, plates=(declaration.vehicles[-1].plate,))
    times_ns, cpu_ns = [], []
    for number in range(rounds):
        place, direction = gates[number % len(gates)]
        began_ns, began_cpu_ns = time.perf_counter_ns(), time.thread_time_ns()
        decide(rules, Choices(), declaration, place, direction, now=_NOW, facts=facts)
        cpu_ns.append(time.thread_time_ns() - began_cpu_ns)
        times_ns.append(time.perf_counter_ns() - began_ns)
    value_ms, median_ms, cpu_ms = _at(times_ns, 0.99), _at(times_ns, 0.5), _at(cpu_ns, 0.99)
    size = f"{VEHICLES} vehicles, {CONFIRMATIONS} confirmations, {len(procedure.steps)} steps"
    how = f"{rounds} verdicts, {size}; median {median_ms:.3f} ms, p99 of CPU time {cpu_ms:.3f} ms"
    return [{"figure": "law.verdict_ms_p99", "value": round(value_ms, 4), "unit": "ms", "how": how}]


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
