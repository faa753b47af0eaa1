"""The loop's hold on its board: opens it, finds it again after unplugging, turns outputs into pulses and leases.

Outputs end. Each time a board is opened, and so before each restart of polling (which would feed a module's own
watchdog), every wired output is released and that acknowledged. Once a second the outputs are read back: one that is on
without a pulse of ours is a fault that names it, and is released again.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable

from firmware_io.board import BadAnswer, Board, BoardError, NoDevice, NoPermission
from firmware_io.terms import INPUTS, Inputs, OutputName, Outputs

log = logging.getLogger(__name__)

REOPEN_S = 0.25
"""So often a board that is lost is looked for; the first time at once, for an arm may be coming down."""
LOST_AFTER = 3
"""So many failures in a row and the board is looked for anew; one bad frame is only a tick without news."""
LEASE_S = 2.0
"""Lights are pulses too, renewed every half lease: nothing stays energised for longer when this process dies."""
READ_BACK_S = 1.0
SLACK_S = 0.3
"""An output that is on for so much longer than its pulse is on by itself: two ticks, an answer and a release."""
BAD_SHARE = 0.2
BAD_OF = 100
"""The line is a fault where more than this share of the last so many questions failed (5 s of them)."""


class BoardLink:
    """Used by the loop's thread alone. `ok`: a reading came since the board was opened, and it is not given up."""

    def __init__(self, open_board: Callable[[], Board], clock: Callable[[], float]) -> None:
        self._open_board = open_board
        self._clock = clock
        self._board: Board | None = None
        self._failures = 0
        self._retry_s = float("-inf")
        self._leases_s: dict[OutputName, float] = {}
        self._ends_s: dict[OutputName, float] = {}
        self._read_back_s = float("-inf")
        self._went: deque[bool] = deque(maxlen=BAD_OF)
        self.energised: tuple[OutputName, ...] = ()
        """Outputs that were on at the last look though no pulse of ours was."""
        self._wired: tuple[OutputName, ...] = ("open", "close")
        self.ok = False
        self.write_failed = False
        self.said = "not opened yet"

    def can(self, output: OutputName) -> bool:
        """Whether the board has this output; as it last was, while there is none."""
        if self._board is not None:
            self._wired = tuple(self._board.outputs)
        return output in self._wired

    def read(self) -> Inputs | None:
        """One reading, or None where none could be had. Never raises BoardError."""
        at_s = self._clock()
        try:
            board = self._opened()
            if board is None:
                return None
            values = board.read_inputs()
        except BoardError as error:
            self._failed(error)
            return None
        self._failures, self.ok = 0, True
        self._went.append(True)
        self._read_back(board)
        return Inputs(at_s, **{name: values[name] for name in INPUTS if name in values})

    def _opened(self) -> Board | None:
        if self._board is None and self._clock() >= self._retry_s:
            self._retry_s = self._clock() + REOPEN_S
            board = self._open_board()
            self._failures = 0
            try:
                self._begin(board)
            except BoardError:
                board.close()
                raise
            self._board = board
            self.said = board.describe()
            log.info("board opened: %s", self.said)
        return self._board

    def _begin(self, board: Board) -> None:
        """Whoever had the board before us, and we before it was lost, may have left an output on."""
        board.check()
        for output in board.outputs:
            board.set_output(output, False)
        self._ends_s.clear()
        self.energised = ()

    def _read_back(self, board: Board) -> None:
        now_s = self._clock()
        if now_s < self._read_back_s + READ_BACK_S:
            return
        self._read_back_s = now_s
        try:
            on = board.read_outputs() or {}
            late_s = now_s - SLACK_S - board.coarse_s
            self.energised = tuple(name for name in on if on[name] and self._ends_s.get(name, float("-inf")) < late_s)
            for output in self.energised:
                log.error("board: output %s is on without a pulse; it is released", output)
                board.set_output(output, False)
        except BoardError as error:
            self._failed(error)

    @property
    def is_bad(self) -> bool:
        """More of the last questions failed than a line in order lets fail."""
        return len(self._went) == BAD_OF and self._went.count(False) > BAD_SHARE * BAD_OF

    def _failed(self, error: BoardError) -> None:
        self._failures += 1
        self._went.append(False)
        if str(error) != self.said:
            log.warning("board: %s", error)
        self.said = str(error)
        if self._failures >= LOST_AFTER or isinstance(error, NoDevice | NoPermission):
            self._give_up()

    def _give_up(self) -> None:
        self.ok = False
        self._leases_s.clear()
        if self._board is not None:
            self._board.close()
            self._board = None
            self._retry_s = self._clock()

    def write(self, outputs: Outputs, pulse_s: float) -> None:
        """Start the pulses, keep the lights. Raises BoardError where a motion was not surely given."""
        self.write_failed = False
        if self._board is None:
            if outputs.open or outputs.close or outputs.stop:
                raise NoDevice("no board to write to")
            return
        try:
            self._move(self._board, outputs, pulse_s)
            self._light(self._board, "green", outputs.green)
            self._light(self._board, "siren", outputs.siren)
            self._light(self._board, "sign", outputs.sign)
            self._light(self._board, "beam_test", outputs.beam_test)
        except BoardError as error:
            self.write_failed = True
            self._failed(error)
            raise

    def _move(self, board: Board, outputs: Outputs, pulse_s: float) -> None:
        """The opposite relay is released before a pulse begins, even while the board still times that one."""
        if outputs.stop:
            try:
                self._release(board, "open", "close")
            finally:  # a controller stops whatever else is on
                self._pulse(board, "stop", pulse_s)
        elif outputs.open:
            self._release(board, "close", "stop")
            self._pulse(board, "open", pulse_s)
        elif outputs.close:
            self._release(board, "open", "stop")
            self._pulse(board, "close", pulse_s)

    def _release(self, board: Board, *outputs: OutputName) -> None:
        """Raises BoardError where one that may be on is not surely off; a pulse that the board has ended is."""
        for output in [output for output in outputs if output in board.outputs]:
            try:
                board.set_output(output, False)
            except BadAnswer:  # the board is there, and refuses
                ended_s = self._ends_s.get(output, float("-inf")) + board.coarse_s + SLACK_S
                if not board.timed_by_board or self._clock() < ended_s or output in self.energised:
                    raise

    def _pulse(self, board: Board, output: OutputName, pulse_s: float) -> None:
        if output in board.outputs:
            self._start(board, output, pulse_s)

    def _start(self, board: Board, output: OutputName, for_s: float) -> None:
        self._ends_s[output] = self._clock() + for_s  # noted first: a write without an answer may have energised
        board.pulse(output, for_s)

    def _light(self, board: Board, output: OutputName, on: bool) -> None:
        if output not in board.outputs:
            return
        now_s = self._clock()
        if on and now_s >= self._leases_s.get(output, float("-inf")) - LEASE_S / 2:
            self._start(board, output, LEASE_S)
            self._leases_s[output] = now_s + LEASE_S
        elif not on and self._leases_s.pop(output, None) is not None:
            board.set_output(output, False)

    def close(self) -> None:
        """Give the board back; pulses that this process times are ended."""
        self._give_up()
