"""The barrier loop: one thread per board that reads, decides (safety.py), re-checks and writes, 20 times a second.

It asks nothing of the gate process: permits, stop, hold and a heartbeat come in, notices and a snapshot go out.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from firmware_io.board import Board, BoardError
from firmware_io.link import BoardLink
from firmware_io.pace import Pace, be_realtime
from firmware_io.safety import (
    BarrierSettings,
    Memory,
    Notice,
    Outputs,
    Permit,
    Phase,
    Requests,
    State,
    memory,
    open_pulse_s,
    recheck,
    start,
    step,
)
from firmware_io.terms import Cause, Inputs, OutputName
from firmware_io.watch import CARELESS

log = logging.getLogger(__name__)

JOIN_S = 1.0
AGAIN_S = 1.0
"""A motion whose writing failed is tried again for this long, as long as `recheck` still allows it."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The barrier as the screen shows it. `board`: which it is, or what is wrong with it."""

    boom: Phase
    faults: tuple[str, ...]
    held: bool
    inputs: Mapping[str, bool | None]
    since_s: float
    board_ok: bool
    board: str
    ticks: int = 0
    late_ticks: int = 0
    late_p99_ms: float = 0.0
    late_max_ms: float = 0.0
    cause: Cause = "none"
    """Why it is up, while it is."""
    obstacles: int = 0
    """How often an arm that came down met something, ever."""
    tested_s: float = float("-inf")

    @property
    def refusing(self) -> tuple[str, ...]:
        """The faults under which no permit is accepted: all but those that only keep it from coming down by itself."""
        return tuple(code for code in self.faults if code.split(":")[0] not in CARELESS)


class BarrierLoop(threading.Thread):
    """Start it, offer it permits, beat; close it. Every method may be called from any thread and none of them waits.

    `notify` is called on this thread for each notice, in order; it must not wait either. `remembered` is what the loop
    before this one knew, `held` whether it was held; `remember` is called on this thread whenever that knowledge
    changes, and must not wait.
    """

    def __init__(
        self,
        name: str,
        open_board: Callable[[], Board],
        settings: BarrierSettings,
        notify: Callable[[Notice], None],
        clock: Callable[[], float] = time.monotonic,
        period_s: float = 0.05,
        realtime: bool = False,
        remembered: Memory | None = None,
        remember: Callable[[Memory], None] = lambda _: None,
        held: bool = False,
    ) -> None:
        super().__init__(name=f"barrier {name}", daemon=True)
        self._settings = settings
        self._notify = notify
        self._clock = clock
        self._realtime = realtime
        self._link = BoardLink(open_board, clock)
        self._pace = Pace(period_s, clock)
        self._lock = threading.Lock()
        self._asked = Requests(hold=held)
        self._remember = remember
        self._done: tuple[OutputName, ...] = ()
        self._ended = False
        self._turns = 0
        self._stop_thread = threading.Event()
        self._state = start(clock(), remembered)
        self._memory = memory(self._state)
        self._inputs = Inputs(at_s=float("-inf"))
        self._pending: tuple[Outputs, float] = (Outputs(), 0.0)
        self._snapshot = self._look()

    # ------------------------------------------------------------ from other threads

    def offer(self, permit: Permit) -> None:
        """Ask for one opening. Answered by exactly one notice, permit_accepted or permit_refused."""
        with self._lock:
            if not self._ended:
                self._asked = replace(self._asked, permits=(*self._asked.permits, permit))
                self._pace.wake()
                return
        self._notify(Notice("permit_refused", permit.serial, "loop_ended", self._clock()))

    def stop_boom(self) -> None:
        """Stop any motion now; the boom then stays where it is until a permit or a person's lower_boom."""
        self._ask(stop=True)

    def lower_boom(self) -> None:
        """A person asks for the boom to come down. Answered by `lowering` or `lower_refused`."""
        self._ask(lower=True)

    def test_sensors(self) -> None:
        """Make the tested beams dark once, the arm being up: `Snapshot.tested_s` is when that was passed last."""
        self._ask(test=True)

    def reset_faults(self) -> None:
        """A person has looked: permanent faults whose cause is gone are dropped."""
        self._ask(reset=True)

    def hold(self, on: bool) -> None:
        """Keep shut for everyone but fire and key, until hold(False)."""
        self._ask(hold=on)

    def beat(self) -> None:
        """The gate process lives."""
        with self._lock:
            self._asked = replace(self._asked, beat_s=self._clock())

    def turns(self) -> int:
        """How often the thread has gone round, board or no board: its sign of life (watchdog.py)."""
        return self._turns

    @property
    def state(self) -> State:
        """What the safety gate remembers."""
        return self._state

    def snapshot(self) -> Snapshot:
        """The newest; says loop_dead where the thread ended by itself."""
        snapshot = self._snapshot
        if self._ended and not self._stop_thread.is_set():
            return replace(snapshot, boom="unknown", faults=("loop_dead", *snapshot.faults), board_ok=False)
        return snapshot

    def close(self) -> None:
        """End the thread within a second, release the board. No motion is started or stopped by that."""
        self._stop_thread.set()
        self._pace.wake()
        if self.is_alive():
            self.join(JOIN_S)
        if self.is_alive():
            log.error("%s: the thread did not end within %.1f s", self.name, JOIN_S)

    def _ask(
        self,
        *,
        stop: bool = False,
        lower: bool = False,
        reset: bool = False,
        test: bool = False,
        hold: bool | None = None,
    ) -> None:
        with self._lock:
            now = self._asked
            self._asked = replace(
                now,
                stop=now.stop or stop,
                lower=now.lower or lower,
                reset=now.reset or reset,
                test=now.test or test,
                hold=now.hold if hold is None else hold,
            )
        self._pace.wake()

    # ------------------------------------------------------------ the thread

    def run(self) -> None:
        if self._realtime:
            be_realtime()
        try:
            while not self._stop_thread.is_set():
                self.turn()
                self._pace.wait(counts=self._link.ok)
        finally:
            self._end()

    def _end(self) -> None:
        with self._lock:
            self._ended = True
            permits = self._asked.permits
        self._link.close()
        for permit in permits:
            self._notify(Notice("permit_refused", permit.serial, "loop_ended", self._clock()))

    def _take(self) -> Requests:
        """What was asked since the last tick; the level requests (hold, heartbeat) stay."""
        trouble = tuple(code for code, is_so in self._troubles().items() if is_so)
        with self._lock:
            asked = self._asked
            self._asked = Requests(hold=asked.hold, beat_s=asked.beat_s)
        return replace(asked, trouble=trouble, done=self._done, can_stop=self._link.can("stop"))

    def _troubles(self) -> dict[str, bool]:
        return {
            "board_lost": not self._link.ok,
            "write_failed": self._link.write_failed,
            "line_bad": self._link.is_bad,
            "tick_late": self._pace.is_late(),
        } | {f"output_on:{name}": True for name in self._link.energised}

    def turn(self) -> None:
        """Read, decide, re-check, write; told is after the write, so that telling delays nothing. The thread calls
        it; so does, without a thread, who keeps the time himself (tests/harness/sim/rig.py)."""
        inputs = self._link.read()
        if inputs is not None:
            self._inputs = inputs
        asked, now_s = self._take(), self._clock()
        self._state, outputs, notices = step(self._state, self._inputs, asked, now_s, self._settings)
        self._keep_in_mind()
        self._write(self._with_pending(outputs, now_s), now_s)
        self._snapshot = self._look()
        self._turns += 1
        for notice in notices:
            self._notify(notice)

    def _keep_in_mind(self) -> None:
        """Told before the motion is written: who restarts in the middle of it must know."""
        now = memory(self._state)
        if now != self._memory:
            self._memory = now
            self._remember(now)

    def _with_pending(self, new: Outputs, now_s: float) -> Outputs:
        """Add a motion that could not be written a moment ago, unless something newer was decided."""
        if new.open or new.close or new.stop:
            self._pending = (Outputs(), 0.0)
        old, until_s = self._pending
        if now_s > until_s or not self._link.ok:
            return new
        return replace(new, open=old.open, close=old.close, stop=old.stop)

    def _write(self, outputs: Outputs, now_s: float) -> None:
        allowed = recheck(outputs, self._inputs, self._state, now_s, self._settings)
        pulse_s = open_pulse_s(self._state, self._settings) if allowed.open else self._settings.pulse_s
        self._done = ()
        try:
            self._link.write(allowed, pulse_s)
            motions: dict[OutputName, bool] = {"open": allowed.open, "close": allowed.close, "stop": allowed.stop}
            self._done = tuple(name for name, on in motions.items() if on and self._link.can(name))
            if self._link.ok:
                self._pending = (Outputs(), 0.0)
        except BoardError as error:
            log.warning("%s: %s", self.name, error)
            until_s = self._pending[1] if self._pending[1] >= now_s else now_s + AGAIN_S
            turns_round = allowed.open and self._state.lowered_s is not None
            kept = allowed if self._link.ok else Outputs(open=turns_round)  # the moment that the board answers again
            self._pending = (kept, until_s)

    def _look(self) -> Snapshot:
        state: State = self._state
        late = self._pace.lateness()
        inputs: dict[str, bool | None] = {name: self._inputs.get(name) for name in self._settings.inputs}
        return Snapshot(
            boom=state.phase,
            faults=tuple(fault.code for fault in state.faults) or (() if self._link.ok else ("starting",)),
            held=state.held,
            inputs=inputs,
            since_s=state.since_s,
            board_ok=self._link.ok,
            board=self._link.said,
            ticks=late.ticks,
            late_ticks=late.late_ticks,
            late_p99_ms=late.p99_ms,
            late_max_ms=late.max_ms,
            cause=state.cause,
            obstacles=state.obstacles,
            tested_s=state.tested_s,
        )
