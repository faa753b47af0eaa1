"""The real loop, link, Modbus master and maps against modules and a boom that nobody here derived from them
(`tests.boom.vendors`), on a clock that is turned by hand. `python -m tests.boom.strangers N [SEED]` runs N random
passages with one or two faults each, anchored to a motion, and prints the counts as JSON.
"""

from __future__ import annotations

import itertools
import json
import logging
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest.mock import patch

from firmware_io import line as line_module
from firmware_io.board import BoardSettings, InputWiring
from firmware_io.loop import BarrierLoop
from firmware_io.modbus import ModbusBoard
from firmware_io.safety import BarrierSettings, Memory, Notice, Permit, memory
from firmware_io.terms import InputName, OutputName
from tests.boom.vendors.boom import Boom, Truck
from tests.boom.vendors.modules import Adam6060, IoLogikE1214, Module, Waveshare
from tests.boom.vendors.still import Clock, StillLine

TICK_S = 0.05
PORTS = itertools.count(20_000)
NAMES: tuple[InputName, ...] = ("presence", "safety_loop", "photocell", "limit_open", "limit_closed", "exit_loop")
CLOSED: tuple[InputName, ...] = ("safety_loop", "photocell")
"""Wired normally closed."""
OUTPUTS: dict[OutputName, int] = {"open": 1, "close": 2, "stop": 3}
SAFE_DEG = 48.0
"""Who steps under an arm that is higher than this is not touched: 28 degrees is where it lies on a person's head, and
it falls up to 16 while reading, ordering, relay and drive take their time on a line in order (0.25 s, and braking)."""


def _e1214(clock: Clock) -> Module:
    module = IoLogikE1214(clock=clock)
    module.pulse_outputs, module.idle_s = frozenset({0, 1, 2}), 2.0
    return module


def _adam(clock: Clock) -> Module:
    module = Adam6060(clock=clock)
    module.idle_s = 2.0
    return module


BOARDS: dict[str, tuple[str, bool, Callable[[Clock], Module]]] = {
    "waveshare": ("waveshare-8ch", False, lambda clock: Waveshare(clock=clock)),
    "adam-6060": ("adam-6060", True, _adam),
    "e1214-pulse": ("iologik-e1214-pulse", True, _e1214),
}
"""Profile, whether it is Modbus TCP, and the module: the three ways in which a pulse ends."""


class Post:
    """One barrier. `turn` is one turn of the loop; `until` and `run` turn for longer."""

    def __init__(self, board: str = "waveshare", *, stop: bool = True) -> None:
        profile, is_tcp, make = BOARDS[board]
        self.clock = Clock()
        self.module = make(self.clock)
        self.line = StillLine(self.clock, self.module, tcp=is_tcp)
        self.boom = Boom()
        self.clock.turned = self._world
        self.stuck: dict[str, bool] = {}
        outputs = {name: n for name, n in OUTPUTS.items() if stop or name != "stop"}
        where = (
            {"kind": "modbus_tcp", "host": "127.0.0.1", "tcp_port": next(PORTS)}
            if is_tcp
            else {"port": f"/dev/{id(self)}"}
        )
        self.settings = BoardSettings(profile=profile, inputs=self._wires(), outputs=outputs, **where)
        self.barrier = BarrierSettings(inputs=NAMES)
        self.notices: list[Notice] = []
        self.serial = 0
        self.stepped_deg = 90.0
        """How high the arm was when a person stepped under it."""
        self.loop = self._start(None)
        self.until(lambda: self.loop.snapshot().boom == "closed" and not self.loop.snapshot().faults)

    @staticmethod
    def _wires() -> dict[InputName, InputWiring | int]:
        return {n: InputWiring(at, normally_closed=n in CLOSED) for at, n in enumerate(NAMES, 1)}

    def _start(self, remembered: Memory | None) -> BarrierLoop:
        def board() -> ModbusBoard:
            return ModbusBoard(self.settings, self.clock)

        note = self.notices.append
        return BarrierLoop("post", board, self.barrier, note, self.clock, TICK_S, remembered=remembered)

    def restart(self) -> None:
        """Killed and started anew: the line is opened again, what was in hand is gone."""
        mind = memory(self.loop.state)
        for key in [key for key, line in line_module._lines.items() if line._port is self.line]:
            del line_module._lines[key]
            line_module._claims.pop((key, self.settings.unit), None)
        self.loop = self._start(mind)

    def _world(self, for_s: float) -> None:
        self.boom.press({name for name, n in self.settings.outputs.items() if self.module.relay(n - 1)})
        self.boom.go_on(for_s)
        for at, name in enumerate(NAMES):
            self.module.inputs[at] = self.stuck.get(name, self.boom.contact(name)) != (name in CLOSED)

    @contextmanager
    def wired(self) -> Iterator[None]:
        with patch.multiple(line_module, SerialPort=self.line.open, TcpPort=self.line.open):
            yield

    # ------------------------------------------------------------ time

    def turn(self) -> None:
        next_s = self.clock.now_s + TICK_S
        with self.wired():
            self.loop.beat()
            self.loop.turn()
        self.clock.turn(max(0.001, next_s - self.clock.now_s))

    def run(self, seconds: float) -> None:
        ends_s = self.clock.now_s + seconds
        while self.clock.now_s < ends_s:
            self.turn()

    def until(self, is_so: Callable[[], bool], within_s: float = 90.0) -> None:
        ends_s = self.clock.now_s + within_s
        while not is_so():
            if self.clock.now_s > ends_s:
                snapshot = self.loop.snapshot()
                raise AssertionError(f"not within {within_s} s: {snapshot.boom}, {snapshot.faults}, {snapshot.board}")
            self.turn()

    # ------------------------------------------------------------ what happens at a post

    def permit(self) -> None:
        self.serial += 1
        now_s = self.clock.now_s
        self.loop.offer(Permit(self.serial, now_s, now_s + 2.0))

    def comes(self, truck: Truck | None = None) -> None:
        """A truck drives up and is permitted."""
        self.boom.trucks.append(truck or Truck())
        self.until(lambda: self.loop.state.here)
        self.permit()

    def coming_down(self, at_deg: float) -> None:
        """A first passage, so that the arm's time is known; then a second, whose arm is at `at_deg` on its way down."""
        for _ in range(2):
            self.comes()
            self.until(lambda: self.boom.angle_deg >= 89.0)
            if self.serial == 1:
                self.until(lambda: self.loop.snapshot().boom == "closed")
        self.until(lambda: self.boom.wants == "close" and self.boom.angle_deg <= at_deg)

    def close(self) -> None:
        self.loop.close()

    def kinds(self) -> list[str]:
        return [notice.kind for notice in self.notices]


# ---------------------------------------------------------------- many passages


FAULTS = ("silent", "dumb", "busy", "short", "reset", "restart", "stop", "person", "stuck", "deaf")
"""`deaf`: the controller does not act on `open` for a moment; `stuck`: a limit or the presence loop keeps a value."""
ANCHORS = ("opening", "opened", "lowering", "lowering", "lowering")
STUCK: tuple[InputName, ...] = ("presence", "limit_open", "limit_closed", "exit_loop")
REACH_S = 0.5
"""A contact that comes sooner than this after a line or a controller took no orders could not be helped."""


class Passage:
    """One truck with one or two faults, each begun within a second of a motion; then all is put in order."""

    def __init__(self, post: Post, draw: random.Random) -> None:
        self.post = post
        self.faults = [
            (draw.choice(FAULTS), draw.choice(ANCHORS), draw.uniform(0, 1), draw.uniform(0.1, 3), draw.choice(STUCK))
            for _ in range(draw.choice((1, 2)))
        ]
        long = draw.random() < 0.3
        length_m = 14.0 if long else draw.uniform(5.0, 12.0)
        self.truck = Truck(length_m, draw.uniform(1.0, 4.0), gap=(4.0, 9.5) if long else None)
        self.begins: dict[int, float] = {}
        self.deaf_s = float("-inf")
        self.harm = 0

    def run(self) -> str:
        post, boom = self.post, self.post.boom
        post.notices.clear()
        before, asked_s = boom.through, post.clock.now_s
        boom.trucks.append(self.truck)
        ends_s = post.clock.now_s + 90.0
        while post.clock.now_s < ends_s:
            self.turn()
            state = post.loop.state
            if state.here and not state.tended and state.phase != "opening" and post.clock.now_s - asked_s > 3.0:
                asked_s = post.clock.now_s
                post.permit()
            if boom.through > before and state.phase == "closed":
                break
        went = boom.through > before
        self.tidy()
        return "through" if went else "at_guard"

    def turn(self) -> None:
        post, now_s = self.post, self.post.clock.now_s
        kinds, on = set(post.kinds()), set()
        for n, (kind, anchor, after_s, last_s, name) in enumerate(self.faults):
            if anchor in kinds:
                begin_s = self.begins.setdefault(n, now_s + after_s)
                if begin_s <= now_s < begin_s + last_s:
                    on.add(kind)
                    self.once(kind, is_first=now_s - begin_s < TICK_S, name=name)
        line = post.line
        line.silent, line.dumb, line.busy, line.short = ("silent" in on, "dumb" in on, "busy" in on, "short" in on)
        post.boom.person = "person" in on
        post.boom.deaf = {"open"} if "deaf" in on else set()
        post.stuck = {} if "stuck" not in on else post.stuck
        if on & {"silent", "dumb", "busy", "short", "reset", "restart", "deaf"}:
            self.deaf_s = now_s
        met = len(post.boom.contacts)
        post.turn()
        self.harm += len(post.boom.contacts) > met and self.is_ours()

    def once(self, kind: str, *, is_first: bool, name: InputName) -> None:
        if not is_first:
            return
        if kind == "reset":
            self.post.line.reset = True
        elif kind == "restart":
            self.post.restart()
        elif kind == "stop":
            self.post.loop.stop_boom()
        elif kind == "stuck":
            self.post.stuck = {name: self.post.boom.contact(name)}
        elif kind == "person":
            self.post.stepped_deg = self.post.boom.angle_deg

    def is_ours(self) -> bool:
        """The line took orders for long enough, and a person came while the arm was high enough to be turned round."""
        _, what = self.post.boom.contacts[-1]
        in_time = what != "person" or self.post.stepped_deg >= SAFE_DEG
        return in_time and self.post.clock.now_s - self.deaf_s > REACH_S

    def tidy(self) -> None:
        """The guard waves the rest through, looks, resets and lowers."""
        post = self.post
        self.faults = []
        for _ in range(80):
            state = post.loop.state
            if state.phase == "closed" and not state.faults and not post.boom.trucks and post.boom.is_down():
                return
            if post.boom.trucks and post.boom.trucks[0].front_m < -2.0 and post.boom.is_down():
                post.boom.trucks.clear()  # turned away
            post.loop.reset_faults()
            if not post.boom.trucks:
                post.loop.lower_boom()
            for _ in range(20):
                self.turn()
        raise AssertionError(f"not put in order: {post.loop.snapshot()}")


def run_passages(count: int, seed: int = 0) -> dict[str, int]:
    """Counts of `count` passages over all boards: ends, contacts that were ours and that nobody could help, openings
    without a permit (or a reversal), relays that stayed on."""
    draw = random.Random(seed)  # noqa: S311  a repeatable run, no secret
    posts = [Post(board, stop=stop) for board in BOARDS for stop in (True, False)]
    told: Counter[str] = Counter()
    for number in range(count):
        post = posts[number % len(posts)]
        passage = Passage(post, draw)
        opened, serials = post.boom.opened, post.serial
        met = len(post.boom.contacts)
        told[passage.run()] += 1
        told["touched"] += passage.harm
        told["out_of_reach"] += len(post.boom.contacts) - met - passage.harm
        allowed = post.serial - serials + post.kinds().count("reopening")
        told["opened_without_permit"] += max(0, post.boom.opened - opened - allowed)
        told["left_on"] += any(post.module.relay(n) for n in range(3))
    return {"passages": count, **told}


def main() -> int:
    logging.disable(logging.CRITICAL)
    counts = run_passages(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0)
    print(json.dumps(counts))
    return int(any(counts[name] for name in ("touched", "opened_without_permit", "left_on")))


if __name__ == "__main__":
    sys.exit(main())
