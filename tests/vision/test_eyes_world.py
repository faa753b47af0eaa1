"""The synthetic test world in short form, and learning from a gate's own record as far as it needs no torch."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from random import Random
from typing import Any

import cv2
import numpy as np
import pytest

from edge.errors import BarieError
from edge.technician import learn
from edge.vision.models import plate_table
from edge.vision.own import OwnReader
from edge.vision.weights import FOLDER
from tests.record.world import open_store

testworld, failures, byeye, kinds_cn, spec = (
    importlib.import_module(f"models.tools.{name}") for name in ("testworld", "failures", "byeye", "kinds_cn", "spec")
)
pytestmark = pytest.mark.vision
TRUCK_4000 = "琼BH4N6N"
"""What the synthetic plate of that passage says."""
DECIDED = 5
"""Of the ten passages at least so many get a decision."""


def test_a_passage_is_the_same_whenever_it_is_drawn() -> None:
    text, first = testworld.passage("night", 3)
    again, second = testworld.passage("night", 3)
    other, _ = testworld.passage("night", 4)
    assert text == again
    assert text != other
    assert all((a == b).all() for a, b in zip(first, second, strict=True))


def test_letters_among_look_alikes_are_for_training_and_leave_the_test_world_as_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def share_of_g() -> float:
        letters = [str(kinds_cn.cn_large_rear(Random(seed)).text)[1] for seed in range(600)]  # noqa: S311
        return letters.count("G") / 600

    usual = share_of_g()
    assert testworld.passage("cn-truck-rear", 4000)[0] == TRUCK_4000, "figures are compared over the same passages"
    monkeypatch.setattr(spec, "HEADS_ALIKE", 0.6)
    assert share_of_g() > 2 * usual
    assert {kinds_cn.cn_trailer(Random(seed)).text[1] for seed in range(600)} == set(kinds_cn.CN_LETTER)  # noqa: S311


@pytest.mark.timeout(900)
def test_few_passages_of_each_kind_are_read_and_no_decided_text_is_wrong() -> None:
    scores = list(testworld.scores(list(testworld.KINDS), 2, FOLDER))
    assert [score.kind for score in scores] == list(testworld.KINDS)
    assert sum(score.voted_right for score in scores) >= 0.7 * sum(score.passages for score in scores)
    assert sum(score.decided_wrong for score in scores) == 0
    assert sum(score.decided for score in scores) >= DECIDED, "that nothing decided was wrong says nothing otherwise"


def test_a_plate_that_lost_half_a_character_is_not_whole() -> None:
    plate = next(p for p in (testworld._plate("vn-truck-two-line", n)[1] for n in range(40)) if p.told() > 0.999)
    cell = next(c for c in plate.spec.cells if c.mark in "023456789")
    scale = plate.picture.shape[1] / plate.spec.size[0]
    x, y = round(cell.x * scale), round(cell.y * scale)
    wide, tall = round(cell.w * scale), round(cell.h * scale)
    under = plate.picture[y : y + tall, x : x + wide][plate.ink[y : y + tall, x : x + wide] < 0.05].mean(0)
    plate.picture[y : y + tall // 2, x : x + wide] = under
    assert 0.6 < plate.told() < testworld.WHOLE


class Blind:
    """Finds nothing anywhere."""

    def detect(self, image: Any) -> list[Any]:
        return []

    def read(self, image: Any, detections: list[Any]) -> list[Any]:
        return []


def test_a_plate_that_is_not_found_is_among_the_failures_shown() -> None:
    found = failures.failure("cn-trailer-rear", 1, Blind(), Blind())
    assert found is not None
    sure, shown = found
    assert sure == 0
    plate, text = shown[: failures.PLATE_H], shown[failures.PLATE_H + 4 :]
    assert plate.std() > 10, "the plate itself"
    assert (text[: failures.TEXT_H] > 128).sum() > 100, "what stands on it"
    assert failures.sheet([shown] * 6).shape[0] == 2 * shown.shape[0]


def test_what_a_person_reads_of_the_misread_is_counted_against_a_key_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sheet, key, answers = (tmp_path / name for name in ("sheet.png", "key.json", "answers.json"))
    eyes = testworld.eyes
    monkeypatch.setattr(
        testworld, "eyes", lambda folder: (Blind(), eyes(folder)[1])
    )  # nothing is found: every passage is misread
    monkeypatch.setattr("sys.argv", ["byeye", "show", str(sheet), str(key), "--first", "7", "--passages", "1"])
    byeye.main()
    wanted = json.loads(key.read_text(encoding="utf-8"))
    assert list(wanted.values()) == [testworld.passage(kind, 7)[0] for kind in testworld.KINDS]
    tiles = cv2.imread(str(sheet))
    assert tiles is not None
    assert tiles.shape == (2 * (byeye.TILE_H + byeye.TEXT_H), byeye.ACROSS * 2 * byeye.TILE_W, 3)
    monkeypatch.setattr("sys.argv", ["byeye", "score", str(key), str(answers)])
    answers.write_text(json.dumps({"0": wanted["0"], "3": "桂A00000"}), encoding="utf-8")
    byeye.main()
    assert "of 5 misread passages 2 were answered by eye, 1 rightly" in capsys.readouterr().out
    answers.write_text(json.dumps({"9": "桂A00000"}), encoding="utf-8")
    with pytest.raises(SystemExit, match="no such number in the key: 9"):
        byeye.main()


# ---------------------------------------------------------------- learning


def crop() -> bytes:
    done, data = cv2.imencode(".jpg", np.full((60, 160, 3), 120, np.uint8))
    assert done
    return bytes(data)


def write_record(folder: Path, count: int) -> None:
    """`count` passages that were read as 12C12345 and typed over, each with the crop of its reading."""
    store = open_store(folder, keep_acknowledged_s=9_999_999)
    for number in range(count):
        passage = f"p{number}"
        staged = store.stage_evidence(crop(), name="crop")
        with store.transaction("b1") as tx:
            tx.event("passage", {"passage": passage, "stage": "seen"}, photos=(staged,))
        body = {"passage": passage, "stage": "plate_typed", "typed": f"12C{10000 + number}", "read": "12C12345"}
        with store.transaction("b1") as tx:
            tx.event("passage", body)
    store.close()


def test_corrections_of_the_record_are_its_typed_plates_with_their_crops(tmp_path: Path) -> None:
    write_record(tmp_path, 3)
    found = learn.corrections(tmp_path)
    assert [(c.read, c.typed) for c in found] == [("12C12345", f"12C{10000 + n}") for n in range(3)]
    loaded = learn.load(found[0].crop)
    assert loaded is not None
    (x1, y1), _, (x2, y2), _ = loaded[1].corners
    assert (round(x1, 1), round(y1, 1), round(x2, 1), round(y2, 1)) == (15.5, 7.9, 144.5, 52.1)


def test_a_guard_who_typed_what_was_read_corrected_nothing(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    staged = store.stage_evidence(crop(), name="crop")
    with store.transaction("b1") as tx:
        tx.event("passage", {"passage": "p", "stage": "seen"}, photos=(staged,))
        tx.event("passage", {"passage": "p", "stage": "plate_typed", "typed": "12C12345", "read": "12C12345"})
    store.close()
    assert learn.corrections(tmp_path) == []


def test_too_few_corrections_are_said_and_nothing_is_tuned(tmp_path: Path) -> None:
    write_record(tmp_path, 2)
    with pytest.raises(BarieError, match=f"2 corrections .* {learn.LEAST} are needed"):
        learn.run(tmp_path, tmp_path / "out")


class Stand:
    """In place of tuning: copies the models as they are, and says how well each folder reads."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, right: tuple[int, int], world: tuple[float, float]) -> None:
        self._right, self._world = iter(right), iter(world)
        monkeypatch.setattr(learn, "_tool", self._tool)
        monkeypatch.setattr(learn, "_world", lambda folder: next(self._world))
        monkeypatch.setattr(learn, "right", lambda reader, found: next(self._right))

    def _tool(self, module: str, *arguments: str, may: tuple[int, ...] = (0,)) -> str:
        assert module == "models.tools.tune"
        out = Path(arguments[arguments.index("--out") + 1])
        for path in [*FOLDER.glob("*.onnx"), *FOLDER.glob("*.npz"), FOLDER / "manifest.toml"]:
            (out / path.name).write_bytes(path.read_bytes())
        return ""


@pytest.mark.parametrize(
    ("right", "world", "adopted"),
    [((2, 5), (0.9, 0.9), True), ((5, 5), (0.9, 0.95), False), ((2, 5), (0.9, 0.85), False)],
    ids=["better", "no better on what was held back", "worse on the test world"],
)
def test_a_tuned_reader_is_adopted_only_if_it_is_better(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    right: tuple[int, int],
    world: tuple[float, float],
    adopted: bool,
) -> None:
    write_record(tmp_path / "record", learn.LEAST)
    out = tmp_path / "out"
    Stand(monkeypatch, right, world)
    assert learn.run(tmp_path / "record", out) == (0 if adopted else 1)
    lines: list[dict[str, Any]] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[0]["corrections"] == learn.LEAST
    assert lines[0]["tuned_on"] + lines[0]["held_back"] == learn.LEAST
    assert (out / "manifest.toml").exists() is adopted
    if adopted:
        assert OwnReader(plate_table(), folder=out) is not None
