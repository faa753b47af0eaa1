"""Whole passages in simulated time, with random vehicles and faults: the proof by numbers that the boom does no harm.

The real `safety.step` and `recheck` against the simulated boom, without the wire between; a guard offers permits.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from random import Random

from firmware_io.loop import AGAIN_S
from firmware_io.safety import BarrierSettings, Notice, Outputs, Permit, Requests, recheck, start, step
from firmware_io.sim_traffic import Gap, SimVehicle
from firmware_io.sim_world import Knobs, World
from firmware_io.terms import INPUTS, InputName, Inputs, OutputName

TICK_S = 0.05
PATIENCE_S = 150.0
TIDY_S = 90.0
OFFERS = 12
LOST_S = 0.5
"""So long without a reading and the board is given up."""
LOSES = 0.4
"""The share of questions that a noisy line loses, or whose answer it loses."""
LATE_TICKS = 4
STUCK: tuple[InputName, ...] = ("presence", "safety_loop", "photocell", "exit_loop", "limit_open", "limit_closed")
FAULTS = (
    "none",
    "jam",
    "slow",
    "stuck",
    "bouncing",
    "silent",
    "noisy",
    "late",
    "host_lost",
    "person",
    "backs_out",
    "by_hand",
    "fire",
    "torn",
)


class Rig:
    """One barrier on simulated time: what BarrierLoop does, without thread, line and board."""

    def __init__(self, settings: BarrierSettings, seed: int) -> None:
        self.settings = settings
        self.world = World(seed=seed)
        self.now_s = 1000.0
        self.state = start(self.now_s)
        self.notices: list[Notice] = []
        self.host_ok = self.board_ok = True
        self.loses, self.ticks_each = 0.0, 1
        self.asked = Requests()
        self.excused = False
        self._beat_s = self.now_s
        self._inputs = Inputs(at_s=float("-inf"))
        self._ends_s: dict[OutputName, float] = {}
        self._again: tuple[Outputs, float] = (Outputs(), 0.0)
        self._random = Random(seed)  # noqa: S311  a repeatable run, no secret
        self._permitted = 0
        self._rises: Counter[int] = Counter()
        self.opened_without_permit = 0

    @property
    def opened_twice(self) -> int:
        return sum(count > 1 for count in self._rises.values())

    def ask(self, **wishes: object) -> None:
        self.asked = replace(self.asked, **wishes)  # type: ignore[arg-type]

    def tick(self) -> list[Notice]:
        """TICK_S of the world, then one turn of the loop. Returns what happened."""
        for _ in range(self.ticks_each):
            self._advance()
        self._beat_s = self.now_s if self.host_ok else self._beat_s
        if self.board_ok and not self._is_lost():
            seen = self.world.inputs()
            self._inputs = Inputs(self.now_s, **{name: seen[name] for name in INPUTS if self.settings.has(name)})
        trouble = () if self.now_s - self._inputs.at_s < LOST_S else ("board_lost",)
        asked = replace(self.asked, beat_s=self._beat_s, trouble=trouble)
        self.asked = Requests(hold=self.asked.hold)
        self.state, outputs, notices = step(self.state, self._inputs, asked, self.now_s, self.settings)
        if self.board_ok:
            self._ask_board(recheck(self._with_again(outputs), self._inputs, self.state, self.now_s, self.settings))
        self._permitted = next((n.serial for n in notices if n.kind == "permit_accepted"), self._permitted)
        self.notices += notices
        return list(notices)

    def _advance(self) -> None:
        before = self.world.state().counters.openings
        self.world.advance(TICK_S)
        self.now_s += TICK_S
        for output in [name for name, ends_s in self._ends_s.items() if self.now_s >= ends_s]:
            del self._ends_s[output]
            self.world.set_relay(output, False)
        if self.world.state().counters.openings > before and not self.excused:
            self.opened_without_permit += self._permitted == 0
            self._rises[self._permitted] += 1
        if self.state.phase == "closed":
            self._permitted = 0

    def _is_lost(self) -> bool:
        return self.loses > 0 and self._random.random() < self.loses

    def _with_again(self, new: Outputs) -> Outputs:
        """As BarrierLoop does: a motion that was not surely given is asked for again, for a moment."""
        old, until_s = self._again
        is_over = self.now_s > until_s or new.open or new.close or new.stop
        return new if is_over else replace(new, open=old.open, close=old.close, stop=old.stop)

    def _ask_board(self, outputs: Outputs) -> None:
        """The question may be lost on its way, and then nothing moves, or its answer, and then it does."""
        is_lost = (outputs.open or outputs.close or outputs.stop) and self._is_lost()
        if not is_lost or self._random.random() < 0.5:
            self._write(outputs)
        until_s = self._again[1] if self._again[1] > self.now_s else self.now_s + AGAIN_S
        self._again = (outputs, until_s) if is_lost else (Outputs(), 0.0)

    def _write(self, outputs: Outputs) -> None:
        if outputs.open or outputs.stop:
            self._release("close")
        if outputs.close or outputs.stop:
            self._release("open")
        motions: dict[OutputName, bool] = {"open": outputs.open, "close": outputs.close, "stop": outputs.stop}
        for name in [name for name, on in motions.items() if on]:
            self._ends_s[name] = self.now_s + self.settings.pulse_s
            self.world.set_relay(name, True)
        self.world.set_relay("green", outputs.green)

    def _release(self, output: OutputName) -> None:
        self._ends_s.pop(output, None)
        self.world.set_relay(output, False)


@dataclass(frozen=True, slots=True)
class Trouble:
    """One fault: what, from when (after the vehicle came) and for how long."""

    kind: str
    begin_s: float
    last_s: float
    name: InputName
    value: bool

    def turn(self, rig: Rig, on: bool) -> None:
        """Turn it on or off in the world."""
        rig.world.knobs = Knobs()
        rig.board_ok = not (on and self.kind == "silent")
        rig.host_ok = not (on and self.kind == "host_lost")
        rig.loses = LOSES if on and self.kind == "noisy" else 0.0
        rig.ticks_each = LATE_TICKS if on and self.kind == "late" else 1
        if not on:
            return
        knobs = rig.world.knobs
        knobs.jam, knobs.slow = self.kind == "jam", 0.3 if self.kind == "slow" else 1.0
        knobs.stuck = {self.name: self.value} if self.kind == "stuck" else {}
        knobs.bouncing = {self.name} if self.kind == "bouncing" else set()
        knobs.person_under_arm = self.kind == "person"
        knobs.by_hand = True if self.kind == "by_hand" else None
        knobs.set = {"fire": self.kind == "fire", "arm_torn": self.kind == "torn"}
        rig.excused = rig.excused or self.kind in ("by_hand", "fire")
        if self.kind == "backs_out":
            rig.world.leave()


def _vehicle(random: Random) -> SimVehicle:
    """Anything from a van to a tractor with a high semi-trailer or a drawbar trailer; some stop half-way."""
    length_m = random.uniform(4.5, 18.0)
    gaps: tuple[Gap, ...] = ()
    if length_m > 10:
        high = Gap(random.uniform(3.5, 4.5), random.uniform(2.0, 5.0))
        drawbar = Gap(length_m / 2, random.uniform(0.8, 1.8), see_through=True)
        gaps = random.choice(((), (high,), (drawbar,)))
    pause = (random.uniform(0.0, 6.0), random.uniform(1.0, 12.0)) if random.random() < 0.2 else None
    speed_mps, reaction_s = random.uniform(1.0, 4.0), random.uniform(0.5, 2.0)
    return SimVehicle("truck", length_m, speed_mps, reaction_s, gaps=gaps, pause=pause)


def _trouble(random: Random) -> Trouble:
    kind = random.choice(FAULTS)
    return Trouble(
        kind, random.uniform(0.0, 25.0), random.uniform(0.2, 15.0), random.choice(STUCK), random.random() < 0.5
    )


class Passage:
    """One vehicle from its coming to its end: through, or at the guard with a reason."""

    def __init__(self, rig: Rig, random: Random, serial: int) -> None:
        self.rig, self.serial = rig, serial
        self.vehicle, self.trouble = _vehicle(random), _trouble(random)
        self.followed = random.random() < 0.2
        self.behind = SimVehicle("next", 6.0, 3.0, 0.3, random.uniform(1.0, 9.0), tailgates=random.random() < 0.5)
        self.offers = 0
        self.reason = ""
        self.through = False
        self._offer_at_s = float("inf")

    def run(self) -> None:
        """Drive up, try, end; then repair and tidy up for the next one."""
        rig = self.rig
        passed = rig.world.state().counters.passed
        rig.world.arrive(self.vehicle)
        if self.followed:
            rig.world.arrive(self.behind)
        begin_s, is_on = rig.now_s, False
        self._offer_at_s = rig.now_s + 15.0  # a guard sees the vehicle even where no loop does
        while not self.reason and not self.through and rig.now_s - begin_s < PATIENCE_S:
            since_s = rig.now_s - begin_s - self.trouble.begin_s
            if is_on != (0 <= since_s < self.trouble.last_s):
                is_on = not is_on
                self.trouble.turn(rig, is_on)
            self._guard(rig.tick())
        if not self.through and rig.world.state().counters.passed > passed:
            self.reason = self.reason or "passed_unseen"
        self.reason = self.reason if self.through or self.reason else "patience"
        self._tidy()

    def _guard(self, notices: list[Notice]) -> None:
        for notice in notices:
            if notice.kind == "arrived":
                self._offer_at_s = min(self._offer_at_s, self.rig.now_s + 0.5)
            elif notice.kind == "permit_refused":
                self._offer_at_s = self.rig.now_s + 2.0
                self.reason = notice.code if self.offers >= OFFERS else ""
            elif notice.kind == "closed" and not self.through:
                self._offer_at_s = (
                    self.rig.now_s + 2.0
                )  # down again before anybody passed: a new decision, a new permit
            elif notice.kind in ("not_opened", "still_open", "stopped"):
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
        """Everything is repaired; the guard waves the rest through, turns the waiting away and lowers the boom."""
        rig, begin_s = self.rig, self.rig.now_s
        self.trouble.turn(rig, False)
        while rig.now_s - begin_s < TIDY_S:
            state = rig.world.state()
            for vehicle in state.vehicles:
                if vehicle.phase in ("approaching", "standing"):
                    rig.world.leave()
            if state.vehicle is None and rig.state.phase == "closed" and not rig.state.faults and not rig.state.here:
                break
            if int((rig.now_s - begin_s) / TICK_S) % 100 == 99:
                rig.ask(reset=True, lower=rig.state.phase != "closed")
            rig.tick()
        else:
            self.reason = f"not_tidy:{rig.state.phase}"
            self.through = False
        rig.excused = False


def run_passages(n: int, seed: int = 0) -> dict[str, object]:
    """Run `n` passages. Keys: passages, through, at_guard, lowered_onto_something, opened_without_permit, opened_twice,
    and `reasons`, which counts why passages ended at the guard."""
    random = Random(seed)  # noqa: S311  a repeatable run, no secret
    settings = BarrierSettings(
        inputs=("presence", "safety_loop", "photocell", "exit_loop", "limit_open", "limit_closed", "fire", "arm_torn")
    )
    rig = Rig(settings, seed)
    reasons: Counter[str] = Counter()
    serial = through = 0
    while rig.state.faults or rig.state.phase != "closed":
        rig.tick()
    for _ in range(n):
        passage = Passage(rig, random, serial)
        passage.run()
        serial = passage.serial
        through += passage.through
        reasons.update([] if passage.through else [passage.reason])
        rig.notices.clear()
    return {
        "passages": n,
        "through": through,
        "at_guard": n - through,
        "lowered_onto_something": rig.world.state().counters.lowered_onto_something,
        "opened_without_permit": rig.opened_without_permit,
        "opened_twice": rig.opened_twice,
        "reasons": dict(reasons.most_common()),
    }
