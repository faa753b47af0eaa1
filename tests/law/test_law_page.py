"""The page of the procedures says what the table says."""

from __future__ import annotations

import subprocess
import sys

import pytest

from scripts.procedures_page import page
from tests.harness.bench.law import figures
from tests.law.table import TABLE
from tests.law.tools import TABLE_FILE, rules

ROOT = TABLE_FILE.parent.parent


def test_the_page_is_up_to_date() -> None:
    script = ROOT / "scripts" / "procedures-page"
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_page_has_every_procedure_and_every_article_of_the_decision() -> None:
    text = page(rules())
    for procedure, rows in TABLE.items():
        part = text.split(f"## {procedure}\n")[1].split("\n## ")[0]
        for step, article, _ in rows:
            assert f"`{step}`" in part
            assert article in part
        assert rules().procedures[procedure].name.vi in part


@pytest.mark.slow
def test_the_figure_has_its_name_unit_and_way() -> None:
    told = figures(rounds=50, copy=5)
    assert [(one["figure"], one["unit"]) for one in told] == [
        ("law.verdict_ms_p99", "ms"),
        ("law.passage_ms_p99", "ms"),
    ]
    for figure in told:
        assert figure["value"] > 0
        assert "40 vehicles, 200 confirmations" in figure["how"]
    assert "lookup, record of 5 others, verdict, row of steps" in told[1]["how"]
