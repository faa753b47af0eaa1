"""The one place that knows every kind of board."""

from __future__ import annotations

from firmware_io.board import Board, BoardError, BoardSettings
from firmware_io.gpio import GpioBoard
from firmware_io.modbus import ModbusBoard
from firmware_io.serial_relay import SerialRelay


def open_board(settings: BoardSettings) -> Board:
    """Open the board that the settings name. Raises BoardError (NoDevice, NoPermission …), never moves anything."""
    if faults := settings.faults():
        raise BoardError("; ".join(f"board.{fault}" for fault in faults))
    match settings.kind:
        case "lcus":
            return SerialRelay(settings)
        case "gpio":
            return GpioBoard(settings)
        case _:
            return ModbusBoard(settings)
