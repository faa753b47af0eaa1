"""Each module's map, question by question, on a line whose time the test turns: what goes over the wire for each order,
what is made of each answer, and what a profile may not say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from firmware_io import line as line_module
from firmware_io.board import BadAnswer, BoardError, BoardSettings, InputWiring, NoAnswer, NoDevice
from firmware_io.modbus import ModbusBoard, load_profile, make_profile, profile_faults, profiles
from firmware_io.terms import InputName
from tests.boom.vendors.modules import (
    Adam6060,
    EletechsupR421A08,
    IoLogikE1214,
    KmTronic,
    Logo8,
    Module,
    Registers,
    Waveshare,
    WaveshareRelay,
)
from tests.boom.vendors.still import Clock, StillLine

WIRES: dict[InputName, InputWiring | int] = {
    "presence": 1,
    "photocell": InputWiring(4, normally_closed=True),
    "high_beam": InputWiring(5, antivalent=6),
}


class Wired:
    """A board on its module. `asked`: every request that the module heard, as hex."""

    def __init__(self, module: Module, clock: Clock, profile: str, **more: Any) -> None:
        self.module, self.clock = module, clock
        self.asked: list[str] = []
        answer = module.answer

        def noted(request: bytes) -> bytes:
            self.asked.append(request.hex())
            return answer(request)

        module.answer = noted  # type: ignore[method-assign]
        self.line = StillLine(clock, module, tcp=more.get("kind") == "modbus_tcp")
        settings = {"port": f"/dev/{id(self)}", "profile": profile, "outputs": {"open": 1, "close": 2, "green": 4}}
        self.settings = BoardSettings(**{**settings, **more})
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(line_module, "SerialPort", self.line.open)
            patch.setattr(line_module, "TcpPort", self.line.open)
            self.board = ModbusBoard(self.settings, clock)

    def orders(self) -> list[str]:
        """What was asked but for reads."""
        found = [one for one in self.asked if one[:2] not in ("01", "02", "03", "04")]
        self.asked.clear()
        return found


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    yield
    line_module._lines.clear()
    line_module._claims.clear()


def tcp(module: Module, clock: Clock, profile: str, **more: Any) -> Wired:
    return Wired(module, clock, profile, kind="modbus_tcp", port="", host="127.0.0.1", **more)


# ------------------------------------------------------------ orders


def test_a_waveshare_flashes_and_releases_by_its_coils(clock: Clock) -> None:
    wired = Wired(Waveshare(clock=clock), clock, "waveshare-8ch")
    wired.board.pulse("close", 0.5)
    wired.board.set_output("close", False)
    wired.board.pulse("green", 2.0)
    wired.board.pulse("open", 0.01)
    wired.board.set_output("open", True)
    assert wired.orders() == ["0502010005", "0500010000", "0502030014", "0502000001", "050000ff00"]
    assert (wired.board.timed_by_board, wired.board.coarse_s) == (True, 0.1)


def test_a_module_that_counts_whole_seconds_is_told_whole_seconds_and_no_more_than_it_may(clock: Clock) -> None:
    wired = Wired(EletechsupR421A08(clock=clock), clock, "eletechsup-r421a08")
    wired.board.pulse("open", 0.5)
    wired.board.pulse("open", 1.6)
    wired.board.pulse("open", 9.0)
    wired.board.set_output("open", False)
    wired.board.set_output("green", True)
    assert wired.orders() == ["0600010601", "0600010602", "0600010602", "0600010200", "0600040100"]
    assert wired.board.coarse_s == 1.0


def test_a_module_with_pulse_outputs_starts_motion_there_and_holds_its_lights(clock: Clock) -> None:
    module = IoLogikE1214(clock=clock)
    module.pulse_outputs = frozenset({0, 1})
    wired = tcp(module, clock, "iologik-e1214-pulse")
    wired.board.pulse("open", 0.5)
    wired.board.set_output("open", False)
    wired.board.set_output("open", True)
    wired.board.pulse("green", 2.0)
    wired.board.set_output("green", False)
    assert wired.orders() == ["050010ff00", "0500100000", "050010ff00", "050003ff00", "0500030000"]
    assert (wired.board.timed_by_board, wired.board.coarse_s) == (True, 0.1)


def test_pulses_that_this_process_times_end_at_the_next_look(clock: Clock) -> None:
    wired = tcp(Adam6060(clock=clock), clock, "adam-6060")
    assert not wired.board.timed_by_board
    wired.board.pulse("open", 0.5)
    wired.board.read_inputs()
    assert wired.orders() == ["050010ff00"]
    clock.turn(0.5)
    wired.board.read_inputs()
    assert wired.orders() == ["0500100000"]
    wired.board.read_inputs()
    assert wired.orders() == []
    wired.board.pulse("close", 60.0)
    wired.board.close()
    assert wired.orders() == ["050011ff00", "0500110000"], "given back with nothing on"


def test_a_pulse_that_cannot_be_ended_while_closing_is_told(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    wired = tcp(Adam6060(clock=clock), clock, "adam-6060")
    wired.board.pulse("open", 60.0)
    wired.line.silent = True
    wired.board.close()
    assert any(message.startswith("while closing: ") for message in caplog.messages)
    assert line_module._lines == {}


def test_coils_by_15_and_registers_by_16(clock: Clock, tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    base = 'title = "x"\nsource = "x"\ntransports = ["modbus_rtu"]\noutputs = 8\npulse = "held"\nwatchdog = "x"\n'
    own.write_text(
        f"[coils]\n{base}write_function = 15\n"
        f"[words]\n{base}write_function = 16\nwrite_on = 1\nread_function = 3\n"
        "inputs = 8\ninput_function = 4\ninput_packed = true\n",
        encoding="utf-8",
    )
    coils = Wired(KmTronic(clock=clock), clock, "coils", profiles=str(own))
    coils.board.set_output("close", True)
    coils.board.set_output("close", False)
    assert coils.orders() == ["0f0001000101" + "01", "0f0001000101" + "00"]
    words = Wired(Registers(clock=clock), clock, "words", profiles=str(own), inputs=WIRES)
    words.board.set_output("close", True)
    assert words.orders() == ["1000010001020001"]
    words.module.inputs[3] = words.module.inputs[5] = True
    assert words.board.read_inputs() == {"presence": False, "photocell": False, "high_beam": False}
    assert words.asked[-1] == "0400000001", "all of them in one register"
    assert words.board.read_outputs() == {"open": False, "close": True, "green": False}


def test_an_output_without_a_channel_is_refused(clock: Clock) -> None:
    wired = Wired(Waveshare(clock=clock), clock, "waveshare-8ch")
    with pytest.raises(BoardError, match="'siren' has no channel"):
        wired.board.pulse("siren", 1.0)


# ------------------------------------------------------------ looking


def test_inputs_come_from_where_the_map_has_them(clock: Clock) -> None:
    wired = Wired(Waveshare(clock=clock), clock, "waveshare-8ch", inputs=WIRES)
    wired.asked.clear()
    wired.module.inputs[:] = [True, False, False, False, True, False, False, False]
    assert wired.board.read_inputs() == {"presence": True, "photocell": True, "high_beam": True}
    assert wired.asked[-1] == "0200000008"
    adam = tcp(Adam6060(clock=clock), clock, "adam-6060", inputs={"presence": 6})
    adam.module.inputs[5] = True
    assert adam.board.read_inputs() == {"presence": True}
    assert adam.asked == ["0100000006"]


def test_a_board_without_wired_inputs_is_asked_for_its_outputs(clock: Clock) -> None:
    relay = Wired(WaveshareRelay(clock=clock), clock, "waveshare-relay-8ch")
    assert relay.board.read_inputs() == {}
    assert set(relay.asked) == {"0100000008"}
    unwired = Wired(Waveshare(clock=clock), clock, "waveshare-8ch")
    unwired.board.read_inputs()
    assert unwired.asked[-1] == "0100000008"
    eletechsup = Wired(EletechsupR421A08(clock=clock), clock, "eletechsup-r421a08")
    assert eletechsup.board.read_inputs() == {}
    assert eletechsup.asked[-1] == "0300010008"


def test_outputs_are_read_back_from_where_they_are(clock: Clock) -> None:
    for wired in (
        Wired(Waveshare(clock=clock), clock, "waveshare-8ch", inputs=WIRES),
        tcp(Adam6060(clock=clock), clock, "adam-6060"),
        Wired(EletechsupR421A08(clock=clock), clock, "eletechsup-r421a08"),
    ):
        wired.module.switch(1, True)
        assert wired.board.read_outputs() == {"open": False, "close": True, "green": False}
        wired.module.switch(1, False)
        wired.module.switch(3, True)
        assert wired.board.read_outputs() == {"open": False, "close": False, "green": True}


def test_a_board_that_cannot_be_read_back_says_so(clock: Clock, tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(
        '[blind]\ntitle = "x"\nsource = "x"\ntransports = ["modbus_rtu"]\noutputs = 8\npulse = "held"\nwatchdog = "x"\n'
        "read_function = 0\ninputs = 8\ninput_function = 2\n",
        encoding="utf-8",
    )
    wired = Wired(Waveshare(clock=clock), clock, "blind", profiles=str(own))
    assert wired.board.read_outputs() is None
    assert wired.board.read_inputs() == {}
    assert set(wired.asked) == {"0200000008"}


def test_registers_that_say_on_by_their_own_value_are_on(clock: Clock) -> None:
    wired = Wired(EletechsupR421A08(clock=clock), clock, "eletechsup-r421a08")
    wired.module.register = lambda function, address: {1: 0x0100, 2: 1, 4: 2}.get(address, 0)  # type: ignore[method-assign]
    assert wired.board.read_outputs() == {"open": True, "close": True, "green": False}


def test_check_asks_for_the_control_modes_where_there_are_any(clock: Clock) -> None:
    wired = Wired(Waveshare(clock=clock), clock, "waveshare-8ch", inputs=WIRES)
    wired.board.check()
    assert wired.asked[-1] == "0310000008"
    assert isinstance(wired.module, Waveshare)
    wired.module.modes[2] = wired.module.modes[5] = 3
    with pytest.raises(BoardError, match=r"relay 3, 6 is switched by an input .*control mode 3.*\(register 0x1000"):
        wired.board.check()
    adam = tcp(Adam6060(clock=clock), clock, "adam-6060")
    adam.board.check()
    assert not [one for one in adam.asked if one.startswith("03")]


def test_a_module_that_refuses_to_tell_its_modes_is_not_used(clock: Clock) -> None:
    wired = Wired(Waveshare(clock=clock), clock, "waveshare-8ch")
    wired.module.register = Module.register.__get__(wired.module)  # type: ignore[method-assign]
    with pytest.raises(BadAnswer, match=r"cannot be asked for its control modes: .*exception code 1"):
        wired.board.check()


def test_it_says_which_it_is_and_where(clock: Clock) -> None:
    wired = Wired(Waveshare(unit=9, clock=clock), clock, "waveshare-8ch", unit=9)
    assert (
        wired.board.describe()
        == f"Waveshare Modbus RTU Relay (D), 8 relays and 8 inputs, unit 9 at {wired.settings.port}"
    )
    assert set(wired.board.outputs) == {"open", "close", "green"}


def test_a_silent_module_is_told_within_its_time(clock: Clock) -> None:
    wired = Wired(Waveshare(clock=clock), clock, "waveshare-8ch", inputs=WIRES, timeout_s=0.3)
    wired.board.read_inputs()
    wired.line.silent = True
    begun_s = clock.now_s
    with pytest.raises(NoAnswer):
        wired.board.read_inputs()
    assert clock.now_s - begun_s == pytest.approx(0.3, abs=0.01)


def test_a_line_that_another_lane_has_at_other_settings_is_refused_and_its_claims_are_given_back(clock: Clock) -> None:
    first = Wired(Waveshare(clock=clock), clock, "waveshare-8ch")
    with pytest.raises(BoardError, match=r"channel 1 of unit 1 .* is another lane's"):
        Wired(Waveshare(clock=clock), clock, "waveshare-8ch", port=first.settings.port)
    (line,) = line_module._lines.values()
    assert line.users == 1, "the refused one has given the line back"
    other = Wired(
        Waveshare(clock=clock), clock, "waveshare-8ch", port=first.settings.port, outputs={"open": 5, "close": 6}
    )
    assert line.users == 2
    first.board.close()
    again = Wired(Waveshare(clock=clock), clock, "waveshare-8ch", port=first.settings.port)
    assert not line.gone
    again.board.close()
    other.board.close()
    assert line.gone


def test_a_lane_keeps_its_relays_though_its_device_goes_by_another_name_now(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stable link goes between the taking and the claiming, or points elsewhere: the line's name was worked out
    once."""
    names = iter(["/dev/ttyUSB0", "/dev/serial/by-id/gone", *["/dev/ttyUSB0"] * 9])
    monkeypatch.setattr(BoardSettings, "line", lambda self: next(names))
    Wired(Waveshare(clock=clock), clock, "waveshare-8ch", port="/dev/serial/by-id/a")
    next(names, None)
    names = iter(["/dev/ttyUSB0"] * 9)
    with pytest.raises(BoardError, match="channel 1 of unit 1 at /dev/ttyUSB0 is another lane's"):
        Wired(Waveshare(clock=clock), clock, "waveshare-8ch", port="/dev/ttyUSB0")


# ------------------------------------------------------------ profiles


GOOD: dict[str, Any] = {
    "title": "a module", "source": "a page", "transports": ["modbus_rtu"], "outputs": 8, "pulse": "held",
    "watchdog": "none",
}  # fmt: skip
FLASH = {**GOOD, "pulse": "flash", "flash_max": 5}


def test_a_good_profile_is_taken_as_it_is_written() -> None:
    profile = make_profile("x", GOOD)
    assert (profile.transports, profile.outputs, profile.pulse, profile.inputs) == (("modbus_rtu",), 8, "held", 0)
    assert make_profile("x", {**GOOD, "inputs": 16, "input_function": 3, "input_packed": True}).inputs == 16
    assert make_profile("x", {**FLASH, "flash_max": 1, "outputs": 1}).flash_max == 1
    for function in (1, 2, 3, 4):
        assert make_profile("x", {**GOOD, "inputs": 1, "input_function": function}).input_function == function


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"transports": []}, "transports"),
        ({"transports": ["modbus_rtu", "canopen"]}, "transports"),
        ({"pulse": "toggle"}, "pulse: flash, start or held, not 'toggle'"),
        ({"inputs": 8}, "input_function"),
        ({"inputs": 8, "input_function": 5}, "input_function"),
        ({"inputs": 8, "input_function": 2, "input_packed": True}, "input_packed"),
        ({"inputs": 17, "input_function": 3, "input_packed": True}, "input_packed"),
        ({"write_function": 4}, "write_function"),
        ({"flash_function": 15}, "flash_function"),
        ({"read_function": 2}, "read_function"),
        ({"pulse": "flash"}, "flash_max"),
        ({"pulse": "flash", "flash_max": 5, "flash_unit_s": 0.0}, "flash_max"),
        ({"outputs": 0}, "outputs"),
        ({"colour": "blue"}, "unknown key 'colour'"),
    ],
)
def test_a_profile_that_contradicts_itself_names_its_key(change: dict[str, Any], told: str) -> None:
    with pytest.raises(BoardError, match=f"profile mine: {told}"):
        make_profile("mine", {**GOOD, **change})


def test_a_profile_that_lacks_a_key_or_has_the_wrong_sort_is_refused() -> None:
    short = {name: value for name, value in GOOD.items() if name != "outputs"}
    with pytest.raises(BoardError, match=r"profile mine: .*outputs"):
        make_profile("mine", short)
    with pytest.raises(BoardError, match="profile mine: "):
        make_profile("mine", {**GOOD, "outputs": "eight"})


def wants(**more: Any) -> BoardSettings:
    return BoardSettings(**{"port": "/dev/x", "outputs": {"open": 1}, **more})


def test_a_board_has_to_fit_its_profile() -> None:
    assert profile_faults(wants()) == []
    assert profile_faults(wants(kind="lcus", profile="none of ours")) == []
    assert profile_faults(wants(kind="gpio", profile="none of ours")) == []
    for board, told in (
        (wants(inputs={"presence": 9}), "board.inputs: Waveshare .* has 8 of them, channel 9 is wired"),
        (wants(inputs={"presence": InputWiring(1, antivalent=9)}), "board.inputs: .* channel 9 is wired"),
        (wants(outputs={"open": 9}), "board.outputs: .* has 8 of them, channel 9 is wired"),
        (wants(profile="kmtronic-8ch", inputs={"presence": 1}), "board.inputs: KMTronic .* has none, channel 1"),
        (wants(profile="eletechsup-r421a08", unit=64), "board.unit: .* has units up to 63, not 64"),
        (wants(profile="adam-6060"), "board.kind: .* speaks modbus_tcp, not modbus_rtu"),
        (wants(profile="nothing"), "board.profile: no profile 'nothing'; there are adam-6060, "),
    ):
        (fault,) = profile_faults(board)
        assert re.match(told, fault), fault
    assert profile_faults(wants(profile="eletechsup-r421a08", unit=63)) == []
    assert load_profile(wants(inputs={"presence": 8}, outputs={"open": 8})).inputs == 8


def test_a_site_s_own_file_adds_to_ours_and_is_named_where_it_cannot_be_read(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text('[mine]\ntitle = "mine"\n', encoding="utf-8")
    assert set(profiles(str(own))) == {*profiles(), "mine"}
    own.write_text("[mine", encoding="utf-8")
    with pytest.raises(BoardError, match=r"own\.toml: cannot be read as profiles of boards"):
        profiles(str(own))
    with pytest.raises(BoardError, match=r"absent\.toml"):
        profiles(str(tmp_path / "absent.toml"))


@pytest.mark.parametrize("name", sorted(profiles()))
def test_each_profile_of_ours_is_in_order(name: str) -> None:
    profile = make_profile(name, profiles()[name])
    assert profile.source
    assert profile.watchdog


def test_a_logo_s_inputs_and_v_bits(clock: Clock) -> None:
    wired = tcp(Logo8(clock=clock), clock, "logo-8", inputs={"presence": 8})
    wired.module.inputs[7] = True
    assert wired.board.read_inputs() == {"presence": True}
    wired.board.set_output("close", True)
    assert wired.orders() == ["050001ff00"]


def test_a_port_that_cannot_be_opened_leaves_no_line_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_settings: BoardSettings) -> None:
        raise NoDevice("/dev/x: no such device")

    monkeypatch.setattr(line_module, "SerialPort", missing)
    with pytest.raises(NoDevice):
        ModbusBoard(replace(wants(), outputs={"open": 1}))
    assert line_module._lines == {}
