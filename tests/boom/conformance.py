"""What every board owes the barrier loop, whatever it is made of. A board's tests inherit `BoardConformance`.

The board is reached as the loop reaches it, through `open_board` and `BoardLink`; what its relays really do is looked
at from behind, on the bench.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from time import monotonic, sleep
from typing import Protocol

import pytest

from firmware_io.board import Board, BoardError, BoardSettings, InputWiring
from firmware_io.link import BoardLink
from firmware_io.terms import Inputs, OutputName, Outputs

WAIT_S = 60.0
"""Only so that a hang ends; what is waited for comes within a second or two on a machine at rest."""


def wait_for(is_so: Callable[[], bool], within_s: float = WAIT_S) -> None:
    deadline_s = monotonic() + within_s
    while not is_so():
        assert monotonic() < deadline_s, "did not come about in time"
        sleep(0.005)


class Bench(Protocol):
    """The board from behind. `settings` wires presence and photocell (where there are inputs), open, close, green."""

    settings: BoardSettings
    ends_alone: bool
    """Its motion outputs end though nobody asks any more."""
    reads_back: bool

    def open(self) -> Board: ...

    def relay(self, output: OutputName) -> bool: ...

    def switch_on(self, output: OutputName) -> None:
        """Behind the host's back: somebody else's order, or one of a process that died."""
        ...

    def put(self, channel: int, on: bool) -> None: ...

    def silence(self, silent: bool) -> None: ...

    def close(self) -> None: ...


class BoardConformance:
    @pytest.fixture
    def bench(self) -> Iterator[Bench]:
        raise NotImplementedError

    @pytest.fixture
    def link(self, bench: Bench) -> Iterator[BoardLink]:
        link = BoardLink(bench.open, monotonic)
        yield link
        link.close()

    def begin(self, link: BoardLink) -> Inputs:
        """Polled until the board is there, as the loop does it."""
        found: list[Inputs] = []

        def is_there() -> bool:
            inputs = link.read()
            found.extend([inputs] if inputs else [])
            return bool(found)

        wait_for(is_there)
        return found[0]

    def reading(self, link: BoardLink) -> Callable[[], bool]:
        """Goes on polling, and says whether that reading went well."""
        return lambda: link.read() is not None

    def test_inputs_are_read_with_their_wiring_undone(self, bench: Bench, link: BoardLink) -> None:
        if not bench.settings.inputs:
            pytest.skip("this board has no inputs")
        wires = bench.settings.wiring()
        self.begin(link)
        for name, wire in wires.items():
            for closed in (True, False, True):
                bench.put(wire.channel, closed)
                want = closed != wire.normally_closed

                def agrees(name: str = name, want: bool = want) -> bool:
                    inputs = link.read()
                    return inputs is not None and getattr(inputs, name) is want

                wait_for(agrees)

    def test_a_pulse_begins_when_it_is_acknowledged_and_ends(self, bench: Bench, link: BoardLink) -> None:
        self.begin(link)
        for name in ("open", "close"):
            link.write(Outputs(open=name == "open", close=name == "close"), 0.3)
            wait_for(lambda name=name: bench.relay(name))  # type: ignore[misc]
            wait_for(lambda name=name: self.reading(link)() and not bench.relay(name))  # type: ignore[misc]
        assert not any(bench.relay(name) for name in bench.settings.outputs)

    def test_the_opposite_relay_is_off_before_a_pulse_begins(self, bench: Bench, link: BoardLink) -> None:
        self.begin(link)
        link.write(Outputs(close=True), 1.0)
        link.write(Outputs(open=True), 0.3)
        wait_for(lambda: bench.relay("open"))
        assert not bench.relay("close")
        wait_for(lambda: self.reading(link)() and not bench.relay("open"))

    def test_what_a_dead_process_left_on_is_released_before_the_first_reading(
        self, bench: Bench, link: BoardLink
    ) -> None:
        for output in ("open", "close"):
            bench.switch_on(output)
        self.begin(link)
        wait_for(lambda: not bench.relay("open") and not bench.relay("close"))

    def test_an_output_on_without_a_pulse_is_told_by_name_and_released(self, bench: Bench, link: BoardLink) -> None:
        if not bench.reads_back:
            pytest.skip("this board cannot be asked")
        self.begin(link)
        bench.switch_on("close")
        told: list[tuple[str, ...]] = []

        def is_told() -> bool:
            link.read()
            told.append(link.energised)
            return bool(link.energised)

        if not bench.ends_alone or bench.relay("close"):
            wait_for(is_told)
            assert told[-1] == ("close",)
        wait_for(lambda: self.reading(link)() and not bench.relay("close"))
        wait_for(lambda: self.reading(link)() and link.energised == ())

    def test_a_silent_board_is_told_and_used_again_once_it_answers(self, bench: Bench, link: BoardLink) -> None:
        if not bench.reads_back:
            pytest.skip("this board never answers")
        self.begin(link)
        bench.silence(True)
        wait_for(lambda: not self.reading(link)() and not link.ok)
        with pytest.raises(BoardError):
            link.write(Outputs(open=True), 0.3)
        assert not bench.relay("open")
        bench.silence(False)
        wait_for(lambda: self.reading(link)() and link.ok)

    def test_a_pulse_ends_though_the_host_is_gone_in_the_middle_of_it(self, bench: Bench, link: BoardLink) -> None:
        """By the board itself, or by the first act of the next process."""
        self.begin(link)
        link.write(Outputs(open=True), 1.0)
        wait_for(lambda: bench.relay("open"))
        bench.silence(True)
        if bench.ends_alone:
            wait_for(lambda: not bench.relay("open"))
        link.close()
        bench.silence(False)
        again = BoardLink(bench.open, monotonic)
        self.begin(again)
        wait_for(lambda: not bench.relay("open"))
        again.close()


def inverted(settings: BoardSettings) -> BoardSettings:
    """Its last input wired normally closed."""
    wires = settings.wiring()
    name = list(wires)[-1]
    wires[name] = InputWiring(wires[name].channel, normally_closed=True)
    return replace(settings, inputs=wires)
