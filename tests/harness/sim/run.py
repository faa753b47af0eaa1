"""`barie sim`: the barrier in a world of its own, on simulated time: one scenario from a file, or many random passages.

The last line is JSON with the counts. Exit 0 where everything came as expected and no harm was done, else 1.
Many passages run in slices of 100, the seed one higher with each; `--keep FILE` writes each down and goes on there.
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from pathlib import Path
from typing import Any

from edge import resources
from edge.errors import BarieError, ConfigError
from tests.harness.sim.passages import run_passages
from tests.harness.sim.scenario import Play, harm, load_scenario

SLICE = 100


def run(scenario: Path | None, passages: int | None, seed: int, keep: Path | None = None) -> int:
    """One of `scenario` (a file, or a name in config/scenarios) and `passages` is given. Raises BarieError."""
    if (scenario is None) == (passages is None):
        raise BarieError("sim: give either --scenario FILE or --passages N")
    if scenario is not None:
        return _play(_find(scenario), seed)
    if passages is not None and passages < 1:
        raise BarieError(f"--passages: must be 1 or more, is {passages}")
    told = logging.getLogger("firmware_io")
    level = told.level
    told.setLevel(logging.CRITICAL)  # every trouble that it would tell of was made
    try:
        figures = _sum(_slices(passages or 0, seed, keep))
    finally:
        told.setLevel(level)
    print(json.dumps(figures))
    return 1 if harm(figures) else 0


def _slices(passages: int, seed: int, keep: Path | None) -> list[dict[str, Any]]:
    """The counts of each slice; those that `keep` has are not run again. Raises BarieError where it is no such file."""
    text = keep.read_text(encoding="utf-8") if keep is not None and keep.exists() else ""
    try:
        known = {(line["seed"], line["passages"]): line for line in map(json.loads, text.splitlines())}
    except (ValueError, KeyError, TypeError) as error:
        raise BarieError(f"--keep {keep}: this is not a file of slices; name a new one") from error
    found = []
    for first in range(0, passages, SLICE):
        which = (seed + first // SLICE, min(SLICE, passages - first))
        figures = known.get(which) or {"seed": which[0], **run_passages(which[1], which[0])}
        found.append(figures)
        if keep is not None and which not in known:
            with keep.open("a", encoding="utf-8") as book:
                book.write(json.dumps(figures) + "\n")
    return found


def _sum(slices: list[dict[str, Any]]) -> dict[str, Any]:
    """All slices in one, by the names of `run_passages`."""
    counts: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for one in slices:
        counts.update({name: value for name, value in one.items() if name not in ("seed", "reasons")})
        reasons.update(one["reasons"])
    return {**counts, "reasons": dict(reasons.most_common())}


def _find(scenario: Path) -> Path:
    if scenario.is_file():
        return scenario
    try:
        return resources.config_file(Path("scenarios") / f"{scenario.name.removesuffix('.toml')}.toml")
    except ConfigError as error:
        raise ConfigError(str(scenario), [f"no such scenario; {error.faults[0]}"]) from error


def _play(path: Path, seed: int) -> int:
    scenario = load_scenario(path)
    play = Play(scenario, seed)
    wrong = play.run() + harm(play.figures())
    print(scenario.about.strip())
    for text in play.told:
        print(f"  {text}")
    for fault in wrong:
        print(f"wrong: {fault}")
    print(json.dumps(play.figures()))
    return 1 if wrong else 0
