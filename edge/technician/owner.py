"""Root gives way to the service's user: what a command makes in the gate's folder must be the agent's to write."""

from __future__ import annotations

import os
from pathlib import Path


def become_owner(folder: Path) -> None:
    """For the rest of this process. Nothing where this is not root, or the folder is root's or not there."""
    if os.geteuid() != 0 or not folder.is_dir():
        return
    owner = folder.stat()
    if owner.st_uid != 0:
        os.setgroups([])
        os.setgid(owner.st_gid)
        os.setuid(owner.st_uid)
