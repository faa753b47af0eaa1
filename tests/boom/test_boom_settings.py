"""A board's settings: contradictions are told with their key, and the configuration checks them by their types."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest
from pydantic import TypeAdapter, ValidationError

from firmware_io.board import (
    BoardSettings,
    InputWiring,
    sharing_faults,
    wiring_faults,
)
from firmware_io.safety import BarrierSettings
from firmware_io.terms import BOUNDS, InputName

LINE = BoardSettings(port="/dev/x", inputs={"photocell": 1, "fire": 8}, outputs={"open": 1})
OTHER = replace(LINE, inputs={"photocell": 2, "fire": 8}, outputs={"open": 2})


@pytest.mark.parametrize(
    ("other", "says"),
    [
        (OTHER, ""),
        (replace(OTHER, port="/dev/y", outputs={"open": 1}), ""),
        (replace(OTHER, unit=2, outputs={"open": 1}, profile="adam-6060"), ""),
        (replace(OTHER, outputs={"open": 1}), "outputs: channel 1 would move both booms"),
        (replace(OTHER, inputs={"photocell": 1}), "inputs: channel 1 is photocell of one and photocell of the other"),
        (replace(OTHER, inputs={"tamper": 8}), "inputs: channel 8 is fire of one and tamper of the other"),
        (replace(OTHER, profile="waveshare-io-8ch"), "profile: one module has one"),
        (replace(OTHER, unit=2, parity="E"), "parity: one line has one, not N and E"),
        (replace(OTHER, unit=2, local_echo=True), "local_echo: one line has one"),
        (replace(OTHER, kind="gpio", unit=2), 'one kind on one line, not "modbus_rtu" and "gpio"'),
    ],
)
def test_what_two_lanes_on_one_line_may_not_do(other: BoardSettings, says: str) -> None:
    found = sharing_faults({"b1-in": LINE, "b1-out": other})
    assert found == [] if not says else [fault for fault in found if says in fault]
    assert len(found) == (1 if says else 0)


def test_two_lanes_on_one_module_of_two_host_names_differing_in_case_or_on_one_chip() -> None:
    tcp = BoardSettings(kind="modbus_tcp", host="Relay.local", outputs={"open": 1})
    assert sharing_faults({"a": tcp, "b": replace(tcp, host="relay.local")}) != []
    lcus = BoardSettings(kind="lcus", port="/dev/x", outputs={"open": 1}, accept_unacknowledged=True)
    assert sharing_faults({"a": lcus, "b": replace(lcus, outputs={"open": 2})})[0].endswith("serves one lane")


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        (BoardSettings(port="/dev/x"), "outputs"),
        (BoardSettings(outputs={"open": 1}), "port"),
        (BoardSettings(kind="modbus_tcp", outputs={"open": 1}), "host"),
        (BoardSettings(kind="lcus", port="/dev/x", outputs={"open": 1}), "accept_unacknowledged"),
        (BoardSettings(port="/dev/x", outputs={"open": 1, "close": 1}), "outputs: channel 1 is used twice"),
        (
            BoardSettings(port="/dev/x", outputs={"open": 1}, inputs={"presence": 2, "photocell": 2}),
            "inputs: channel 2",
        ),
        (BoardSettings(port="/dev/x", outputs={"open": 0}), "outputs: channel 0"),
        (BoardSettings(kind="gpio", port="/dev/x", outputs={"open": 4}, inputs={"presence": 4}), "inputs and outputs"),
        (BoardSettings(port="/dev/x", outputs={"open": 1}, unit=0), "unit"),
        (BoardSettings(port="/dev/x", outputs={"open": 1}, timeout_s=5.0), "timeout_s"),
        (BoardSettings(port="/dev/x", outputs={"open": 1}, baud=1), "baud"),
        (BoardSettings(port="/dev/x", host="192.0.2.1", outputs={"open": 1}), "host"),
        (BoardSettings(kind="rtu_over_tcp", port="/dev/x", host="192.0.2.1", outputs={"open": 1}), "port"),
        (BoardSettings(kind="modbus_tcp", host="192.0.2.1", outputs={"open": 1}, local_echo=True), "local_echo"),
    ],
)
def test_contradictions_name_their_key(settings: BoardSettings, key: str) -> None:
    (fault,) = settings.faults()
    assert fault.startswith(key)


def test_wiring_and_barrier_must_agree() -> None:
    board = BoardSettings(port="/dev/x", inputs={"presence": 1, "fire": 2}, outputs={"open": 1})
    barrier = BarrierSettings(inputs=("presence", "photocell"))
    assert [fault.split(" ")[0] for fault in wiring_faults(board, barrier)] == [
        "barrier.inputs:", "board.inputs:", "board.outputs:",
    ]  # fmt: skip


def test_the_settings_are_checked_by_pydantic_as_the_configuration_does() -> None:
    adapter = TypeAdapter(BoardSettings)
    wires = '{"presence": 1, "fire": {"channel": 2, "normally_closed": true}}'
    text = f'{{"port": "/dev/x", "inputs": {wires}, "outputs": {{"open": 1}}}}'
    settings = adapter.validate_json(text, strict=True)
    assert settings.wiring() == {"presence": InputWiring(1), "fire": InputWiring(2, normally_closed=True)}
    with pytest.raises(ValidationError, match="relay_count"):
        adapter.validate_json('{"relay_count": 8}')
    barrier = TypeAdapter(BarrierSettings)
    assert barrier.validate_json('{"inputs": ["photocell"], "pulse_s": 1}', strict=True).inputs == ("photocell",)
    with pytest.raises(ValidationError, match="open_timout_s"):
        barrier.validate_json('{"open_timout_s": 8}')


def test_what_the_settings_say_of_the_loops() -> None:
    assert BarrierSettings(inputs=("presence",)).presence
    assert not BarrierSettings(inputs=("photocell",)).presence
    assert BarrierSettings(inputs=("safety_loop", "photocell"), skeletal=False).sees_gaps(), (
        "these two and nothing else"
    )
    assert not BarrierSettings(inputs=("photocell",)).sees_gaps()
    two: tuple[InputName, ...] = ("safety_loop", "photocell")
    assert not BarrierSettings(inputs=two).sees_gaps(), "an empty container chassis deceives both"
    assert BarrierSettings(inputs=(*two, "high_beam")).sees_gaps()
    assert BarrierSettings(inputs=(*two, "exit_loop")).sees_gaps()


def test_the_longest_pulse_is_allowed_and_contradictions_are_told_in_full() -> None:
    assert BarrierSettings(pulse_s=2.0).faults() == []
    assert BarrierSettings(settle_s=1.9, large_clear_s=2.0, min_clear_s=2.5, inputs=()).faults() == [
        "settle_s: must not be shorter than permit_max_s, or a permit could outlive a restart",
        "large_clear_s: must not be shorter than min_clear_s",
        'closes_by: "relay" needs safety_loop or photocell in inputs; else let the "controller" close',
    ]


def test_the_narrowest_settings_are_allowed() -> None:
    assert BarrierSettings(min_clear_s=2.0, large_clear_s=2.0, max_reversals=1, stuck_after=1).faults() == []
    for name, (least, most, why) in BOUNDS.items():
        for value in (least - 0.01, most + 0.01, float("nan"), 0):
            (fault, *_) = BarrierSettings(**{name: value}).faults()  # type: ignore[arg-type]
            assert fault.startswith(f"{name}: must be between {least:g} and {most:g}")
            assert why in fault


def test_every_time_and_every_count_has_its_bounds_and_what_was_taken_before_is_refused() -> None:
    """`stale_s = 30` and `min_clear_s = 0.01` were taken."""
    numbers = {name for name, value in asdict(BarrierSettings()).items() if type(value) in (int, float)}
    assert numbers == set(BOUNDS)
    assert [fault.split(":")[0] for fault in BarrierSettings(stale_s=30.0, min_clear_s=0.01).faults()] == [
        "stale_s", "min_clear_s",
    ]  # fmt: skip
