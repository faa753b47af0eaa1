#!/usr/bin/env python3
"""The pins of a lock that another has not, with their hashes: `added.py LESS MORE`, on standard output.

The tools that install from a checkout (setuptools, pip) are none of them.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

TOOLS = {"pip", "setuptools", "wheel"}
_ENTRY = re.compile(r"^([A-Za-z0-9._-]+)==.*?(?=^\S|\Z)", re.M | re.S)


def entries(lock: Path) -> dict[str, str]:
    """Each pin's lines by its name."""
    return {match[1].lower(): match[0] for match in _ENTRY.finditer(lock.read_text(encoding="utf-8"))}


def main(argv: list[str]) -> int:
    if len(argv) != 2:
        sys.exit("usage: added.py LESS MORE")
    less, more = (entries(Path(name)) for name in argv)
    sys.stdout.write("".join(text for name, text in more.items() if name not in less.keys() | TOOLS))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
