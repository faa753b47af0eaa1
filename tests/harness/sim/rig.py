"""One barrier on simulated time: the real barrier loop and its hold on the board, against the simulated boom, with a
judge who sees what really happens. Only thread and wire are left out: the board is a few lines in this process.

The judge looks at the world and not at what the loop believes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from random import Random

from firmware_io.board import NoAnswer
from firmware_io.link import READ_BACK_S
from firmware_io.loop import BarrierLoop
from firmware_io.safety import BarrierSettings, Memory, Notice, Permit, State, memory
from firmware_io.sim_world import World
from firmware_io.terms import UNDER_ARM, InputName, OutputName

TICK_S = 0.05
LATE_RELAY_S = READ_BACK_S + 0.6
"""A relay that is on for so much longer than its pulse was neither ended nor found."""
KNOWN_S = 0.1
"""Somebody is under an arm that comes down, the loop has read it, the board takes orders, and for longer than this
(two turns) nothing is ordered that would stop it: harm, whether the arm has come down onto him yet or not."""
DEAF_S = 0.4
"""The board answers again for longer than this, somebody is under an arm that comes down, and it is not even asked:
harm."""


@dataclass(slots=True)
class Harm:
    """What must not be; and, apart from it, what no software on the host can help.

    Each time that the arm comes down onto somebody (World) is counted once: as `lowered_onto_something` where the loop
    knew, or could have, and did nothing about it for KNOWN_S or DEAF_S; else as `out_of_reach`: no working sensor saw
    him, or no reading and no order got through. `raised_again`: an arm of ours at rest whose lower limit did not say
    so, for somebody under it: nobody could know that it was not still coming down. `relay_out_of_reach`: a coil that
    stayed on by itself while its board took no order.
    """

    lowered_onto_something: int = 0
    opened_without_permit: int = 0
    opened_twice: int = 0
    relay_past_its_pulse: int = 0
    relay_out_of_reach: int = 0
    out_of_reach: int = 0
    raised_again: int = 0


class Wire:
    """The board as the loop has it. A question may be lost on its way, and then nothing is done, or its answer, and
    then it is."""

    timed_by_board = True
    coarse_s = 0.1

    def __init__(self, rig: Rig) -> None:
        self._rig = rig

    @property
    def outputs(self) -> Collection[OutputName]:
        return self._rig.wired

    def check(self) -> None:
        self._ask()

    def read_inputs(self) -> Mapping[InputName, bool | None]:
        self._ask()
        self._rig.was_read = True
        seen = self._rig.world.inputs()
        self._rig.knows = any(seen[name] for name in UNDER_ARM if self._rig.settings.has(name))
        return {name: seen[name] for name in self._rig.settings.inputs}

    def read_outputs(self) -> Mapping[OutputName, bool] | None:
        self._ask()
        on = self._rig.world.relays()
        return {name: name in on for name in self._rig.wired}

    def pulse(self, output: OutputName, duration_s: float) -> None:
        self._rig.tried |= output == "open" or (output == "stop" and output not in self._rig.world.knobs.ignores)
        self._ask(lambda: self._rig.energise(output, duration_s))

    def set_output(self, output: OutputName, on: bool) -> None:
        try:
            self._ask(lambda: self._rig.release(output))
        except NoAnswer:  # of close, before an opening or a stop: where that is lost these are not sent
            self._rig.tried |= output == "close"
            raise

    def describe(self) -> str:
        return "a simulated wire"

    def close(self) -> None:
        """The board goes on by itself."""

    def _ask(self, act: Callable[[], None] | None = None) -> None:
        rig = self._rig
        is_lost = rig.board_ok and rig.is_lost()
        if act is not None and rig.board_ok and (not is_lost or rig.is_lost(0.5)):
            act()
        if is_lost or not (rig.board_ok and rig.answers):
            raise NoAnswer("the simulated line gives no answer")


class Rig:
    """Turn its faults at will and `tick`. `board_ok`: it hears and answers; `answers`: what it says fits no question;
    `loses`: the share of questions lost; `coils_stay`: the end of a pulse is lost; `ticks_each`: how late each turn is;
    `excused`: it may rise for a hand, or for a contact of fire or key."""

    def __init__(self, settings: BarrierSettings, seed: int, *, can_stop: bool = True) -> None:
        self.settings = settings
        self.world = World(seed=seed)
        self.now_s = 1000.0
        self.notices: list[Notice] = []
        self.host_ok = self.board_ok = self.answers = True
        self.coils_stay = False
        self.can_stop = can_stop
        self.loses, self.ticks_each = 0.0, 1
        self.excused = False
        self.harm = Harm()
        self.was_read = self.knows = self.tried = False
        self.told: list[Notice] = []
        self._ends_s: dict[OutputName, float] = {}
        self._random = Random(seed)  # noqa: S311  a repeatable run, no secret
        self._permitted = 0
        self._rises: Counter[int] = Counter()
        self._known_s = self._deaf_s = 0.0
        self._hits = 0
        self._reach_s = self.now_s
        """Since when the board hears and answers all."""
        self._is_counted = False
        self.loop = self._start(None, held=False)

    def _start(self, remembered: Memory | None, *, held: bool) -> BarrierLoop:
        return BarrierLoop(
            "simulated", lambda: Wire(self), self.settings, self._hear, lambda: self.now_s, TICK_S,
            remembered=remembered, held=held,
        )  # fmt: skip

    @property
    def wired(self) -> tuple[OutputName, ...]:
        stop: tuple[OutputName, ...] = ("stop",) if self.can_stop else ()
        test: tuple[OutputName, ...] = ("beam_test",) if self.settings.tested else ()
        return ("open", "close", *stop, "green", *test)

    @property
    def state(self) -> State:
        return self.loop.state

    def ask(
        self,
        *,
        permits: tuple[Permit, ...] = (),
        stop: bool = False,
        lower: bool = False,
        reset: bool = False,
        hold: bool | None = None,
    ) -> None:
        """What a person or the gate process asks of the loop at its next turn."""
        for permit in permits:
            self.loop.offer(permit)
        for is_asked, ask in (
            (stop, self.loop.stop_boom),
            (lower, self.loop.lower_boom),
            (reset, self.loop.reset_faults),
        ):
            if is_asked:
                ask()
        if hold is not None:
            self.loop.hold(hold)

    def restart(self, *, remembers: bool = True) -> None:
        """The process dies and starts anew: what it does not remember is gone; pulses end by themselves."""
        self.loop = self._start(memory(self.state) if remembers else None, held=self.loop.snapshot().held)

    def tick(self) -> list[Notice]:
        """TICK_S of the world, then one turn of the loop. Returns what happened."""
        for _ in range(self.ticks_each):
            self._advance()
        if self.host_ok:
            self.loop.beat()
        self.was_read = self.tried = False
        self.told = []
        self.loop.turn()
        self._judge_turn(self.ticks_each * TICK_S)
        return self.told

    def _hear(self, notice: Notice) -> None:
        self.told.append(notice)
        self.notices.append(notice)
        if notice.kind == "permit_accepted":
            self._permitted = notice.serial

    # ------------------------------------------------------------ the judge

    def _judge_turn(self, for_s: float) -> None:
        """Whether somebody is under an arm that comes down, and the loop, which knows or could, orders nothing."""
        if not (self.world.comes_down() and self.world.is_under_arm()):
            self._known_s = self._deaf_s = 0.0
            self._is_counted = False
            return
        is_in_reach = self.board_ok and self.answers and not self.tried
        self._known_s += for_s if is_in_reach and self.was_read and self.knows else 0.0
        self._deaf_s += for_s if is_in_reach and not self.was_read and not self.loses else 0.0
        if not self._is_counted and (self._known_s > KNOWN_S + for_s - TICK_S or self._deaf_s > DEAF_S):
            self._is_counted = True
            self.harm.lowered_onto_something += 1

    def _count_hits(self) -> None:
        hits = self.world.hits()
        if hits > self._hits and not self._is_counted:
            self.harm.out_of_reach += 1
        self._hits = hits

    def _judge_relay(self, ended_s: float) -> None:
        def is_now(at_s: float) -> bool:
            return self.now_s - TICK_S < at_s + LATE_RELAY_S <= self.now_s

        in_order = self.board_ok and self.answers and not self.loses
        self.harm.relay_past_its_pulse += in_order and is_now(max(ended_s, self._reach_s))
        self.harm.relay_out_of_reach += not in_order and is_now(ended_s)

    def _judge_close(self) -> None:
        if self.world.is_under_arm():
            self.harm.lowered_onto_something += 1

    def _judge_rise(self) -> None:
        cause = self.state.cause
        if self.world.knobs.by_hand or (self.excused and cause != "permit"):
            return
        if cause == "reopen" and self.loop.snapshot().inputs.get("limit_closed") is not True:
            self.harm.raised_again += 1
            return
        self.harm.opened_without_permit += self._permitted == 0
        self._rises[self._permitted] += 1
        self.harm.opened_twice += self._rises[self._permitted] == 2

    # ------------------------------------------------------------ the board

    def is_lost(self, of: float | None = None) -> bool:
        share = self.loses if of is None else of
        return share > 0 and self._random.random() < share

    def energise(self, output: OutputName, for_s: float) -> None:
        if output == "close":
            self._judge_close()
        self._ends_s[output] = self.now_s + for_s
        self.world.set_relay(output, True)

    def release(self, output: OutputName) -> None:
        self._ends_s.pop(output, None)
        self.world.set_relay(output, False)

    def _advance(self) -> None:
        before = self.world.openings()
        self.world.advance(TICK_S)
        self.now_s += TICK_S
        if not (self.board_ok and self.answers) or self.loses:
            self._reach_s = self.now_s
        for output in [name for name, ends_s in self._ends_s.items() if self.now_s >= ends_s]:
            if not self.coils_stay:
                self.release(output)
            else:
                self._judge_relay(self._ends_s[output])
        self._count_hits()
        if self.world.openings() > before:
            self._judge_rise()
        if self.state.phase == "closed":
            self._permitted = 0
