"""`barie explain`: the verdict as the outside contract writes it; 0 for any verdict, 2 for bad input with one clear
line.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edge import resources
from edge.core.instant import age_text
from edge.errors import ConfigError
from edge.technician import explain
from edge.wire import declaration_to_json
from tests.law.table import NONE, asked_at
from tests.law.tools import TABLE_FILE, declared, given


def run(file: Path, place: str, direction: str, **kwargs: Any) -> int:
    return explain.run(explain.Question(place, direction, [file], **kwargs))


def saved(folder: Path, lacking: int = 1, **changes: object) -> Path:
    asked = asked_at("EX-IN", "b1_out", NONE)
    confirmations = [given(one, n) for n, one in enumerate(asked[: len(asked) - lacking])]
    file = folder / "declaration.json"
    file.write_text(
        json.dumps({**declaration_to_json(declared("EX-IN", confirmations, NONE)), **changes}), encoding="utf-8"
    )
    return file


def explained(capsys: pytest.CaptureFixture[str], *args: Any, **kwargs: Any) -> dict[str, Any]:
    assert run(*args, **kwargs) == 0
    out: dict[str, Any] = json.loads(capsys.readouterr().out)
    return out


def test_the_verdict_has_exactly_the_contracts_shape(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    verdict = explained(capsys, saved(tmp_path), "b1", "out_of_area")
    article = "27/2025 Art. 4.2.g"
    assert list(verdict) == ["verdict", "step", "missing", "reasons"]
    assert (verdict["verdict"], verdict["step"]) == ("ready", "b1_out")
    assert verdict["missing"] == [{"step": "b1_out", "authority": "BG", "act": "pass", "article": article}]
    assert [(list(reason), reason["code"], reason["article"]) for reason in verdict["reasons"]] == [
        (["code", "text", "article"], "guard_opens", article)
    ]


def test_every_verdict_but_unknown_can_be_had(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = [
        explained(capsys, saved(tmp_path, 0), "b1", "out_of_area")["verdict"],
        explained(capsys, saved(tmp_path, 3), "b1", "out_of_area")["verdict"],
        explained(capsys, saved(tmp_path, state="withdrawn"), "b1", "out_of_area")["verdict"],
        explained(capsys, saved(tmp_path), "b1", "into_area")["verdict"],
    ]
    assert names == ["release", "await", "refuse", "refuse"]


def test_now_and_choices_and_another_table_may_be_given(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    transfer = {
        "record_no": "1", "record_date": "x", "sent_by": "a", "received_by": "b", "deadline": "2026-11-20T12:00:00Z",
    }  # fmt: skip
    file = saved(tmp_path, 0, transfer=transfer)
    early, late = "2026-11-20T11:00:00Z", "2026-11-21T00:00:00Z"
    assert explained(capsys, file, "b1", "out_of_area", now=early)["verdict"] == "release"
    assert explained(capsys, file, "b1", "out_of_area", now=late)["verdict"] == "refuse"
    assert (
        explained(capsys, saved(tmp_path, 2), "b1", "out_of_area", choices={"he_at_b1_out": "appendix"})["verdict"]
        == "ready"
    )
    table = tmp_path / "table.toml"
    table.write_text(TABLE_FILE.read_text(encoding="utf-8").replace("27/2025 Art. 4.2.g", "ART"), encoding="utf-8")
    assert explained(capsys, saved(tmp_path), "b1", "out_of_area", rules_path=table)["missing"][0]["article"] == "ART"


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda folder: folder / "none.json", "none.json: cannot be read"),
        (lambda folder: folder, "cannot be read"),
        (lambda folder: saved(folder, procedure="EX-INN"), "procedure"),
        (lambda folder: saved(folder, vehicles=[]), "vehicles"),
        (lambda folder: saved(folder, version="7"), "version"),
    ],
)
def test_bad_input_is_two_and_one_line(
    make: Any, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(make(tmp_path), "b1", "out_of_area") == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert says in err
    assert err.count("\n") == 1


def test_a_bad_table_choice_or_time_is_bad_input_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / "table.toml"
    table.write_text("format = 1\n", encoding="utf-8")
    file = saved(tmp_path)
    assert run(file, "b1", "out_of_area", rules_path=table) == 2
    assert f"{table}:1" in capsys.readouterr().err
    assert run(file, "b1", "out_of_area", rules_path=tmp_path / "no.toml") == 2
    assert run(file, "b1", "out_of_area", now="today") == 2
    assert run(file, "b1", "out_of_area", choices={"he_at_b1_out": "never"}) == 2


def test_the_table_is_found_beside_the_package_or_where_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BARIE_CONFIG_DIR", raising=False)
    assert resources.config_file("procedures.toml") == TABLE_FILE
    own = tmp_path / "procedures.toml"
    own.write_text("x", encoding="utf-8")
    monkeypatch.setenv("BARIE_CONFIG_DIR", str(tmp_path))
    assert resources.config_text("procedures.toml") == ("x", str(own))
    assert resources.config_file(own) == own
    with pytest.raises(ConfigError, match=str(tmp_path)):
        resources.config_file("no such file.toml")
    own.write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="cannot be read"):
        resources.config_text("procedures.toml")


def test_ages_read_as_people_say_them() -> None:
    assert [age_text(s) for s in (-1, 0, 59.9, 60, 3_599, 3_600, 7_320)] == [
        "0 s", "0 s", "59 s", "1 min", "59 min", "1 h 00 min", "2 h 02 min",
    ]  # fmt: skip
