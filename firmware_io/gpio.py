"""GPIO lines of the PC itself, by libgpiod v2 (Linux character device). The library is loaded only where it is used."""

from __future__ import annotations

import errno
import importlib
import logging
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

from firmware_io.board import BadAnswer, BoardError, BoardSettings, HeldPulses, NoDevice, NoPermission
from firmware_io.devices import check_device
from firmware_io.terms import InputName, OutputName

_GET_IT = "the gate's package brings it; elsewhere: pip install 'gpiod>=2.5' (libgpiod's own binding)"


def load_gpiod() -> Any:
    """The library, or a BoardError that says how to get it. Debian 12's own package is version 1, another interface."""
    try:
        gpiod = importlib.import_module("gpiod")
    except ImportError as error:
        raise BoardError(f"gpiod is not installed; {_GET_IT}") from error
    if not hasattr(gpiod, "request_lines"):
        raise BoardError(f"gpiod is version 1, this needs version 2; {_GET_IT}")
    return gpiod


def _refused(port: str, error: OSError | ValueError) -> BoardError:
    """Why the kernel did not give the lines (gpio-v2-get-line-ioctl: EBUSY, EINVAL), or that it is no GPIO chip."""
    number = error.errno if isinstance(error, OSError) else None
    if number in (errno.EACCES, errno.EPERM):
        return NoPermission(f"{port}: not permitted to take its lines: {error}")
    why = {
        errno.EBUSY: "something else uses one of them, the agent or a kernel driver; `gpioinfo` shows which",
        errno.EINVAL: "a channel is no line of this chip, or no output; `gpioinfo` shows the lines, counted from 0",
        errno.ENOTTY: "this is no GPIO chip; board.port has to be a /dev/gpiochip…",
        errno.ENODEV: "this is no GPIO chip; board.port has to be a /dev/gpiochip…",
    }.get(number or 0, "does something else use them?")
    return NoDevice(f"{port}: lines cannot be taken: {error}: {why}")


class GpioBoard:
    """All lines in one request, read at once. It ends with this process, however that ends; what the lines then do is
    not promised: "may revert to its default state" (Linux, gpio-v2-get-line-ioctl)."""

    timed_by_board = False
    coarse_s = 0.1

    def __init__(self, settings: BoardSettings, clock: Callable[[], float] = time.monotonic, gpiod: Any = None) -> None:
        """Request the lines, outputs released. Raises NoDevice (also: line busy), NoPermission, BoardError."""
        self._gpiod = gpiod or load_gpiod()
        self._settings = settings
        self._wiring = settings.wiring()
        self._held = HeldPulses(self.set_output, clock)
        check_device(settings.port)
        try:
            self._lines = self._gpiod.request_lines(settings.port, consumer="barie", config=self._config())
        except (OSError, ValueError) as error:
            raise _refused(settings.port, error) from error

    def _config(self) -> dict[tuple[int, ...] | int, Any]:
        line, make = self._gpiod.line, self._gpiod.LineSettings
        config: dict[tuple[int, ...] | int, Any] = {}
        for wire in self._wiring.values():
            config[wire.channel] = make(direction=line.Direction.INPUT, active_low=wire.normally_closed)
            if wire.antivalent is not None:  # the opposite contact, so that both lines are active where they agree
                config[wire.antivalent] = make(direction=line.Direction.INPUT, active_low=not wire.normally_closed)
        for offset in self._settings.outputs.values():
            config[offset] = make(direction=line.Direction.OUTPUT, output_value=line.Value.INACTIVE)
        return config

    @property
    def outputs(self) -> Collection[OutputName]:
        return self._settings.outputs

    def check(self) -> None:
        """Whoever got the lines may use them: the kernel has looked."""

    def read_outputs(self) -> Mapping[OutputName, bool] | None:
        names = list(self._settings.outputs)
        try:
            values = self._lines.get_values([self._settings.outputs[name] for name in names])
        except OSError as error:
            raise NoDevice(f"{self._settings.port}: cannot be read: {error}") from error
        return {name: value == self._gpiod.line.Value.ACTIVE for name, value in zip(names, values, strict=True)}

    def read_inputs(self) -> Mapping[InputName, bool | None]:
        self._held.service()
        channels = [channel for wire in self._wiring.values() for channel in wire.channels()]
        try:
            values = self._lines.get_values(channels) if channels else []
        except OSError as error:
            raise NoDevice(f"{self._settings.port}: cannot be read: {error}") from error
        if len(values) != len(channels):
            raise BadAnswer(f"{self._settings.port}: {len(values)} values for {len(channels)} lines")
        on = {channel: value == self._gpiod.line.Value.ACTIVE for channel, value in zip(channels, values, strict=True)}
        agreed = {name: {on[channel] for channel in wire.channels()} for name, wire in self._wiring.items()}
        return {name: said.pop() if len(said) == 1 else None for name, said in agreed.items()}

    def pulse(self, output: OutputName, duration_s: float) -> None:
        self._held.start(output, duration_s)

    def set_output(self, output: OutputName, on: bool) -> None:
        if output not in self._settings.outputs:
            raise BoardError(f"board.outputs: {output!r} has no line")
        value = self._gpiod.line.Value
        try:
            self._lines.set_value(self._settings.outputs[output], value.ACTIVE if on else value.INACTIVE)
        except OSError as error:
            raise NoDevice(f"{self._settings.port}: cannot be written: {error}") from error

    def describe(self) -> str:
        return f"GPIO lines of {self._settings.port}"

    def close(self) -> None:
        try:
            self._held.end_all()
        except BoardError as error:
            logging.getLogger(__name__).warning("while closing: %s", error)
        self._lines.release()
