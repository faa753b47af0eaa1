"""Device files: is it there, and may we. Told apart before a library turns both into one error."""

from __future__ import annotations

import grp
import os
from pathlib import Path

from firmware_io.board import NoDevice, NoPermission


def check_device(port: str) -> None:
    """Raises NoDevice or NoPermission, naming what to do: the group to join and the udev rule."""
    path = Path(port)
    if not path.exists():
        raise NoDevice(f"{port}: no such device; plug it in, or take its stable name from /dev/serial/by-id/")
    if not os.access(path, os.R_OK | os.W_OK):
        raise NoPermission(f"{port}: not permitted; {_advice(path)}")


def _advice(path: Path) -> str:
    """Which group to join; a device of root's own group (most GPIO chips) needs a rule first that gives it another."""
    gid, group = _group_of(path)
    subsystem, usual = ("gpio", "gpio") if "gpio" in path.name else ("tty", "dialout")
    rule = f'SUBSYSTEM=="{subsystem}", GROUP="{usual}", MODE="0660" in /etc/udev/rules.d/60-barie.rules'
    if gid == 0:
        return f"it belongs to group root: set the udev rule {rule}, then {_join(usual)}"
    return f"{_join(group)}, or set a udev rule: {rule}"


def _group_of(path: Path) -> tuple[int, str]:
    gid = path.stat().st_gid
    try:
        return gid, grp.getgrgid(gid).gr_name
    except KeyError:
        return gid, str(gid)


def _join(group: str) -> str:
    return f"add this account to group {group} (usermod -aG {group} barie) and sign in anew"
