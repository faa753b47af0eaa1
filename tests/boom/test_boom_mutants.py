"""The mutation run in its short form: a sample with a fixed seed, of which nothing may survive that is not argued."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_no_change_of_the_sample_goes_unnoticed() -> None:
    command = [sys.executable, str(ROOT / "scripts" / "mutate"), "--short"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    counts = json.loads(run.stdout.splitlines()[-1])
    assert counts["survived"] == 0, run.stdout
    assert counts["killed"] + counts["argued"] == counts["mutants"] > 0
    assert run.returncode == 0
