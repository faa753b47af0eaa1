"""The invariants with the simulator in play: real boom, loops and vehicles, every fault knob, whole passages.

Hypothesis chooses what comes when; each tick looks at what the world counts (who was hit, what rose without leave) and
not at what the safety gate thinks of itself.
"""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from firmware_io.safety import BarrierSettings, Permit
from firmware_io.sim_traffic import Gap, SimVehicle
from firmware_io.terms import InputName
from tests.harness.sim.passages import LATE_TICKS, LOSES
from tests.harness.sim.rig import TICK_S, Rig

INPUTS: tuple[InputName, ...] = (
    "presence", "safety_loop", "photocell", "exit_loop", "limit_open", "limit_closed", "fire", "manual_key", "arm_torn",
    "tamper", "mains_ok",
)  # fmt: skip
KINDS = (
    BarrierSettings(inputs=INPUTS, open_unpassed_s=6.0, open_alarm_s=9.0),
    BarrierSettings(inputs=("presence", "safety_loop", "photocell"), open_unpassed_s=6.0, travel_s=3.0),
    BarrierSettings(inputs=INPUTS, manual_key="hands_off", open_unpassed_s=6.0),
)
VEHICLES = (
    SimVehicle("van", 4.5, 4.0),
    SimVehicle("high semi-trailer", 17.0, 2.0, gaps=(Gap(4.0, 5.0),)),
    SimVehicle("drawbar trailer", 18.0, 2.5, gaps=(Gap(9.0, 1.8, see_through=True),)),
    SimVehicle("stops half-way", 12.0, 2.0, pause=(3.0, 8.0)),
    SimVehicle("tailgater", 6.0, 3.0, 0.3, follows_m=2.0, tailgates=True),
)
MOVING: tuple[InputName, ...] = ("presence", "safety_loop", "photocell", "limit_open", "limit_closed")
FAULTS = ("person", "jam", "slow", "by_hand", "silent", "noisy", "late", "limit", "bouncing")
TOLD: tuple[InputName, ...] = ("fire", "manual_key", "arm_torn", "tamper")


class AnythingDrivesUp(RuleBasedStateMachine):
    """One fault of sensors or line at a time: whom a blind sensor hides and a dead line protects nobody can see."""

    @initialize(kind=st.sampled_from(KINDS), seed=st.integers(0, 9))
    def begin(self, kind: BarrierSettings, seed: int) -> None:
        self.rig = Rig(kind, seed)
        self.serial = self.vehicles = 0
        self.broken = False
        self.run(4.0)

    def run(self, seconds: float) -> None:
        rig = self.rig
        for _ in range(round(seconds / TICK_S / rig.ticks_each)):
            before, phase = rig.world.state().counters, rig.state.phase
            notices = rig.tick()
            after, kinds = rig.world.state().counters, [notice.kind for notice in notices]
            unhurt = after.lowered_onto_something == before.lowered_onto_something
            assert unhurt or not rig.board_ok, f"hit somebody, {phase}"  # no board: the controller's own photocell
            assert rig.harm.opened_without_permit == 0
            assert rig.harm.opened_twice == 0
            assert kinds.count("permit_accepted") <= 1
            assert "opened" not in kinds or rig.world.state().boom_position > 0.9 or self.broken

    @rule(seconds=st.sampled_from([0.2, 1.0, 3.0, 8.0]))
    def time_goes_by(self, seconds: float) -> None:
        self.run(seconds)

    @rule(vehicle=st.sampled_from(VEHICLES))
    @precondition(lambda self: self.vehicles < 4)
    def a_vehicle_comes(self, vehicle: SimVehicle) -> None:
        self.vehicles += 1
        self.rig.world.arrive(vehicle)
        self.run(3.0)

    @rule()
    def whoever_waits_reverses_out(self) -> None:
        self.rig.world.leave()
        self.run(0.2)

    @rule(age_s=st.sampled_from([0.0, 0.0, 0.0, 1.9, 2.5]), repeats=st.integers(1, 2), step=st.integers(0, 1))
    def a_permit_is_offered(self, age_s: float, repeats: int, step: int) -> None:
        self.serial += step
        at_s = self.rig.now_s - age_s
        self.rig.ask(permits=(Permit(self.serial, at_s, at_s + 2.0),) * repeats)
        self.run(1.0)

    @rule(vehicle=st.sampled_from(VEHICLES), fault=st.sampled_from(("person",) * 6 + FAULTS))
    def a_whole_passage_and_something_breaks_as_the_arm_comes_down(self, vehicle: SimVehicle, fault: str) -> None:
        self.mend()
        self.rig.host_ok = True
        self.rig.world.knobs.set.clear()
        self.rig.ask(reset=True, lower=True, hold=False)
        self.run(4.0)
        self.a_vehicle_comes(vehicle)
        for _ in range(6):
            if self.rig.state.here and not self.rig.state.tended:
                self.a_permit_is_offered(0.0, 1, 1)
            for _ in range(20):
                self.run(0.5)
                if self.rig.state.phase == "lowering":
                    self.something_breaks(fault)
                    return

    @rule(stop=st.booleans(), lower=st.booleans(), reset=st.booleans(), hold=st.booleans())
    def a_person_asks(self, stop: bool, lower: bool, reset: bool, hold: bool) -> None:
        self.rig.ask(stop=stop, lower=lower, reset=reset, hold=hold)
        self.run(0.2)

    @rule(host=st.booleans())
    def the_gate_process_dies_or_is_back(self, host: bool) -> None:
        self.rig.host_ok = host
        self.run(0.5)

    @rule(name=st.sampled_from(TOLD), value=st.booleans())
    def a_contact_changes(self, name: InputName, value: bool) -> None:
        self.rig.world.knobs.set[name] = value
        self.rig.excused = True  # fire and key raise it, and nobody need have permitted that
        self.run(0.5)

    @rule(fault=st.sampled_from(FAULTS))
    def something_breaks(self, fault: str) -> None:
        rig, knobs = self.rig, self.rig.world.knobs
        knobs.jam, knobs.slow = fault == "jam", 0.3 if fault == "slow" else 1.0
        knobs.person_under_arm = fault == "person"
        knobs.by_hand = True if fault == "by_hand" else None
        knobs.stuck = {"limit_open": True} if fault == "limit" else {}
        knobs.bouncing = {"limit_closed"} if fault == "bouncing" else set()
        rig.board_ok, rig.loses = fault != "silent", LOSES if fault == "noisy" else 0.0
        rig.ticks_each = LATE_TICKS if fault == "late" else 1
        rig.excused = rig.excused or fault == "by_hand"
        self.broken = fault in ("limit", "bouncing")
        self.run(1.0)

    @rule()
    def mend(self) -> None:
        rig, knobs = self.rig, self.rig.world.knobs
        knobs.jam, knobs.slow, knobs.person_under_arm, knobs.by_hand = False, 1.0, False, None
        knobs.stuck, knobs.bouncing = {}, set()
        rig.board_ok, rig.loses, rig.ticks_each = True, 0.0, 1
        self.broken = False
        self.run(0.2)


TestAnythingDrivesUp = AnythingDrivesUp.TestCase
TestAnythingDrivesUp.settings = settings(
    phases=[Phase.generate],  # shrinking a whole afternoon's traffic takes longer than reading it
    max_examples=15,
    stateful_step_count=15,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
