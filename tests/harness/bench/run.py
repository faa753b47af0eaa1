"""`barie bench`: the figures that the README quotes, one JSON line each, with the machine's load at that moment."""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import signal
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from edge.errors import BarieError

PARTS: Mapping[str, str] = {
    "law": "law",
    "vision": "vision",
    "panel": "panel",
    "store": "store",
    "uplink": "uplink",
    "barrier": "barrier",
    "agent": "agent",
    "bulk": "bulk",
}
LONGER = frozenset({"vision", "panel", "agent"})
"""Parts that take `long` themselves."""
SHORT: Mapping[str, Mapping[str, int]] = {
    "store": {"declarations": 20_000},
    "uplink": {"events": 5_000},
    "barrier": {"presses": 100, "commands": 30},
    "bulk": {"declarations": 20_000, "commands": 300},
}
"""What the other parts are cut down to where nobody asked for the whole length."""


def run(part: str, against: Sequence[str] = (), *, long: bool = False, pictures: Path | None = None) -> int:
    """Print one JSON line for each figure of a part as soon as it is there: `figure`, `value`, `unit`, `how`, and
    `load` (the machine's 1-minute load and its cores). `against`: other readers for `vision`,
    `pictures`: a folder of scenes for it.

    Returns 0. Raises BarieError where a part is unknown or something that it needs is missing.
    """
    # Ended from outside, a bench takes its broker, cameras and browser with it, as it does at Ctrl-C.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        for line in figures(part, against, long=long, pictures=pictures):
            print(json.dumps({**line, "load": load()}, ensure_ascii=False), flush=True)
    finally:
        signal.signal(signal.SIGTERM, before)
    return 0


def figures(
    part: str, against: Sequence[str] = (), *, long: bool = False, pictures: Path | None = None
) -> Iterable[dict[str, Any]]:
    """The figures of one part, measured as they are asked for. Raises BarieError."""
    if part not in PARTS:
        raise BarieError(f"bench: no part {part!r}; known are {', '.join(PARTS)}")
    if (against or pictures) and part != "vision":
        raise BarieError(f"bench {part}: {'--against' if against else '--pictures'} is for the part vision only")
    name = f"tests.harness.bench.{PARTS[part]}"
    if importlib.util.find_spec(name) is None:
        raise BarieError(f"bench {part}: this installation has no {name}: install barie from a whole checkout")
    options: dict[str, Any] = {"long": long} if part in LONGER else {} if long else dict(SHORT.get(part, {}))
    if part == "vision":
        options |= {"against": against, "pictures": pictures}
    made: Iterable[dict[str, Any]] = importlib.import_module(name).figures(**options)
    return made


def load() -> str:
    """For example "6.5 on 2 cores": above the number of cores, whatever counts wall time is too slow."""
    return f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


def tell(text: str) -> None:
    """A remark beside the figures, which alone go to stdout."""
    print(f"barie bench: {text}", file=sys.stderr, flush=True)
