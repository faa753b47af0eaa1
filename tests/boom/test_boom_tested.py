"""Sensors that are tested (EN 12453, type 2 / D), sensors with two contacts, and how often the arm met something."""

from __future__ import annotations

from dataclasses import replace

import pytest

from firmware_io.board import BoardSettings, InputWiring, sharing_faults, wiring_faults
from firmware_io.boards import open_board
from firmware_io.safety import BarrierSettings, Memory, Notice, Requests, memory, start
from firmware_io.terms import InputName
from tests.boom.bench import PLAIN, TICK_S, Bench, codes
from tests.boom.test_boom_seen import coming_down, ready, until
from tests.boom.vendors.lines import Pty
from tests.boom.vendors.modules import Waveshare
from tests.harness.sim.rig import Rig

TESTED = replace(PLAIN, tested=("photocell",))
BOTH = replace(PLAIN, inputs=(*PLAIN.inputs, "high_beam"), tested=("photocell", "high_beam"))


class BeamBench(Bench):
    """Its beams go dark while the test output takes their light; `blind` ones never do, `weld`: they stay dark."""

    def __init__(self, settings: BarrierSettings = TESTED) -> None:
        self.blind: set[InputName] = set()
        self.weld = False
        self.tests = 0
        super().__init__(settings)

    def tick(self, asked: Requests | None = None) -> list[Notice]:
        was_on = self.outputs.beam_test
        self.dark = {name for name in self.settings.tested if name not in self.blind} if was_on else set()
        self.set(**dict.fromkeys(self.dark, True))
        notices = super().tick(asked)
        if was_on and not self.outputs.beam_test:
            self.set(**dict.fromkeys(self.dark, self.weld))
        self.tests += self.outputs.beam_test and not was_on
        return notices

    def until_test(self) -> BeamBench:
        for _ in range(600):
            if self.outputs.beam_test:
                return self
            self.tick()
        raise AssertionError("no test")


def passed(bench: BeamBench, serial: int = 1) -> BeamBench:
    bench.open_for_vehicle(serial).drive_through()
    bench.pulses.clear()
    bench.notices.clear()
    return bench


@pytest.mark.parametrize("settings", [TESTED, BOTH], ids=["one beam", "two beams"])
def test_the_beams_go_dark_and_light_again_before_each_descent(settings: BarrierSettings) -> None:
    bench = passed(BeamBench(settings)).until_test()
    assert bench.pulses == []
    bench.run(0.3)
    assert [name for _, name in bench.pulses] == ["close"]
    assert bench.tests == 1
    kinds = [notice.kind for notice in bench.notices]
    assert "tailgate" not in kinds, "a beam that we darkened is no vehicle"
    assert "reopening" not in kinds
    assert codes(bench) == set()


@pytest.mark.parametrize("blind", ["photocell", "high_beam"])
def test_a_beam_that_does_not_go_dark_lets_no_arm_down_by_itself(blind: InputName) -> None:
    bench = BeamBench(BOTH)
    bench.blind = {blind}
    passed(bench).until_test().run(60.0)
    assert bench.pulses == []
    assert codes(bench) == {f"test_failed:{blind}"}
    assert bench.tests == 1, "once for each opening"
    assert not bench.outputs.beam_test
    bench.tick(Requests(lower=True))
    assert bench.outputs.close, "a person, who looks, may lower it"


def test_a_beam_that_failed_is_tested_again_with_the_next_opening() -> None:
    bench = BeamBench()
    bench.blind = {"photocell"}
    passed(bench).until_test().run(2.0)
    bench.tick(Requests(lower=True))
    bench.set(limit_open=False).run(1.5)
    bench.set(limit_closed=True).run(1.0)
    assert codes(bench) == {"test_failed:photocell"}, "told for as long as no test was passed"
    bench.blind = set()
    bench.pulses.clear()
    bench.set(limit_closed=True, limit_open=False)
    passed(bench, serial=2).until_test().run(0.3)
    assert [name for _, name in bench.pulses] == ["close"]
    bench.run(1.1)
    assert codes(bench) == set()


def test_a_reset_drops_a_failed_test_and_starts_nothing() -> None:
    bench = BeamBench()
    bench.blind = {"photocell"}
    passed(bench).until_test().run(2.0)
    bench.tick(Requests(reset=True))
    bench.run(5.0)
    assert bench.pulses == []
    assert codes(bench) == set()


def test_who_steps_into_the_beam_during_the_test_keeps_the_arm_up() -> None:
    bench = passed(BeamBench()).until_test()
    bench.weld = True  # he stands there when the light is back
    bench.run(3.0)
    assert bench.pulses == []
    assert codes(bench) == set(), "somebody there is no failed test"
    assert not bench.outputs.beam_test
    bench.weld = False
    bench.set(photocell=False).run(6.0)
    assert [name for _, name in bench.pulses] == ["close"]
    assert bench.tests == 2


@pytest.mark.parametrize("what", ["loop", "stop", "board", "key"])
def test_what_comes_between_ends_the_test_without_a_verdict(what: str) -> None:
    settings = replace(TESTED, inputs=(*TESTED.inputs, "manual_key"), manual_key="hands_off")
    bench = passed(BeamBench(settings)).until_test()
    if what == "loop":
        bench.set(safety_loop=True)
    elif what == "key":
        bench.set(manual_key=True)
    bench.tick(Requests(stop=what == "stop", trouble=("board_lost",) if what == "board" else ()))
    assert not bench.outputs.beam_test
    assert bench.state.testing == ""
    bench.run(0.5)
    assert "close" not in [name for _, name in bench.pulses]
    assert not {code for code in codes(bench) if code.startswith("test_failed")}


def test_a_person_who_lowers_in_the_middle_of_a_test_is_told_to_wait() -> None:
    bench = passed(BeamBench()).until_test()
    told = bench.tick(Requests(lower=True))
    assert [(n.kind, n.code) for n in told if n.kind == "lower_refused"] == [("lower_refused", "testing")]
    bench.run(0.3)
    assert [name for _, name in bench.pulses] == ["close"]


def test_a_light_that_is_not_back_in_time_is_somebody() -> None:
    bench = passed(BeamBench()).until_test()
    bench.weld = True
    bench.run(TESTED.test_s + 0.2)
    assert bench.state.testing == ""
    assert bench.state.entries > 0
    bench.run(30.0)
    assert bench.pulses == []


def test_the_test_output_is_a_lease_and_is_read_back() -> None:
    rig = ready(replace(ready().settings, tested=("photocell",)))
    coming_down(rig)
    assert rig.world.state().counters.lowered_onto_something == 0
    assert "beam_test" not in rig.world.relays()
    rig.energise("beam_test", 3600.0)
    until(rig, lambda: any(fault.code == "output_on:beam_test" for fault in rig.state.faults), within_s=3.0)
    until(rig, lambda: "beam_test" not in rig.world.relays(), within_s=3.0)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"tested": ("safety_loop",)}, "tested: safety_loop has no transmitter"),
        ({"tested": ("high_beam",)}, "tested: high_beam is not in inputs"),
        ({"test_s": 5.0}, "test_s: must be between 0.1 and 1"),
        ({"discrepancy_s": 3.0}, "discrepancy_s: must be between 0.05 and 1"),
    ],
)
def test_a_test_that_could_test_nothing_is_refused(changes: dict[str, object], told: str) -> None:
    (fault,) = replace(PLAIN, **changes).faults()  # type: ignore[arg-type]
    assert fault.startswith(told)


def test_output_and_tested_inputs_belong_together() -> None:
    inputs = {name: n for n, name in enumerate(PLAIN.inputs, 1)}
    board = BoardSettings(port="/dev/x", inputs=inputs, outputs={"open": 1, "close": 2})
    assert wiring_faults(board, TESTED) == ['barrier.tested: "beam_test" has no channel in board.outputs']
    wired = replace(board, outputs={**board.outputs, "beam_test": 3})
    assert wiring_faults(wired, TESTED) == []
    assert wiring_faults(wired, PLAIN) == [
        'board.outputs: "beam_test" is wired but barrier.tested names no input that it makes dark'
    ]


# ------------------------------------------------------------ two contacts


PAIR = InputWiring(3, normally_closed=True, antivalent=6)


def test_two_contacts_that_agree_say_it_and_two_that_do_not_say_nothing() -> None:
    module = Waveshare()
    line = Pty(module)
    board = open_board(BoardSettings(port=line.port, inputs={"photocell": PAIR}, outputs={"open": 1}))
    want = {(True, False): False, (False, True): True, (True, True): None, (False, False): None}
    for (first, second), said in want.items():
        module.inputs[2], module.inputs[5] = first, second
        assert board.read_inputs() == {"photocell": said}
    board.close()
    line.close()


def test_a_pair_s_second_channel_is_a_channel_like_any_other() -> None:
    wires: dict[InputName, InputWiring | int] = {"photocell": PAIR, "presence": 6}
    assert "inputs: channel 6 is used twice" in BoardSettings(port="/dev/x", inputs=wires, outputs={"open": 1}).faults()
    one = BoardSettings(port="/dev/x", inputs={"photocell": PAIR}, outputs={"open": 1})
    other = BoardSettings(port="/dev/x", inputs={"presence": 6}, outputs={"open": 2})
    (fault,) = sharing_faults({"a": one, "b": other})
    assert "channel 6 is photocell of one and presence of the other" in fault


def test_contacts_that_change_one_after_the_other_are_no_fault_and_prove_the_sensor() -> None:
    bench = Bench().open_for_vehicle()
    bench.set(safety_loop=True, photocell=None).run(TICK_S)
    bench.set(photocell=True).run(2.0)
    bench.set(safety_loop=False, presence=False, photocell=None).run(TICK_S)
    bench.set(photocell=False).run(2.0)
    assert codes(bench) == set()
    assert bench.outputs.close or "close" in [name for _, name in bench.pulses]


def test_a_pair_that_says_nothing_under_a_falling_arm_turns_it_round_at_once() -> None:
    bench = Bench().open_for_vehicle().drive_through()
    while not bench.outputs.close:
        bench.tick()
    bench.set(limit_open=False).run(1.0)
    bench.set(photocell=None).tick()
    assert bench.outputs.open
    bench.run(0.4)
    assert codes(bench) == {"input_unknown:photocell"}


def test_nothing_comes_down_while_a_pair_says_nothing() -> None:
    settings = replace(PLAIN, inputs=(*PLAIN.inputs, "mains_ok"))
    bench = Bench(settings).open_for_vehicle().drive_through().set(mains_ok=None)
    told = bench.tick(Requests(lower=True))
    assert ("lower_refused", "fault:input_unknown:mains_ok") in [(n.kind, n.code) for n in told]


def test_one_reading_that_it_is_on_and_then_nothing_proves_no_sensor() -> None:
    bench = Bench().open_for_vehicle()
    bench.set(safety_loop=True, photocell=True).run(TICK_S)
    bench.set(photocell=None).run(TICK_S)
    bench.set(photocell=False).run(TICK_S)
    assert "photocell" not in bench.state.proven


# ------------------------------------------------------------ how often it met something


def test_what_the_arm_met_is_counted_and_a_restart_forgets_none_of_it() -> None:
    rig: Rig = ready()
    for number in (1, 2):
        coming_down(rig, serial=2 * number)
        rig.world.knobs.person_under_arm = True
        until(rig, lambda: rig.state.phase == "open")
        rig.world.knobs.person_under_arm = False
        assert rig.loop.snapshot().obstacles == number
        rig.restart()
        until(rig, lambda: rig.state.phase == "open" and not rig.state.faults)
        rig.ask(lower=True)
        until(rig, lambda: rig.state.phase == "closed")
    assert memory(rig.state).obstacles == 2
    assert start(0.0, Memory(obstacles=7)).obstacles == 7
