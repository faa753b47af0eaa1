"""Whole passages in simulated time, with random vehicles and faults: the proof by numbers that the boom does no harm.

The real `safety.step` and `recheck` against the simulated boom, without the wire between; a guard offers permits. One
or two faults in each passage, most of them within a second of a motion, because that is where they hurt.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from random import Random

from firmware_io.link import READ_BACK_S
from firmware_io.loop import AGAIN_S
from firmware_io.safety import (
    BarrierSettings,
    Notice,
    Outputs,
    Permit,
    Requests,
    memory,
    open_pulse_s,
    recheck,
    start,
    step,
)
from firmware_io.sim_traffic import Gap, SimVehicle
from firmware_io.sim_world import Knobs, World
from firmware_io.terms import INPUTS, UNDER_ARM, InputName, Inputs, OutputName

TICK_S = 0.05
PATIENCE_S = 150.0
TIDY_S = 90.0
OFFERS = 12
LOST_S = 0.5
"""So long without a reading and the board is given up."""
LOSES = 0.4
"""The share of questions that a noisy line loses, or whose answer it loses."""
LATE_TICKS = 4
TOLD_S = 0.35
"""Told for so long that somebody is under the arm, over a line that takes orders, and it still comes down: a hit."""
LATE_RELAY_S = READ_BACK_S + 0.6
"""A relay that is on for so much longer than its pulse was neither ended nor found."""
STUCK: tuple[InputName, ...] = ("presence", "safety_loop", "photocell", "exit_loop", "limit_open", "limit_closed")
FAULTS = (
    "none", "jam", "slow", "stuck", "bouncing", "silent", "noisy", "late", "host_lost", "person", "backs_out",
    "by_hand", "fire", "torn", "supply", "key", "stop", "stop_ignored", "restart", "echoing", "coil_stays", "next_one",
)  # fmt: skip
"""`supply`: all under the arm fails clear at once; `echoing`: orders arrive, no answer fits; `coil_stays`: the end of a
pulse is lost; `next_one`: the vehicle behind comes under the arm."""
ANCHORS = ("opening", "opened", "lowering", "lowering", "lowering", "closed")
BASE: tuple[InputName, ...] = ("presence", "safety_loop", "photocell", "limit_open", "limit_closed")
MORE: tuple[InputName, ...] = ("exit_loop", "fire", "arm_torn", "manual_key")
KINDS = (
    BarrierSettings(inputs=(*BASE, *MORE)),
    BarrierSettings(inputs=(*BASE, *MORE), manual_key="hands_off"),
    BarrierSettings(inputs=(*BASE, "high_beam", "fire", "arm_torn", "manual_key")),
    BarrierSettings(inputs=(*BASE, "fire", "arm_torn", "manual_key"), manual_key="hands_off"),
)
"""With an exit loop, with a key that stops, with a second beam, with neither exit loop nor second beam."""


@dataclass(slots=True)
class Harm:
    """What must not be, and beside it what no software can help: `out_of_reach`, the arm came down onto what no working
    sensor and line could tell of; `raised_again`, an arm at rest whose lower limit did not say so, for somebody."""

    lowered_onto_something: int = 0
    opened_without_permit: int = 0
    opened_twice: int = 0
    relay_past_its_pulse: int = 0
    out_of_reach: int = 0
    raised_again: int = 0


class Rig:
    """One barrier on simulated time: what BarrierLoop and BoardLink do, without thread, line and board."""

    def __init__(self, settings: BarrierSettings, seed: int, *, can_stop: bool = True) -> None:
        self.settings = settings
        self.world = World(seed=seed)
        self.now_s = 1000.0
        self.state = start(self.now_s)
        self.notices: list[Notice] = []
        self.host_ok = self.board_ok = self.answers = True
        self.coils_stay = False
        self.can_stop = can_stop
        self.loses, self.ticks_each = 0.0, 1
        self.asked = Requests()
        self.excused = False
        self.harm = Harm()
        self._beat_s = self.now_s
        self._inputs = Inputs(at_s=float("-inf"))
        self._ends_s: dict[OutputName, float] = {}
        self._again: tuple[Outputs, float] = (Outputs(), 0.0)
        self._random = Random(seed)  # noqa: S311  a repeatable run, no secret
        self._permitted = 0
        self._rises: Counter[int] = Counter()
        self._done: tuple[OutputName, ...] = ()
        self._failed = False
        self._told_s = self._under_s = 0.0
        self._hits = 0
        self._read_back_s = self.now_s
        self._stays: set[OutputName] = set()

    @property
    def opened_without_permit(self) -> int:
        return self.harm.opened_without_permit

    @property
    def opened_twice(self) -> int:
        return self.harm.opened_twice

    def ask(self, **wishes: object) -> None:
        self.asked = replace(self.asked, **wishes)  # type: ignore[arg-type]

    def restart(self) -> None:
        """The process dies and starts anew: what it does not remember is gone; pulses end by themselves."""
        self.state = start(self.now_s, memory(self.state))
        self.asked, self._again, self._done = Requests(hold=self.asked.hold), (Outputs(), 0.0), ()
        self._inputs = Inputs(at_s=float("-inf"))

    def tick(self) -> list[Notice]:
        """TICK_S of the world, then one turn of the loop. Returns what happened."""
        for _ in range(self.ticks_each):
            self._advance()
        self._beat_s = self.now_s if self.host_ok else self._beat_s
        was_read = self.board_ok and self.answers and not self._is_lost()
        if was_read:
            seen = self.world.inputs()
            self._inputs = Inputs(self.now_s, **{name: seen[name] for name in INPUTS if self.settings.has(name)})
            self._read_back()
        asked = replace(
            self.asked, beat_s=self._beat_s, trouble=self._trouble(), done=self._done, can_stop=self.can_stop
        )
        self.asked = Requests(hold=self.asked.hold)
        self.state, outputs, notices = step(self.state, self._inputs, asked, self.now_s, self.settings)
        allowed = recheck(self._with_again(outputs), self._inputs, self.state, self.now_s, self.settings)
        self._judge_close(allowed, by_person=asked.lower)
        self._done = ()
        if self.board_ok:
            self._ask_board(allowed)
        self._permitted = next((n.serial for n in notices if n.kind == "permit_accepted"), self._permitted)
        self.notices += notices
        return list(notices)

    def _trouble(self) -> tuple[str, ...]:
        found = {
            "board_lost": self.now_s - self._inputs.at_s >= LOST_S,
            "write_failed": self._failed,
            **{f"output_on:{name}": True for name in sorted(self._stays)},
        }
        return tuple(code for code, is_so in found.items() if is_so)

    # ------------------------------------------------------------ the judge

    def _judge_close(self, outputs: Outputs, *, by_person: bool) -> None:
        if outputs.close and not by_person and self.world.is_under_arm():
            self.harm.lowered_onto_something += 1

    def _judge_descent(self) -> None:
        """It comes down onto somebody: a hit where the loop was told and could say so, else out of anybody's reach."""
        onto = self.world.comes_down() and self.world.is_under_arm()
        told = (
            any(self._inputs.get(name) is True for name in UNDER_ARM) and self.now_s - self._inputs.at_s <= 2 * TICK_S
        )
        before = self._told_s
        self._told_s = self._told_s + TICK_S if onto and told and self.board_ok and not self.loses else 0.0
        self.harm.lowered_onto_something += self._told_s > TOLD_S >= before
        hits = self.world.state().counters.lowered_onto_something
        self.harm.out_of_reach += hits > self._hits and self._told_s == 0.0
        self._hits = hits

    def _judge_rise(self) -> None:
        if self.excused:
            return
        if self.state.cause == "reopen" and self._inputs.limit_closed is not True:
            self.harm.raised_again += 1
            return
        self.harm.opened_without_permit += self._permitted == 0
        self._rises[self._permitted] += 1
        self.harm.opened_twice += self._rises[self._permitted] == 2

    # ------------------------------------------------------------ line and board

    def _advance(self) -> None:
        before = self.world.state().counters.openings
        self.world.advance(TICK_S)
        self.now_s += TICK_S
        for output in [name for name, ends_s in self._ends_s.items() if self.now_s >= ends_s]:
            if self.coils_stay:
                self.harm.relay_past_its_pulse += (
                    self.now_s - TICK_S < self._ends_s[output] + LATE_RELAY_S <= self.now_s
                )
                continue
            self._release(output)
        self._judge_descent()
        if self.world.state().counters.openings > before:
            self._judge_rise()
        if self.state.phase == "closed":
            self._permitted = 0

    def _read_back(self) -> None:
        """What the link does once a second: a coil that is on without a pulse is a fault, and is released."""
        if self.now_s < self._read_back_s + READ_BACK_S:
            return
        self._read_back_s = self.now_s
        self._stays = {name for name, ends_s in self._ends_s.items() if self.now_s > ends_s + 0.3}
        for output in self._stays:
            self._release(output)

    def _is_lost(self) -> bool:
        return self.loses > 0 and self._random.random() < self.loses

    def _with_again(self, new: Outputs) -> Outputs:
        """As BarrierLoop does: a motion that was not surely given is asked for again, for a moment."""
        old, until_s = self._again
        is_over = self.now_s > until_s or new.open or new.close or new.stop
        return new if is_over else replace(new, open=old.open, close=old.close, stop=old.stop)

    def _ask_board(self, outputs: Outputs) -> None:
        """The question may be lost on its way, and then nothing moves, or its answer, and then it does."""
        moves = outputs.open or outputs.close or outputs.stop
        is_lost = moves and (not self.answers or self._is_lost())
        if not is_lost or not self.answers or self._random.random() < 0.5:
            self._write(outputs)
        until_s = self._again[1] if self._again[1] > self.now_s else self.now_s + AGAIN_S
        self._again = (outputs, until_s) if is_lost else (Outputs(), 0.0)
        self._failed = is_lost
        self._done = ("stop",) if outputs.stop and not is_lost and self.can_stop else ()

    def _write(self, outputs: Outputs) -> None:
        if outputs.open or outputs.stop:
            self._release("close")
        if outputs.close or outputs.stop:
            self._release("open")
        if outputs.open or outputs.close:
            self._release("stop")
        pulse_s = open_pulse_s(self.state, self.settings) if outputs.open else self.settings.pulse_s
        stop = outputs.stop and self.can_stop
        motions: dict[OutputName, bool] = {"open": outputs.open, "close": outputs.close, "stop": stop}
        for name in [name for name, on in motions.items() if on]:
            self._ends_s[name] = self.now_s + pulse_s
            self.world.set_relay(name, True)
        self.world.set_relay("green", outputs.green)

    def _release(self, output: OutputName) -> None:
        self._ends_s.pop(output, None)
        self.world.set_relay(output, False)


@dataclass(slots=True)
class Trouble:
    """One fault: what, how long after its anchor (a motion, or the vehicle's coming), and for how long."""

    kind: str
    anchor: str
    after_s: float
    last_s: float
    name: InputName
    value: bool
    begin_s: float = field(default=float("inf"))

    def hear(self, notice: str, now_s: float) -> None:
        if notice == self.anchor and self.begin_s == float("inf"):
            self.begin_s = now_s + self.after_s

    def is_on(self, now_s: float) -> bool:
        return self.begin_s <= now_s < self.begin_s + self.last_s

    def apply(self, rig: Rig) -> None:
        """What is so for as long as it lasts."""
        knobs, kind = rig.world.knobs, self.kind
        rig.board_ok &= kind != "silent"
        rig.answers &= kind != "echoing"
        rig.host_ok &= kind != "host_lost"
        rig.coils_stay |= kind == "coil_stays"
        rig.loses = LOSES if kind == "noisy" else rig.loses
        rig.ticks_each = LATE_TICKS if kind == "late" else rig.ticks_each
        knobs.jam |= kind == "jam"
        knobs.slow = 0.3 if kind == "slow" else knobs.slow
        knobs.person_under_arm |= kind == "person"
        knobs.by_hand = True if kind == "by_hand" else knobs.by_hand
        if kind == "stuck":
            knobs.stuck[self.name] = self.value
        elif kind == "supply":
            knobs.stuck |= dict.fromkeys(UNDER_ARM, False)
        elif kind == "bouncing":
            knobs.bouncing.add(self.name)
        elif kind == "stop_ignored":
            knobs.ignores.add("stop")
        knobs.set |= {name: True for name, of in TOLD.items() if of == kind}

    def begin(self, rig: Rig) -> None:
        """What happens once, as it begins."""
        rig.excused = rig.excused or self.kind in ("by_hand", "fire", "key")
        if self.kind in ("stop", "stop_ignored"):
            rig.ask(stop=True)
        elif self.kind == "restart":
            rig.restart()
        elif self.kind == "backs_out":
            rig.world.leave()
        elif self.kind == "next_one":
            rig.world.arrive(SimVehicle("pusher", 5.0, 3.0, 0.1, 1.0, tailgates=True))


TOLD: dict[InputName, str] = {"fire": "fire", "arm_torn": "torn", "manual_key": "key"}


def turn(rig: Rig, troubles: list[Trouble], on: set[int]) -> None:
    """Everything in order, and then each fault that is on."""
    rig.world.knobs = Knobs()
    rig.board_ok = rig.answers = rig.host_ok = True
    rig.coils_stay, rig.loses, rig.ticks_each = False, 0.0, 1
    for index in on:
        troubles[index].apply(rig)


def _vehicle(random: Random) -> SimVehicle:
    """Anything from a van to a tractor with a high semi-trailer, an empty container chassis or a drawbar trailer; some
    stop half-way, a chassis with its gap over the loops."""
    length_m = random.uniform(4.5, 18.0)
    gaps: tuple[Gap, ...] = ()
    pause = (random.uniform(0.0, 6.0), random.uniform(1.0, 12.0)) if random.random() < 0.2 else None
    name = "truck"
    if length_m > 12 and random.random() < 0.4:
        name, gap_m = "skeletal", random.uniform(3.0, 6.0)
        gaps = (Gap(random.uniform(3.5, 4.5), gap_m, see_through=True),)
        pause = (random.uniform(4.5, 4.5 + gap_m), random.uniform(1.0, 8.0)) if random.random() < 0.5 else None
    elif length_m > 10:
        high = Gap(random.uniform(3.5, 4.5), random.uniform(2.0, 5.0))
        drawbar = Gap(length_m / 2, random.uniform(0.8, 1.8), see_through=True)
        gaps = random.choice(((), (high,), (drawbar,)))
    speed_mps, reaction_s = random.uniform(1.0, 4.0), random.uniform(0.5, 2.0)
    return SimVehicle(name, length_m, speed_mps, reaction_s, gaps=gaps, pause=pause)


def _trouble(random: Random) -> Trouble:
    kind = random.choice(FAULTS)
    anchored = random.random() < 0.9
    anchor = random.choice(ANCHORS) if anchored else "came"
    after_s = random.uniform(0.0, 1.0) if anchored else random.uniform(0.0, 25.0)
    return Trouble(kind, anchor, after_s, random.uniform(0.2, 15.0), random.choice(STUCK), random.random() < 0.5)


class Passage:
    """One vehicle from its coming to its end: through, or at the guard with a reason."""

    def __init__(self, rig: Rig, random: Random, serial: int) -> None:
        self.rig, self.serial = rig, serial
        self.vehicle = _vehicle(random)
        self.troubles = [_trouble(random) for _ in range(random.choice((1, 2)))]
        self.followed = random.random() < 0.2
        self.behind = SimVehicle("next", 6.0, 3.0, 0.3, random.uniform(1.0, 9.0), tailgates=random.random() < 0.5)
        self.offers = 0
        self.reason = ""
        self.through = False
        self.alarms = 0
        self._offer_at_s = float("inf")
        self._on: set[int] = set()

    def run(self) -> None:
        """Drive up, try, end; then repair and tidy up for the next one."""
        rig = self.rig
        passed = rig.world.state().counters.passed
        rig.world.arrive(self.vehicle)
        if self.followed:
            rig.world.arrive(self.behind)
        begin_s = rig.now_s
        self._hear("came")
        self._offer_at_s = rig.now_s + 15.0  # a guard sees the vehicle even where no loop does
        while not self.reason and not self.through and rig.now_s - begin_s < PATIENCE_S:
            self._turn()
            self._guard(rig.tick())
        if not self.through and rig.world.state().counters.passed > passed:
            self.reason = self.reason or "passed_unseen"
        self.reason = self.reason if self.through or self.reason else "patience"
        self._tidy()

    def _hear(self, notice: str) -> None:
        for trouble in self.troubles:
            trouble.hear(notice, self.rig.now_s)

    def _turn(self) -> None:
        now = {index for index, trouble in enumerate(self.troubles) if trouble.is_on(self.rig.now_s)}
        begun, self._on = now - self._on, now
        turn(self.rig, self.troubles, now)
        for index in begun:
            self.troubles[index].begin(self.rig)

    def is_alone(self) -> bool:
        """One vehicle, and no fault that could look like a second."""
        odd = ("next_one", "person", "stuck", "bouncing", "supply", "by_hand")
        return not self.followed and not any(trouble.kind in odd for trouble in self.troubles)

    def _guard(self, notices: list[Notice]) -> None:
        for notice in notices:
            self._hear(notice.kind)
            self.alarms += notice.kind == "tailgate"
            if notice.kind == "arrived":
                self._offer_at_s = min(self._offer_at_s, self.rig.now_s + 0.5)
            elif notice.kind == "permit_refused":
                self._offer_at_s = self.rig.now_s + 2.0
                self.reason = notice.code if self.offers >= OFFERS else ""
            elif notice.kind == "closed" and not self.through:
                self._offer_at_s = (
                    self.rig.now_s + 2.0
                )  # down again before anybody passed: a new decision, a new permit
            elif notice.kind in ("not_opened", "still_open", "stopping"):
                self.reason = notice.kind
            elif notice.kind == "through" and notice.code == "":
                self.through = True
            elif notice.kind == "left" and self.offers:
                self.reason = "left"
        if self.rig.now_s >= self._offer_at_s and not self.reason:
            self._offer_at_s = float("inf")
            self.offers += 1
            self.serial += 1
            self.rig.ask(permits=(Permit(self.serial, self.rig.now_s, self.rig.now_s + 2.0),))

    def _tidy(self) -> None:
        """What began goes on to its end; then everything is repaired, the guard waves the rest through, turns the
        waiting away, looks and lowers the boom."""
        rig, begin_s = self.rig, self.rig.now_s
        while rig.now_s - begin_s < TIDY_S:
            self._turn()
            is_over = not self._on and all(t.begin_s == float("inf") or t.begin_s < rig.now_s for t in self.troubles)
            state = rig.world.state()
            for vehicle in state.vehicles:
                if is_over and vehicle.phase in ("approaching", "standing"):
                    rig.world.leave()
            is_rest = rig.state.phase == "closed" and not rig.state.faults and not rig.state.here
            if is_over and is_rest and state.vehicle is None:
                break
            if is_over and int((rig.now_s - begin_s) / TICK_S) % 100 == 99:
                is_up = rig.state.phase != "closed" and not rig.world.is_under_arm()
                rig.ask(reset=True, lower=is_up)
            for notice in rig.tick():
                self._hear(notice.kind)
                self.alarms += notice.kind == "tailgate"
        else:
            self.reason = f"not_tidy:{rig.state.phase}"
            self.through = False
        turn(rig, [], set())
        rig.excused = False


def _ready_rig(kind: int, seed: int) -> Rig:
    rig = Rig(KINDS[kind], seed, can_stop=kind != 3)
    while rig.state.faults or rig.state.phase != "closed":
        rig.tick()
    return rig


def run_passages(n: int, seed: int = 0) -> dict[str, object]:
    """Run `n` passages. Keys: passages, through, at_guard; those of `Harm`; of vehicles that came alone and of skeletal
    ones among them how many there were and how often a tailgate was told; `reasons`, why passages ended at the guard.
    """
    random = Random(seed)  # noqa: S311  a repeatable run, no secret
    rigs = [_ready_rig(kind, seed) for kind in range(len(KINDS))]
    reasons: Counter[str] = Counter()
    alone: Counter[str] = Counter()
    serial = through = 0
    for number in range(n):
        rig = rigs[number % len(rigs)]
        passage = Passage(rig, random, serial)
        passage.run()
        serial = passage.serial
        through += passage.through
        reasons.update([] if passage.through else [passage.reason])
        if passage.is_alone():
            alone[passage.vehicle.name] += 1
            alone[f"{passage.vehicle.name} tailgates"] += passage.alarms > 0
        rig.notices.clear()
    harm = {name: sum(getattr(rig.harm, name) for rig in rigs) for name in Harm.__slots__}
    return {
        "passages": n,
        "through": through,
        "at_guard": n - through,
        **harm,
        "alone": alone["truck"] + alone["skeletal"],
        "false_tailgates": alone["truck tailgates"] + alone["skeletal tailgates"],
        "skeletal_alone": alone["skeletal"],
        "skeletal_false_tailgates": alone["skeletal tailgates"],
        "reasons": dict(reasons.most_common()),
    }
