"""The gate's heartbeat: what keeps the barrier loops from taking the gate process for dead, and systemd's watchdog
fed."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from functools import partial
from typing import Any

import pytest

from edge.agent import gate as gate_module
from edge.agent.gate import Gate
from firmware_io.watchdog import Watchdog


class Part:
    """A barrier, an actor and a watchdog in one: notes what it is told; `hangs` at one of them."""

    def __init__(self, name: str, log: list[str], hangs: str = "") -> None:
        self.name, self.log, self.hangs = name, log, hangs

    def _note(self, what: str) -> None:
        if self.hangs == what:
            raise RuntimeError("hangs")
        self.log.append(f"{self.name} {what}")

    def beat(self) -> None:
        self._note("beat")

    def feed(self) -> None:
        self._note("fed")

    def on_tick(self) -> None:
        self._note("tick")


def beaten(monkeypatch: pytest.MonkeyPatch, turns: int, hangs: str = "") -> tuple[list[str], list[float]]:
    """What a gate with two lanes does in so many turns of its heart, and how long it rests between them."""
    log: list[str] = []
    rests: list[float] = []

    class Ended(Exception):  # noqa: N818
        pass

    async def sleep(for_s: float) -> None:
        rests.append(for_s)
        if len(rests) >= turns:
            raise Ended

    gate: Any = object.__new__(Gate)
    gate.barriers = {"a": Part("barrier a", log), "b": Part("barrier b", log)}
    gate.actors = {"a": Part("actor a", log, hangs), "b": Part("actor b", log)}
    gate.watchdog = Part("watchdog", log)
    monkeypatch.setattr(asyncio, "sleep", sleep)
    with contextlib.suppress(Ended, RuntimeError):
        asyncio.run(gate._beat())
    return log, rests


TURN = ["barrier a beat", "barrier b beat", "watchdog fed", "actor a tick", "actor b tick"]


def test_each_turn_beats_for_every_barrier_feeds_the_watchdog_and_ticks_every_lane(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log, rests = beaten(monkeypatch, 3)
    assert log == TURN * 3
    assert rests == [gate_module.BEAT_S] * 3
    assert gate_module.BEAT_S <= 0.5, "some beats within each host_timeout_s"


def test_a_gate_whose_lane_hangs_beats_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    log, rests = beaten(monkeypatch, 5, hangs="tick")
    assert log == TURN[:3]
    assert rests == []


# ------------------------------------------------------------ systemd's watchdog, to the instant


class Mouth(Watchdog):
    """Says it to a list."""

    def __init__(self, signs: list[int], period_s: float | None, clock: list[float]) -> None:
        signs_of = [partial(signs.__getitem__, n) for n in range(len(signs))]
        super().__init__(signs_of, "@x", period_s, lambda: clock[0])
        self.said: list[str] = []

    def _say(self, text: str) -> None:
        self.said.append(text)


def test_it_is_fed_each_quarter_of_its_period_and_only_where_all_went_round() -> None:
    signs, clock = [1, 1], [100.0]
    mouth = Mouth(signs, 4.0, clock)
    mouth.ready()
    assert mouth.feed()
    assert mouth.said == ["READY=1", "WATCHDOG=1"]
    clock[0] += 0.99
    assert mouth.feed()
    assert len(mouth.said) == 2
    clock[0] += 0.01
    assert not mouth.feed(), "nobody went round"
    signs[0] += 1
    assert not mouth.feed(), "one of two"
    signs[1] += 1
    assert mouth.feed()
    assert mouth.said[2:] == ["WATCHDOG=1"]
    clock[0] += 0.5
    assert mouth.feed()
    clock[0] += 0.5
    assert not mouth.feed(), "counted from what was said last"
    mouth.stopping()
    assert mouth.said[-1] == "STOPPING=1"


def test_without_a_period_nothing_is_fed_and_nothing_is_wrong() -> None:
    mouth = Mouth([1], None, [100.0])
    assert mouth.feed()
    assert mouth.said == []


@pytest.mark.parametrize(
    ("environ", "period_s", "address"),
    [
        ({"WATCHDOG_USEC": "5000000", "NOTIFY_SOCKET": "/run/x"}, 5.0, "/run/x"),
        ({"WATCHDOG_USEC": "5000000", "WATCHDOG_PID": "1", "NOTIFY_SOCKET": "@x"}, None, "\0x"),
        ({"WATCHDOG_USEC": "soon"}, None, ""),
        ({}, None, ""),
    ],
)
def test_what_systemd_says_is_understood(environ: dict[str, str], period_s: float | None, address: str) -> None:
    made = Watchdog.from_environment([], environ)
    assert (made._period_s, made._address) == (period_s, address)
    assert made._signs == []


def test_a_socket_that_is_gone_is_told_once_and_one_that_is_full_stops_nothing(
    tmp_path: Any, caplog: pytest.LogCaptureFixture
) -> None:
    made = Watchdog([], str(tmp_path / "gone"), 1.0)
    with caplog.at_level(logging.WARNING):
        made.ready()
        made.ready()
    assert len(caplog.messages) == 1
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(str(tmp_path / "full"))
        full = Watchdog([], str(tmp_path / "full"), 1.0)
        for _ in range(2000):
            full.ready()
        assert line.recv(100) == b"READY=1"
    Watchdog([]).ready()
