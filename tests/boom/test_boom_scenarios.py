"""Every scenario of config/scenarios, by `barie sim`'s own function; and what it says of files that are no scenario."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge import resources
from edge.errors import BarieError, ConfigError
from tests.harness.sim import run as sim
from tests.harness.sim.scenario import Play, load_scenario

FOLDER = resources.config_file("procedures.toml").parent / "scenarios"
NAMES = sorted(path.stem for path in FOLDER.glob("*.toml"))


@pytest.mark.parametrize("name", NAMES)
def test_scenario(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    status = sim.run(Path(name), None, 0)
    said = capsys.readouterr().out.splitlines()
    assert [line for line in said if line.startswith("wrong")] == []
    assert status == 0
    figures = json.loads(said[-1])
    harm = {name: figures[name] for name in ("lowered_onto_something", "opened_without_permit", "opened_twice")}
    assert harm == {"lowered_onto_something": 0, "opened_without_permit": 0, "opened_twice": 0}


def test_an_expectation_that_is_not_met_is_told_and_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (FOLDER / "truck.toml").read_text(encoding="utf-8")
    path = tmp_path / "wrong.toml"
    path.write_text(text.replace('"closed"]', '"closed", "tailgate"]\nnever = ["opened"]\nfaults = ["jam"]'), "utf-8")
    assert sim.run(path, None, 0) == 1
    wrong = [line for line in capsys.readouterr().out.splitlines() if line.startswith("wrong")]
    assert wrong == [
        "wrong: in_order: tailgate did not come",
        "wrong: never: opened came",
        "wrong: faults: (), expected ('jam',)",
    ]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('about = "x"\n[expect]\n', "event"),
        ('about = "x"\n[[event]]\njamm = true\n[expect]\n', "event.0.jamm"),
        ('about = "x"\n[[event]]\nstuck = { loop = true }\n[expect]\n', "event.0.stuck"),
        ('about = "x"\n[barrier]\nsettle_s = 1.0\n[[event]]\n[expect]\n', "settle_s"),
        ("about = ", "cannot be read"),
    ],
)
def test_a_file_that_is_no_scenario_names_its_key(tmp_path: Path, text: str, key: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=key):
        load_scenario(path)


def test_what_is_asked_for_must_be_there() -> None:
    with pytest.raises(ConfigError, match="no such scenario"):
        sim.run(Path("no-such"), None, 0)
    for scenario, passages in ((None, None), (Path("jam"), 3), (None, 0)):
        with pytest.raises(BarieError):
            sim.run(scenario, passages, 0)


def test_random_passages_end_with_their_counts(capsys: pytest.CaptureFixture[str]) -> None:
    assert sim.run(None, 5, 3) == 0
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert figures["passages"] == figures["through"] + figures["at_guard"] == 5


def test_many_passages_go_on_where_a_run_before_ended(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sim, "SLICE", 2)
    keep = tmp_path / "slices.jsonl"
    assert sim.run(None, 4, 3, keep) == 0
    begun = keep.read_text(encoding="utf-8")
    figures = [json.loads(line) for line in begun.splitlines()]
    assert [one["seed"] for one in figures] == [3, 4]
    monkeypatch.setattr(sim, "run_passages", lambda n, seed: {**figures[0], "passages": n, "through": n})
    assert sim.run(None, 5, 3, keep) == 0
    counts = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert counts["passages"] == 5
    assert counts["through"] == sum(one["through"] for one in figures) + 1
    assert keep.read_text(encoding="utf-8").startswith(begun)
    keep.write_text("no slices", encoding="utf-8")
    with pytest.raises(BarieError, match="--keep"):
        sim.run(None, 5, 3, keep)


def test_the_same_seed_tells_the_same_story() -> None:
    scenario = load_scenario(FOLDER / "tailgater.toml")
    plays = [Play(scenario, seed=4), Play(scenario, seed=4)]
    assert [play.run() for play in plays] == [[], []]
    assert plays[0].told == plays[1].told
