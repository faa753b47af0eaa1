"""The invariants under anything that inputs, people, host and board may do, in any order (boom_bench.py checks)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from firmware_io.safety import BarrierSettings, Permit, Requests
from firmware_io.terms import InputName
from tests.boom.bench import ALL, TICK_S, Bench

KINDS = [
    BarrierSettings(),
    BarrierSettings(inputs=ALL),
    BarrierSettings(inputs=ALL, manual_key="hands_off", needs_vehicle=False),
    BarrierSettings(inputs=ALL, closes_by="controller"),
    BarrierSettings(inputs=("presence", "photocell")),
    BarrierSettings(inputs=("safety_loop", "limit_open"), needs_vehicle=False),
    BarrierSettings(inputs=("photocell", "limit_closed", "fire"), needs_vehicle=False),
    BarrierSettings(inputs=(), closes_by="controller"),
]
VALUES = st.sampled_from([True, False, None])
MOTION: tuple[InputName, ...] = ("presence", "safety_loop", "photocell", "limit_open", "limit_closed")


class AnythingMayHappen(RuleBasedStateMachine):
    """Each rule does one thing that the world may do; every tick of the bench asserts every invariant."""

    @initialize(kind=st.sampled_from(KINDS), ready=st.booleans())
    def begin(self, kind: BarrierSettings, ready: bool) -> None:
        self.bench = Bench(replace(kind, open_unpassed_s=6.0, open_alarm_s=9.0), ready=ready)
        self.serial = 0

    @rule(seconds=st.sampled_from([TICK_S, 0.2, 1.0, 4.5, 9.0]))
    def time_goes_by(self, seconds: float) -> None:
        self.bench.run(seconds)

    @rule(name=st.sampled_from(ALL), value=VALUES)
    def an_input_changes(self, name: InputName, value: bool | None) -> None:
        self.bench.set(**{name: value})

    @rule(changes=st.dictionaries(st.sampled_from(MOTION), st.booleans()))
    def loops_and_limits_change(self, changes: dict[InputName, bool]) -> None:
        self.bench.set(**changes).run(0.15)

    @rule(
        step=st.integers(-1, 2),
        age_s=st.sampled_from([0.0, 0.0, 0.0, 1.0, 1.99, 2.5, -1.0]),
        life_s=st.sampled_from([2.0, 2.0, 0.5, 3.0]),
        repeats=st.integers(1, 2),
        emergency=st.booleans(),
    )
    def permits_are_offered(self, step: int, age_s: float, life_s: float, repeats: int, emergency: bool) -> None:
        self.serial += step
        permit = self.bench.permit(self.serial, age_s, life_s, emergency=emergency)
        self.bench.offer(*[permit] * repeats)

    @rule(stop=st.booleans(), lower=st.booleans(), reset=st.booleans(), permit=st.booleans())
    def a_person_asks(self, stop: bool, lower: bool, reset: bool, permit: bool) -> None:
        self.serial += 1
        permits: tuple[Permit, ...] = (self.bench.permit(self.serial),) if permit else ()
        self.bench.tick(Requests(permits, stop=stop, lower=lower, reset=reset))

    @rule(hold=st.booleans(), host=st.booleans(), alive=st.booleans())
    def hold_host_and_board_change(self, hold: bool, host: bool, alive: bool) -> None:
        self.bench.hold, self.bench.host, self.bench.alive = hold, host, alive

    @rule()
    def the_board_is_lost(self) -> None:
        self.bench.tick(Requests(trouble=("board_lost",)))

    @rule()
    def all_is_repaired(self) -> None:
        self.bench.alive = self.bench.host = True
        self.bench.hold = False
        self.bench.set(
            **{**dict.fromkeys(ALL, False), "mains_ok": True, "limit_closed": self.bench.values["limit_closed"] is True}
        )
        self.bench.tick(Requests(reset=True))
        self.bench.run(3.5)


TestAnythingMayHappen = AnythingMayHappen.TestCase
TestAnythingMayHappen.settings = settings(
    max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)


@settings(max_examples=60, deadline=None)
@given(
    gap_s=st.floats(0.1, 3.9),
    tractor_s=st.floats(0.5, 8.0),
    trailer_s=st.floats(0.5, 8.0),
    seen_by=st.sampled_from(["safety_loop", "photocell"]),
)
def test_no_gap_shorter_than_the_hold_lowers_the_arm_onto_a_trailer(
    gap_s: float, tractor_s: float, trailer_s: float, seen_by: InputName
) -> None:
    """The presence loop stays held until the trailer's axles are off it, as they are while its gap is under the arm."""
    bench = Bench().open_for_vehicle()
    bench.set(safety_loop=True, photocell=True).run(tractor_s)
    bench.set(safety_loop=False, photocell=False).run(gap_s)
    bench.set(**{seen_by: True}, presence=False).run(trailer_s)
    assert [name for _, name in bench.pulses] == ["open"]
    bench.set(**{seen_by: False}).run(4.2)
    assert [name for _, name in bench.pulses] == ["open", "close"]


@pytest.mark.parametrize("broken", ["both", "unasked_open", "blind_close", "twice"])
def test_the_bench_notices_a_gate_that_does_harm(broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The checker is checked: each way of doing harm makes it fail."""
    from firmware_io import safety
    from tests.boom import bench as boom_bench

    def harmful(*args: object) -> object:
        state, out, notices = safety.step(*args)  # type: ignore[arg-type]
        if broken == "both":
            out = replace(out, open=True, close=True)
        elif broken == "unasked_open":
            out = replace(out, open=True)
        elif broken == "blind_close":
            out = replace(out, close=True)
        elif broken == "twice":
            state = replace(state, last_serial=0, phase="closed", cause="none", tended=False)
        return state, out, notices

    bench = Bench().set(presence=True)
    bench.run(1.0)
    bench.set(safety_loop=True)
    monkeypatch.setattr(boom_bench, "step", harmful)
    monkeypatch.setattr(boom_bench, "recheck", lambda out, *_: out)

    def provoke() -> None:
        bench.offer(bench.permit(1))
        bench.offer(bench.permit(1))
        bench.run(1.0)

    with pytest.raises(AssertionError):
        provoke()
