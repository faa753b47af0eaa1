"""Malformed input at every door, and a soak of simulated days: the short forms of `scripts/fuzz` and `scripts/soak`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from edge.errors import BadMessageError
from tests.harness.fuzz import run as fuzz
from tests.harness.fuzz import tries

COUNTS = {
    "config": 300,
    "declaration": 3_000,
    "serial": 500,
    "link": 2_000,
    "discovery": 2_000,
    "jpeg": 100,
    "http": 60,
    "rtsp": 4,
}


@pytest.mark.parametrize("part", sorted(COUNTS))
def test_nothing_but_refusals_comes_out(part: str, capfd: pytest.CaptureFixture[str]) -> None:
    tally = fuzz.PARTS[part](COUNTS[part], 7)
    assert tally.crashes == []
    assert tally.tries == COUNTS[part] == tally.refused + tally.taken


def test_every_part_has_its_count_and_the_command_has_every_part() -> None:
    assert set(fuzz.PARTS) == set(fuzz.COUNTS) == {*COUNTS, "mqtt"}


def test_another_error_than_a_refusal_is_a_crash() -> None:
    def door(data: bytes) -> None:
        if data[:1] == b"g":
            raise BadMessageError("refused")
        raise ZeroDivisionError

    tally = tries.tried("door", 50, 1, [b"good"], door)
    assert tally.refused > 0
    assert len(tally.crashes) == 50 - tally.refused


def test_a_soak_of_three_days_has_every_count_right(tmp_path: Path) -> None:
    line = [
        sys.executable,
        "-m",
        "tests.harness.soak.run",
        "--passages",
        "60",
        "--days",
        "3",
        "--folder",
        str(tmp_path),
    ]
    ran = subprocess.run(line, capture_output=True, text=True, timeout=170, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    told = json.loads(ran.stdout.splitlines()[-1])
    assert told["right"] == dict.fromkeys(("override", "confirm", "turn_away", "through", "events", "chain"), True)
    assert told["counted"]["confirm"] == told["at_centre"]["confirm"] == 42
