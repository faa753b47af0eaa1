"""What came of a soak run: the counts at the centre against those of the run, and whether anything grows."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

FLAT = {"rss_mb": 12.0, "handles": 4.0, "threads": 3.0, "disk_mb": 25.0}
"""How much more the last days may have than the days after the first retention."""
LEAST_DAYS = 12


def counts(central: Path, counted: Mapping[str, int], faults: Sequence[str]) -> dict[str, Any]:
    """`counted` by the run, `at_centre` by its database, and `right` where they agree; `faults` of the chain."""
    with closing(sqlite3.connect(central)) as centre:
        bodies = [json.loads(row[0]) for row in centre.execute("SELECT payload FROM event ORDER BY seq")]
    told: Counter[str] = Counter()
    for event in bodies:
        body = event["body"]
        told["events"] += 1
        told["override"] += event["kind"] == "override"
        told["confirm"] += event["kind"] == "confirmation" and "role" in body
        told["turn_away"] += event["kind"] == "refusal"
        told["through"] += event["kind"] == "passage" and body.get("outcome") == "through"
    seqs = [event["seq"] for event in bodies]
    right = {
        **{name: told[name] == counted[name] for name in ("override", "confirm", "turn_away")},
        "through": told["through"] == counted["override"] + counted["confirm"],
        "events": seqs == list(range(1, len(seqs) + 1)),
        "chain": not faults,
    }
    return {"counted": dict(counted), "at_centre": dict(told), "right": right}


def growth(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """The last quarter's mean less the mean of the first days in which retention works; empty for a short run."""
    if len(rows) < LEAST_DAYS:
        return {}
    early, late = rows[4:8], rows[-4:]
    return {name: round(sum(row[name] for row in late) / 4 - sum(row[name] for row in early) / 4, 1) for name in FLAT}


def is_flat(grown: Mapping[str, float]) -> bool:
    return all(grown[name] <= most for name, most in FLAT.items() if name in grown)
