"""Device files: is it there, and may we. Told apart before a library turns both into one error."""

from __future__ import annotations

import grp
import os
from pathlib import Path

from firmware_io.board import NoDevice, NoPermission


def check_device(port: str) -> None:
    """Raises NoDevice or NoPermission, naming what to do."""
    path = Path(port)
    if not path.exists():
        raise NoDevice(f"{port}: no such device; plug it in, or take its stable name from /dev/serial/by-id/")
    if not os.access(path, os.R_OK | os.W_OK):
        raise NoPermission(f"{port}: not permitted; {_advice(path)}")


def _advice(path: Path) -> str:
    gid = path.stat().st_gid
    try:
        group = grp.getgrgid(gid).gr_name
    except KeyError:
        group = str(gid)
    rule = 'SUBSYSTEM=="tty", GROUP="dialout", MODE="0660" in /etc/udev/rules.d/60-barie.rules'
    return f"add this account to group {group} (usermod -aG {group} barie) and sign in anew, or set a udev rule: {rule}"
