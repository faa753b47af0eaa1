"""LCUS-type USB relay boards: four bytes out, nothing back, no watchdog, no inputs; only where a site accepts it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Mapping

import serial

from firmware_io.board import BoardError, BoardSettings, HeldPulses, NoDevice
from firmware_io.devices import check_device
from firmware_io.framing import lcus_frame
from firmware_io.terms import InputName, OutputName


class SerialRelay:
    """One LCUS board. Whether it did what it was told is never known."""

    timed_by_board = False
    coarse_s = 0.1

    def __init__(self, settings: BoardSettings, clock: Callable[[], float] = time.monotonic) -> None:
        """Open the line. Raises NoDevice, NoPermission, or BoardError if not accepted."""
        if not settings.accept_unacknowledged:
            raise BoardError(
                "board.accept_unacknowledged: an LCUS board never answers; set true where that is accepted"
            )
        self._settings = settings
        self._held = HeldPulses(self.set_output, clock)
        check_device(settings.port)
        try:
            self._line = serial.Serial(
                settings.port, settings.baud, timeout=0, write_timeout=settings.timeout_s, exclusive=True
            )
        except (OSError, ValueError) as error:
            raise NoDevice(f"{settings.port}: cannot be opened: {error}; is it used by another program?") from error

    @property
    def outputs(self) -> Collection[OutputName]:
        return self._settings.outputs

    def check(self) -> None:
        """Nothing can be asked of it."""

    def read_outputs(self) -> Mapping[OutputName, bool] | None:
        return None

    def read_inputs(self) -> Mapping[InputName, bool | None]:
        self._held.service()
        try:
            _ = self._line.in_waiting  # the only way to learn that the board was unplugged
        except OSError as error:
            raise self._gone() from error
        return {}

    def pulse(self, output: OutputName, duration_s: float) -> None:
        self._held.start(output, duration_s)

    def set_output(self, output: OutputName, on: bool) -> None:
        if output not in self._settings.outputs:
            raise BoardError(f"board.outputs: {output!r} has no channel")
        try:
            self._line.write(lcus_frame(self._settings.outputs[output], on))
        except OSError as error:
            raise self._gone() from error

    def _gone(self) -> NoDevice:
        return NoDevice(f"{self._settings.port}: the line is gone; plug the board in again")

    def describe(self) -> str:
        return f"LCUS relay board (unacknowledged) at {self._settings.port}"

    def close(self) -> None:
        try:
            self._held.end_all()
        except BoardError as error:
            logging.getLogger(__name__).warning("while closing: %s", error)
        self._line.close()
