"""The wiring diagram of one lane's board, as it stands in the config: an SVG for the cabinet's door."""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import escape

from edge.config import LaneConfig
from edge.panel.messages import Catalogue, load_catalogue, say
from edge.technician.setup_board import notes
from edge.technician.setup_words import say as words
from firmware_io.modbus import load_profile
from firmware_io.terms import UNDER_ARM

ROW_PX, TOP_PX, WIDTH_PX = 34, 130, 1180
LEFT_PX, BOARD_PX, BOARD_END_PX, RIGHT_PX = 30, 470, 690, 790


def write(lane: LaneConfig, folder: Path, language: str) -> Path:
    """`wiring-LANE.svg` in `folder`."""
    path = folder / f"wiring-{lane.id}.svg"
    path.write_text(diagram(lane, language), encoding="utf-8")
    return path


def diagram(lane: LaneConfig, language: str) -> str:
    """Sensors on the left, the module in the middle, the barrier's controller and lights on the right."""
    board, catalogue = lane.board, load_catalogue()
    profile = None if board.kind in ("lcus", "gpio") else load_profile(board)
    title = profile.title if profile else board.kind.upper()
    rows = max(len(board.inputs), len(board.outputs), 1)
    bottom = TOP_PX + rows * ROW_PX
    told = [*(notes(profile, language) if profile else []), *_advice(lane, language)]
    height = bottom + 60 + 22 * len(told)
    head = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH_PX}" height="{height}" '
        f'viewBox="0 0 {WIDTH_PX} {height}" font-family="sans-serif" font-size="15">',
        f'<rect width="{WIDTH_PX}" height="{height}" fill="white"/>',
        _text(LEFT_PX, 36, f"{lane.name.vi} · {lane.name.en} ({lane.id})", size=22),
        _text(LEFT_PX, 62, f"{title} · {_where(lane)}"),
        _text(LEFT_PX, TOP_PX - 26, words(language, "sensors"), weight="bold"),
        _text(RIGHT_PX, TOP_PX - 26, words(language, "controller"), weight="bold"),
        f'<rect x="{BOARD_PX}" y="{TOP_PX - 14}" width="{BOARD_END_PX - BOARD_PX}" height="{rows * ROW_PX + 14}" '
        'fill="#eef3f8" stroke="#345" stroke-width="2"/>',
    ]
    sensors = [_sensor(lane, name, n, catalogue, language) for n, name in enumerate(board.wiring())]
    relays = [_relay(lane, name, n, catalogue, language) for n, name in enumerate(board.outputs)]
    below = [_text(LEFT_PX, bottom + 46 + 22 * n, f"• {line}") for n, line in enumerate(told)]
    return "\n".join([*head, *sensors, *relays, *below, "</svg>"]) + "\n"


def _where(lane: LaneConfig) -> str:
    board = lane.board
    if board.is_tcp:
        return f"{board.kind} {board.host}:{board.tcp_port}"
    speed = f" {board.baud} 8{board.parity}1, unit {board.unit}" if board.kind == "modbus_rtu" else ""
    return f"{board.kind} {board.port}{speed}"


def _sensor(lane: LaneConfig, name: str, n: int, catalogue: Catalogue, language: str) -> str:
    wire = lane.board.wiring()[name]  # type: ignore[index]
    y = TOP_PX + n * ROW_PX + 8
    contact = words(language, "closed_contact" if wire.normally_closed else "open_contact")
    label = f"{say(catalogue, language, f'input.{name}')} ({name}), {contact}"
    return (
        _text(LEFT_PX, y + 5, label)
        + _wire(LEFT_PX + 400, BOARD_PX, y)
        + _text(BOARD_PX + 8, y + 5, " · ".join(_in(lane, channel) for channel in wire.channels()))
    )


def _relay(lane: LaneConfig, name: str, n: int, catalogue: Catalogue, language: str) -> str:
    channel = lane.board.outputs[name]  # type: ignore[index]
    y = TOP_PX + n * ROW_PX + 8
    label = f"{say(catalogue, language, f'input.{name}')} ({name})"
    terminal = f"line {channel}" if lane.board.kind == "gpio" else f"{channel}: COM + NO"
    return (
        _text(BOARD_END_PX - 8, y + 5, terminal, anchor="end")
        + _wire(BOARD_END_PX, RIGHT_PX - 8, y)
        + _text(RIGHT_PX, y + 5, label)
    )


def _in(lane: LaneConfig, channel: int) -> str:
    return f"line {channel}" if lane.board.kind == "gpio" else f"DI {channel} + COM"


def _advice(lane: LaneConfig, language: str) -> list[str]:
    under = [name for name in UNDER_ARM if name in lane.board.inputs]
    wires = lane.board.wiring()
    told = [words(language, "own_sensors")] if under else []
    if any(not wires[name].normally_closed for name in under):
        told.append(words(language, "open_under_arm"))
    told.append(words(language, "interlock"))
    return told


def _wire(x1: int, x2: int, y: int) -> str:
    line = f'<line x1="{x1}" y1="{y}" x2="{x2}" y2="{y}" stroke="#222" stroke-width="2"/>'
    return line + f'<circle cx="{x2}" cy="{y}" r="4"/>'


def _text(x: int, y: int, text: str, *, size: int = 15, weight: str = "normal", anchor: str = "start") -> str:
    return (
        f'<text x="{x}" y="{y}" font-size="{size}" font-weight="{weight}" text-anchor="{anchor}">{escape(text)}</text>'
    )
