"""The loop's hold on its board, on a clock of its own and with a board of a few lines: ends, leases, reading back,
giving up and finding again, each to the instant."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from firmware_io import link as link_module
from firmware_io.board import BadAnswer, BoardError, NoAnswer, NoDevice, NoPermission
from firmware_io.link import BAD_OF, LEASE_S, LOST_AFTER, READ_BACK_S, REOPEN_S, SLACK_S, BoardLink
from firmware_io.terms import InputName, OutputName, Outputs

ALL: tuple[OutputName, ...] = ("open", "close", "stop", "green", "siren", "sign", "beam_test")


class Shelf:
    """A board; `fails` maps what is asked ("read", "pulse open", "release close" …) to the error that it raises."""

    def __init__(self, outputs: tuple[OutputName, ...] = ALL) -> None:
        self.outputs = outputs
        self.timed_by_board = True
        self.coarse_s = 0.1
        self.log: list[str] = []
        self.fails: dict[str, BoardError] = {}
        self.on: set[OutputName] | None = set()
        self.values: dict[InputName, bool | None] = {"photocell": True, "presence": False}

    def _do(self, what: str) -> None:
        if what in self.fails:
            raise self.fails[what]
        self.log.append(what)

    def check(self) -> None:
        self._do("check")

    def read_inputs(self) -> Mapping[InputName, bool | None]:
        self._do("read")
        return self.values

    def read_outputs(self) -> Mapping[OutputName, bool] | None:
        self._do("look")
        return None if self.on is None else {name: name in self.on for name in self.outputs}

    def pulse(self, output: OutputName, duration_s: float) -> None:
        self._do(f"pulse {output}")
        self.log[-1] += f" {duration_s:g}"

    def set_output(self, output: OutputName, on: bool) -> None:
        assert not on, "the link only ever releases"
        self._do(f"release {output}")

    def describe(self) -> str:
        return "a board on the shelf"

    def close(self) -> None:
        self.log.append("closed")


class Desk:
    """A link with its board. `take` is what was asked of the board since it was last called."""

    def __init__(self, *outputs: OutputName) -> None:
        self.now_s = 100.0
        self.board = Shelf(outputs or ALL)
        self.missing: BoardError | None = None
        self.opened = 0
        self.link = BoardLink(self.open, lambda: self.now_s)

    def open(self) -> Shelf:
        self.opened += 1
        if self.missing:
            raise self.missing
        return self.board

    def ready(self) -> Desk:
        assert self.link.read() is not None
        self.take()
        return self

    def energised(self) -> tuple[OutputName, ...]:
        return self.link.energised

    def is_ok(self) -> bool:
        return self.link.ok

    def is_bad(self) -> bool:
        return self.link.is_bad

    def take(self) -> list[str]:
        found, self.board.log = self.board.log, []
        return found

    def after(self, seconds: float) -> Desk:
        self.now_s = round(self.now_s + seconds, 6)
        return self


def write(desk: Desk, pulse_s: float = 0.5, **on: bool) -> list[str]:
    desk.link.write(Outputs(**on), pulse_s)
    return desk.take()


# ------------------------------------------------------------ opening and ends


def test_a_board_that_is_opened_is_looked_at_and_released_before_the_first_reading() -> None:
    desk = Desk()
    assert (desk.link.ok, desk.link.said, desk.link.write_failed) == (False, "not opened yet", False)
    inputs = desk.link.read()
    assert inputs is not None
    assert (inputs.at_s, inputs.photocell, inputs.presence, inputs.fire) == (100.0, True, False, None)
    assert desk.take() == ["check", *(f"release {name}" for name in ALL), "read", "look"]
    assert (desk.link.ok, desk.link.said, desk.opened) == (True, "a board on the shelf", 1)


@pytest.mark.parametrize("what", ["check", "release siren"])
def test_a_board_that_cannot_be_released_is_closed_again_and_not_used(what: str) -> None:
    desk = Desk()
    desk.board.fails[what] = NoAnswer("silent")
    assert desk.link.read() is None
    assert desk.take()[-1] == "closed"
    assert (desk.link.ok, desk.link.said) == (False, "silent")
    for order in (Outputs(open=True), Outputs(close=True), Outputs(stop=True)):
        with pytest.raises(NoDevice):
            desk.link.write(order, 0.5)
    desk.link.write(Outputs(), 0.5)
    assert desk.take() == []
    desk.board.fails.clear()
    assert desk.after(REOPEN_S - 0.01).link.read() is None
    assert desk.opened == 1, "not in every turn"
    assert desk.after(0.01).link.read() is not None


def test_what_was_leased_or_timed_before_is_forgotten_with_a_new_opening() -> None:
    desk = Desk().ready()
    write(desk, green=True, open=True)
    desk.board.fails["read"] = NoDevice("unplugged")
    assert desk.link.read() is None
    desk.board.fails.clear()
    desk.take()
    desk.board.on = {"green"}
    assert desk.link.read() is not None
    assert write(desk) == ["check", *(f"release {name}" for name in ALL), "read"]
    desk.after(READ_BACK_S).link.read()
    assert desk.energised() == ("green",), "no lease of this opening"


# ------------------------------------------------------------ motion


@pytest.mark.parametrize(
    ("motion", "orders"),
    [
        ("open", ["release close", "release stop", "pulse open 0.5"]),
        ("close", ["release open", "release stop", "pulse close 0.5"]),
        ("stop", ["release open", "release close", "pulse stop 0.5"]),
    ],
)
def test_the_other_relays_are_released_before_each_pulse(motion: str, orders: list[str]) -> None:
    desk = Desk().ready()
    assert write(desk, **{motion: True}) == orders
    assert write(desk) == []


def test_an_output_that_is_not_wired_is_neither_released_nor_pulsed() -> None:
    desk = Desk("open", "close").ready()
    assert write(desk, open=True) == ["release close", "pulse open 0.5"]
    assert write(desk, stop=True) == ["release open", "release close"]
    assert write(desk, green=True, siren=True, sign=True, beam_test=True) == []
    assert [name for name in ALL if desk.link.can(name)] == ["open", "close"]
    desk.board.fails["read"] = NoDevice("unplugged")
    desk.link.read()
    assert desk.link.can("close"), "as it last was"
    assert not desk.link.can("stop")
    assert [name for name in ALL if Desk().link.can(name)] == ["open", "close"], "before any board was seen"


def test_stop_outranks_open_and_open_outranks_close() -> None:
    desk = Desk().ready()
    assert write(desk, open=True, close=True, stop=True)[-1] == "pulse stop 0.5"
    assert write(desk, open=True, close=True)[-1] == "pulse open 0.5"


def test_a_refused_release_keeps_no_arm_from_being_turned_round_once_its_pulse_is_over() -> None:
    desk = Desk().ready()
    write(desk, close=True)
    desk.board.fails["release close"] = BadAnswer("refused")
    assert desk.after(0.5 + 0.1 + SLACK_S - 0.01).now_s
    with pytest.raises(BadAnswer):
        desk.link.write(Outputs(open=True), 0.3)
    assert "pulse open 0.3" not in desk.take(), "the close relay may still be on"
    desk.link.read()
    desk.take()
    assert write(desk.after(0.01), 0.3, open=True) == ["release stop", "pulse open 0.3"]


def test_a_pulse_is_over_at_its_last_instant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_module, "SLACK_S", 0.25)
    desk = Desk().ready()
    desk.board.coarse_s = 0.25
    write(desk, 0.5, close=True)
    desk.board.fails["release close"] = BadAnswer("refused")
    assert write(desk.after(1.0), 0.3, open=True)[-1] == "pulse open 0.3"


@pytest.mark.parametrize("why", ["held", "seen on", "silent"])
def test_a_release_that_failed_goes_before_the_pulse_where_the_relay_may_be_on(why: str) -> None:
    desk = Desk().ready()
    desk.board.timed_by_board = why != "held"
    if why == "seen on":
        desk.board.on = {"close"}
        desk.board.fails["release close"] = BadAnswer("refused")
        desk.after(READ_BACK_S).link.read()
        assert desk.energised() == ("close",)
    desk.board.fails["release close"] = NoAnswer("silent") if why == "silent" else BadAnswer("refused")
    with pytest.raises(BoardError):
        desk.link.write(Outputs(open=True), 0.5)
    assert not [what for what in desk.take() if what.startswith("pulse")]


def test_a_stop_is_given_though_a_release_fails_and_that_is_told() -> None:
    desk = Desk().ready()
    desk.board.fails["release open"] = NoAnswer("silent")
    with pytest.raises(NoAnswer):
        desk.link.write(Outputs(stop=True), 0.5)
    assert desk.take() == ["pulse stop 0.5"]


def test_a_motion_that_was_not_surely_given_is_told_and_the_next_write_forgets_it() -> None:
    desk = Desk().ready()
    desk.board.fails["pulse open"] = NoAnswer("silent")
    with pytest.raises(NoAnswer):
        desk.link.write(Outputs(open=True), 0.5)
    assert desk.link.write_failed
    assert desk.is_ok(), "one failure is a tick without news"
    write(desk)
    assert not desk.link.write_failed


# ------------------------------------------------------------ leases


def test_a_light_is_a_lease_renewed_at_its_half_and_released_at_once() -> None:
    desk = Desk().ready()
    lease = f"{LEASE_S:g}"
    assert write(desk, green=True) == [f"pulse green {lease}"]
    assert write(desk.after(LEASE_S / 2 - 0.01), green=True) == []
    assert write(desk.after(0.01), green=True) == [f"pulse green {lease}"]
    assert write(desk.after(0.05)) == ["release green"]
    assert write(desk.after(0.05)) == []
    for name in ("siren", "sign", "beam_test"):
        assert write(desk, **{name: True}) == [f"pulse {name} {lease}"]
        assert write(desk) == [f"release {name}"]


# ------------------------------------------------------------ reading back


def test_a_pulse_is_late_only_after_its_last_instant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_module, "SLACK_S", 0.25)
    desk = Desk().ready()
    desk.board.coarse_s = 0.25
    write(desk, 0.5, open=True)
    desk.board.on = {"open"}
    desk.after(1.0).link.read()
    assert (desk.take()[-1], desk.energised()) == ("look", ())


def test_an_output_on_without_a_pulse_is_found_once_a_second_and_released(caplog: pytest.LogCaptureFixture) -> None:
    desk = Desk().ready()
    desk.board.on = {"close"}
    desk.after(READ_BACK_S - 0.01).link.read()
    assert (desk.take(), desk.energised()) == (["read"], ())
    desk.after(0.01).link.read()
    assert (desk.take(), desk.energised()) == (["read", "look", "release close"], ("close",))
    assert caplog.messages == ["board: output close is on without a pulse; it is released"]
    desk.board.on = set()
    desk.after(READ_BACK_S).link.read()
    assert desk.energised() == ()


def test_a_pulse_may_last_as_long_as_the_board_is_coarse() -> None:
    desk = Desk().ready()
    write(desk, 0.5, open=True)
    desk.board.on = {"open"}
    desk.after(0.5 + SLACK_S + 0.1).link.read()
    desk.link.read()
    assert desk.energised() == ()
    desk.after(READ_BACK_S).link.read()
    assert desk.energised() == ("open",)
    longer = Desk().ready()
    write(longer, 0.5, open=True)
    longer.board.on = {"open"}
    longer.board.coarse_s = 1.0
    longer.after(0.5 + SLACK_S + 0.95).link.read()
    assert longer.energised() == ()


def test_a_board_that_cannot_be_asked_is_not_blamed() -> None:
    desk = Desk().ready()
    desk.board.on = None
    desk.after(READ_BACK_S).link.read()
    assert desk.energised() == ()


def test_a_look_that_fails_costs_no_reading_but_counts() -> None:
    desk = Desk().ready()
    desk.board.fails["look"] = NoAnswer("silent")
    assert desk.after(READ_BACK_S).link.read() is not None
    assert desk.link.said == "silent"
    assert desk.is_ok()


# ------------------------------------------------------------ giving up and finding again


def test_three_failures_in_a_row_give_the_board_up_and_it_is_looked_for_at_once() -> None:
    desk = Desk().ready()
    desk.board.fails["read"] = NoAnswer("silent")
    for _ in range(LOST_AFTER - 1):
        assert desk.link.read() is None
        assert desk.is_ok()
    desk.board.fails.clear()
    assert desk.link.read() is not None, "a reading between forgives"
    desk.board.fails["read"] = NoAnswer("silent")
    for _ in range(LOST_AFTER):
        desk.link.read()
    assert not desk.is_ok()
    assert desk.take()[-1] == "closed"
    desk.board.fails.clear()
    assert desk.link.read() is not None, "an arm may be coming down"
    assert (desk.opened, desk.link.said) == (2, "a board on the shelf")


def test_a_board_whose_first_readings_fail_has_three_of_them_too() -> None:
    desk = Desk()
    desk.board.fails["read"] = NoAnswer("silent")
    for _ in range(LOST_AFTER - 1):
        desk.link.read()
    assert "closed" not in desk.take()
    desk.link.read()
    assert desk.take() == ["closed"]


def test_an_opening_is_logged_with_what_was_opened(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        Desk().ready()
    assert "board opened: a board on the shelf" in caplog.messages


@pytest.mark.parametrize("error", [NoDevice("gone"), NoPermission("not yours")])
def test_a_device_that_is_gone_is_given_up_at_once(error: BoardError) -> None:
    desk = Desk().ready()
    desk.board.fails["read"] = error
    assert desk.link.read() is None
    assert not desk.is_ok()
    desk.missing = error
    desk.link.read()
    opened = desk.opened
    desk.after(REOPEN_S - 0.01).link.read()
    assert desk.opened == opened
    desk.after(0.01).link.read()
    assert desk.opened == opened + 1


def test_a_line_is_bad_where_more_than_a_fifth_of_the_last_hundred_failed() -> None:
    desk = Desk().ready()
    assert not desk.is_bad()

    def ask(number: int, *, fails: bool) -> None:
        for _ in range(number):
            desk.board.fails = {"read": BadAnswer("noise")} if fails else {}
            desk.link.read()
            desk.board.fails = {}
            if fails:
                desk.link._failures = 0

    ask(BAD_OF // 2, fails=True)
    assert not desk.is_bad(), "too few to tell"
    ask(BAD_OF, fails=False)
    ask(BAD_OF // 5, fails=True)
    ask(BAD_OF - BAD_OF // 5, fails=False)
    assert not desk.is_bad(), "a fifth is borne"
    ask(BAD_OF // 5 + 1, fails=True)
    assert desk.is_bad()
    ask(BAD_OF, fails=False)
    assert not desk.is_bad()


def test_what_is_wrong_is_logged_once_and_not_in_each_turn(caplog: pytest.LogCaptureFixture) -> None:
    desk = Desk().ready()
    desk.board.fails["read"] = NoAnswer("silent")
    desk.link.read()
    assert caplog.messages == ["board: silent"]
    desk.link.read()
    assert caplog.messages == ["board: silent"]


def test_giving_it_back_closes_it_and_says_so() -> None:
    desk = Desk().ready()
    desk.link.close()
    assert desk.take() == ["closed"]
    assert not desk.is_ok()
    desk.link.close()
    assert desk.take() == []
