#!/usr/bin/env python3
"""Files that two installed versions have in common lie on the disk once: `share.py KEPT NEW`; prints what that saved.

Each file of KEPT that stands in NEW under the same name with the same bytes, mode and owner becomes a second name of
NEW's. A name is replaced by renaming, so a process that has the old file open keeps it.
"""

from __future__ import annotations

import filecmp
import os
import sys
from pathlib import Path


def share(kept: Path, new: Path) -> int:
    """Bytes saved. Raises OSError where the folders lie on two disks."""
    saved = 0
    for path in kept.rglob("*"):
        twin = new / path.relative_to(kept)
        if not _shareable(path, twin):
            continue
        name = path.with_name(path.name + ".shared")
        os.link(twin, name)
        saved += path.stat().st_blocks * 512
        name.replace(path)
    return saved


def _shareable(path: Path, twin: Path) -> bool:
    if path.is_symlink() or twin.is_symlink() or not path.is_file() or not twin.is_file() or path.samefile(twin):
        return False
    ours, theirs = path.stat(), twin.stat()
    alike = (ours.st_size, ours.st_mode, ours.st_uid, ours.st_gid) == (
        theirs.st_size, theirs.st_mode, theirs.st_uid, theirs.st_gid,
    )  # fmt: skip
    return alike and filecmp.cmp(path, twin, shallow=False)


def main(argv: list[str]) -> int:
    if len(argv) != 2 or not all(Path(folder).is_dir() for folder in argv):
        sys.exit("usage: share.py KEPT NEW")
    print(f"barie: {share(Path(argv[0]), Path(argv[1])) / 1e6:.0f} MB shared with the version before")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
