"""`barie sim`: the barrier in a world of its own, on simulated time: one scenario from a file, or many random passages.

The last line is JSON with the counts. Exit 0 where everything came as expected and no harm was done, else 1.
"""

from __future__ import annotations

import json
from pathlib import Path

from edge import resources
from edge.errors import BarieError, ConfigError
from edge.technician.scenario import Play, harm, load_scenario
from firmware_io.passages import run_passages


def run(scenario: Path | None, passages: int | None, seed: int) -> int:
    """One of `scenario` (a file, or a name in config/scenarios) and `passages` is given. Raises BarieError."""
    if (scenario is None) == (passages is None):
        raise BarieError("sim: give either --scenario FILE or --passages N")
    if scenario is not None:
        return _play(_find(scenario), seed)
    if passages is not None and passages < 1:
        raise BarieError(f"--passages: must be 1 or more, is {passages}")
    figures = run_passages(passages or 0, seed)
    print(json.dumps(figures))
    return 1 if harm(figures) else 0


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
