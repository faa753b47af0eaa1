"""The site's own clips: a passage of the record is marked, the truth typed, and replayed from then on."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import pytest

from edge.errors import BarieError
from edge.store import Store
from edge.technician import expected, label, replay
from edge.vision import models
from tests.vision_world import SAMPLES

LANE = "b1-out"
PLATE = {"text": "12C12346", "layout": "two_line", "decided": True, "typed": False}


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A record with one passage that was read wrong, its photo a still of the sample clip; and one without photo."""
    folder = tmp_path_factory.mktemp("data")
    store = Store.open(folder, site="test", lanes=[LANE])
    image = cv2.imread(str(SAMPLES / "b1-out-vn-two-line.jpg"))
    assert image is not None
    photo = store.stage_evidence(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes())
    body = {"passage": "p-1", "stage": "seen", "plates": [PLATE], "place": "b1", "direction": "out_of_area"}
    with store.transaction(LANE) as tx:
        tx.event("passage", body, captured_at="2026-11-20T09:10:00.000+07:00", photos=[photo])
        tx.event("passage", {**body, "passage": "p-2"})
    store.close()
    return folder


def passage(data_dir: Path) -> label.Passage:
    (one,) = label.passages(data_dir)
    return one


def test_only_passages_with_a_photo_can_be_kept(data_dir: Path) -> None:
    one = passage(data_dir)
    assert (one.id, one.lane, one.plate, one.place) == ("p-1", LANE, "12C12346", "b1")


@pytest.mark.vision
@pytest.mark.slow
def test_the_typed_truth_becomes_what_a_replay_must_find(data_dir: Path, tmp_path: Path) -> None:
    clip = label.keep(passage(data_dir), "12C-123.45", tmp_path)
    wanted = expected.load(clip)
    assert wanted is not None
    assert [one["plate"] for one in wanted] == ["12C12345"]
    table = models.plate_table()
    found = replay.replay(clip, replay.Eye(*models.build("own", table, threads=2), table))
    assert [row.mark for row in expected.table(wanted, found)] == ["ok"]


@pytest.mark.parametrize(
    ("truth", "wrong", "plates"), [(None, False, ["12C12346"]), (None, True, []), ("29H-678.93", True, ["29H67893"])]
)
def test_right_wrong_and_typed(
    data_dir: Path, tmp_path: Path, truth: str | None, wrong: bool, plates: list[str]
) -> None:
    clip = label.keep(passage(data_dir), truth, tmp_path, wrong=wrong)
    told = json.loads(clip.with_suffix(".expected.json").read_text(encoding="utf-8"))
    assert [one["plate"] for one in told["passages"]] == plates
    assert told["read_then"] == "12C12346"


def test_a_truth_that_is_no_plate_is_refused(data_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(BarieError, match="fits no plate pattern"):
        label.keep(passage(data_dir), "HELLO", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_oldest_clips_go_beyond_the_budget(data_dir: Path, tmp_path: Path) -> None:
    old = tmp_path / "2020-01-01T000000-old.mp4"
    old.write_bytes(b"\0" * 3_000_000)
    old.with_suffix(".expected.json").write_text("{}", encoding="utf-8")
    clip = label.keep(passage(data_dir), None, tmp_path, budget_mb=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        [clip.name, clip.with_suffix(".expected.json").name]
    )
