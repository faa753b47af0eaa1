"""The part of `barie setup` that asks for a lane's board: which module, where it is, and which wire goes where."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from edge.technician.setup_words import say
from firmware_io.modbus import Profile, make_profile, profiles
from firmware_io.terms import INPUTS, OUTPUTS, TESTABLE, UNDER_ARM

Question = Callable[..., str]
USUAL_INPUTS = {"presence": "1o", "safety_loop": "2c", "photocell": "3c", "limit_open": "4o", "limit_closed": "5o"}
"""Sensors under the arm are wired normally closed, so that a broken wire reads as occupied."""
USUAL_OUTPUTS = {"open": "1", "close": "2", "stop": "3"}
_INPUT = re.compile(r"(\d{1,3})([oc])(?:/(\d{1,3}))?")
"""Channel, contact at rest, and after a slash the channel of the sensor's second contact, where it has one."""
_UNPRINTED = ("lcus", "gpio")


def ask_board(question: Question, n: int, found: str, language: str) -> dict[str, Any]:
    """`board` and `barrier` of one lane, as the config has them. `found`: a device that is there, or nothing."""
    where = question("board", found, n=n)
    kind, profile = _module(question, where, language)
    board = _address(question, kind, where)
    if kind not in _UNPRINTED:
        board["profile"] = profile
    module = make_profile(profile, profiles()[profile]) if kind not in _UNPRINTED else None
    inputs = _inputs(question, kind, module)
    outputs = _outputs(question, kind, module)
    if inputs:
        board["inputs"] = inputs
    board["outputs"] = outputs
    if kind == "lcus":
        board["accept_unacknowledged"] = True
    barrier: dict[str, Any] = {"inputs": list(inputs)}
    closes = "close" in outputs and {"safety_loop", "photocell"} & set(inputs)
    if question("closes", "1" if closes else "2", ("1", "2").__contains__) == "2":
        barrier["closes_by"] = "controller"
    if "beam_test" in outputs:
        barrier["tested"] = [name for name in TESTABLE[:2] if name in inputs]
    if "presence" not in inputs:
        barrier["needs_vehicle"] = False
    return {"board": board, "barrier": barrier}


def modules(kinds: tuple[str, ...]) -> dict[str, Profile]:
    """Those that speak one of these, by name. Raises BoardError for a profile that is none."""
    found = {name: make_profile(name, table) for name, table in profiles().items()}
    return {name: one for name, one in found.items() if set(one.transports) & set(kinds)}


def _module(question: Question, where: str, language: str) -> tuple[str, str]:
    """(kind, profile): what is at a device or at an address."""
    if where.startswith("/dev/gpiochip"):
        return "gpio", ""
    kinds = ("modbus_rtu",) if where.startswith("/") else ("rtu_over_tcp", "modbus_tcp")
    there = modules(kinds)
    names = [*there, *(["lcus"] if "modbus_rtu" in kinds else [])]
    for number, name in enumerate(names, 1):
        print(f"  {number}  {there[name].title if name in there else say(language, 'lcus')}")
    good = [str(number) for number in range(1, len(names) + 1)]
    name = names[int(question("module", "1", good.__contains__)) - 1]
    if name not in there:
        return "lcus", ""
    return next(kind for kind in there[name].transports if kind in kinds), name


def _address(question: Question, kind: str, where: str) -> dict[str, Any]:
    if kind in _UNPRINTED:
        return {"kind": kind, "port": where}
    if kind == "modbus_rtu":
        baud = question("baud", "9600", lambda text: text.isdecimal() and 1200 <= int(text) <= 921_600)
        unit = question("unit", "1", lambda text: text.isdecimal() and 1 <= int(text) <= 247)
        return {"kind": kind, "port": where, "baud": int(baud), "unit": int(unit)}
    host, _, port = where.rpartition(":")
    if host and port.isdecimal():
        return {"kind": kind, "host": host, "tcp_port": int(port)}
    return {"kind": kind, "host": where}


def _inputs(question: Question, kind: str, module: Profile | None) -> dict[str, Any]:
    """Each input that there is, with its channel and whether its contact is normally closed."""
    most = module.inputs if module else 0 if kind == "lcus" else 512
    wires: dict[str, Any] = {}
    taken: set[str] = set()
    first = 1 if module else 0
    for name in INPUTS if most else ():
        usual = USUAL_INPUTS.get(name, "") if module else ""
        default = usual if usual and int(usual[:-1]) <= most and usual[:-1] not in taken else ""

        def good(text: str, free: frozenset[str] = frozenset(set(map(str, range(first, most + 1))) - taken)) -> bool:
            match = _INPUT.fullmatch(text)
            wanted = [n for n in match.group(1, 3) if n] if match else ["none"]
            return text in ("", "-") or (set(wanted) <= free and len(set(wanted)) == len(wanted))

        answer = question("input", default, good, item=name, contact="c" if name in UNDER_ARM else "o")
        if match := _INPUT.fullmatch(answer):
            taken |= {n for n in match.group(1, 3) if n}
            wires[name] = _wire(int(match[1]), closed=match[2] == "c", second=match[3])
    return wires


def _wire(channel: int, *, closed: bool, second: str | None) -> dict[str, Any] | int:
    wire: dict[str, Any] = {"channel": channel, **({"normally_closed": True} if closed else {})}
    if second:
        wire["antivalent"] = int(second)
    return wire if len(wire) > 1 else channel


def _outputs(question: Question, kind: str, module: Profile | None) -> dict[str, int]:
    most = module.outputs if module else 8 if kind == "lcus" else 512
    wires: dict[str, int] = {}
    for name in OUTPUTS:
        usual = "" if kind == "gpio" else USUAL_OUTPUTS.get(name, "")

        def good(text: str, name: str = name) -> bool:
            if text in ("", "-"):
                return name != "open"
            first = 0 if kind == "gpio" else 1
            return text.isdecimal() and first <= int(text) <= most and int(text) not in wires.values()

        answer = question("output", usual, good, item=name)
        if answer.isdecimal():
            wires[name] = int(answer)
    return wires


def notes(profile: Profile, language: str) -> list[str]:
    """What the installer has to know of this module besides its wires."""
    told = [f"{say(language, 'set_in_module')}: {profile.watchdog}"]
    if not profile.contacts:
        told.append(say(language, "no_contacts"))
    if profile.modes_address is not None:
        told.append(say(language, "modes", at=f"{profile.modes_address:#06x}", free=profile.mode_free))
    return told
