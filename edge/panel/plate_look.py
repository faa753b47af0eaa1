"""How a plate looks: its ground, and where its text is broken and dotted. For the eye only; nothing is decided here.

A plate is drawn on the ground that was seen, so that the drawing and its cut-out look alike; where none was plainly
seen, on the one that its kind has. The string is the key, never the colour.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from edge.core.model import PlateText

_VN = re.compile(r"(?P<code>\d\d)(?P<series>[A-ZĐ]{1,2}\d??)(?P<number>\d{4,5})")
_VN_TEMPORARY = re.compile(r"T(?P<code>\d\d)(?P<number>\d{4,6})")
_VN_MILITARY = re.compile(r"(?P<series>[A-Z]{2})(?P<number>\d{4})")
_VN_FOREIGN = re.compile(r"(?P<code>\d\d)(?P<a>\d{3})(?P<kind>NG|QT|NN|CV)(?P<b>\d{2,3})")
_CN = re.compile(r"(?P<head>[\u4e00-\u9fff][A-Z])(?P<tail>.+)")

_GROUNDS = {
    "vn_military": "red",
    "vn_zone": "yellow_red",
    "cn_trailer": "yellow",
    "cn_coach": "yellow",
    "cn_police": "white",
    "cn_emergency": "white",
    "cn_hongkong": "black",
    "cn_macau": "black",
    "cn_consulate": "black",
    "cn_embassy": "black",
}
"""Kinds of the plate table (config/plates.toml) whose ground is certain."""
_PAINTED = frozenset({"vn_zone", "cn_new_energy"})
"""Kinds whose ground has more to it than one colour."""


@dataclass(frozen=True, slots=True)
class Look:
    """The ground's name, and the text line by line."""

    ground: str
    lines: tuple[str, ...]


def look(plate: PlateText) -> Look:
    return Look(_ground(plate), tuple(_lines(plate.text, plate.country, plate.layout == "two_line")))


def _ground(plate: PlateText) -> str:
    kind = plate.kind
    if plate.ground is not None and (kind not in _PAINTED or plate.ground_odd):
        return plate.ground
    if kind in _GROUNDS:
        return _GROUNDS[kind]
    if kind == "cn_new_energy":
        return "yellow_green" if plate.text[-1:].isalpha() else "green"
    if kind == "cn_vehicle":
        # Large (yellow) and small (blue) share one pattern; what comes to a freight barrier is large unless class 02.
        return "blue" if plate.class_code == "02" else "yellow"
    return "white" if kind.startswith("vn_") else "plain"


def _lines(text: str, country: str, two: bool) -> list[str]:
    head, tail, joint = _parts(text, country)
    if not tail:
        return [text]
    return [head, tail] if two else [f"{head}{joint}{tail}"]


def _parts(text: str, country: str) -> tuple[str, str, str]:
    """(first line, second line, what joins them on one line); an unknown form stays whole."""
    if country == "CN" and (match := _CN.fullmatch(text)):
        return match["head"], match["tail"], "·"
    if country != "VN":
        return text, "", ""
    if match := _VN_FOREIGN.fullmatch(text):
        return f"{match['code']}-{match['a']}", f"{match['kind']}-{match['b']}", "-"
    if match := _VN_TEMPORARY.fullmatch(text):
        return f"T{match['code']}", _dotted(match["number"]), "-"
    if match := _VN_MILITARY.fullmatch(text):
        return match["series"], f"{match['number'][:2]}-{match['number'][2:]}", "-"
    if match := _VN.fullmatch(text):
        return match["code"] + match["series"], _dotted(match["number"]), "-"
    return text, "", ""


def _dotted(number: str) -> str:
    return f"{number[:3]}.{number[3:]}" if len(number) == 5 else number
