"""The site's own tests: a photo of the record is marked, the truth typed, and replayed from then on."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import cv2
import pytest

from edge.agent.lane.lane_journal import LaneJournal
from edge.agent.lane.notes import LABEL
from edge.agent.office.history import Past
from edge.agent.office.labels import Labels
from edge.config import load_config
from edge.core.record.dossier import Mark, shots
from edge.errors import BarieError, StoreError
from edge.ports import Person
from edge.store import Store
from edge.technician import expected, label, learn, replay
from edge.vision import models
from edge.vision.wholeness import WholeReader
from tests.vision.world import SAMPLES

LANE = "b1-out"
PLATE = {"text": "12C12346", "layout": "two_line", "decided": True, "typed": False}
BODY = {"passage": "p-1", "stage": "seen", "plates": [PLATE], "place": "b1", "direction": "out_of_area"}
TECHNICIAN = Person("KY-1", "Kỹ Thuật Mẫu", "technician")


def opened(folder: Path) -> Store:
    return Store.open(folder, site="test", lanes=[LANE])


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A record with one passage that was read wrong, its photo a still of the sample clip; and one without photo."""
    folder = tmp_path_factory.mktemp("data")
    store = opened(folder)
    image = cv2.imread(str(SAMPLES / "b1-out-vn-two-line.jpg"))
    assert image is not None
    photo = store.stage_evidence(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes())
    with store.transaction(LANE) as tx:
        tx.event("passage", {**BODY, "camera": "front"}, captured_at="2026-11-20T09:10:00.000+07:00", photos=[photo])
        tx.event("passage", {**BODY, "passage": "p-2"})
    store.close()
    return folder


def passage(data_dir: Path) -> label.Passage:
    (one,) = label.passages(data_dir)
    return one


def told_of(still: Path) -> dict[str, Any]:
    return json.loads(still.with_suffix(".expected.json").read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def test_only_passages_with_a_photo_can_be_kept(data_dir: Path) -> None:
    one = passage(data_dir)
    assert (one.id, one.lane, one.shot.plate, one.place) == ("p-1", LANE, "12C12346", "b1")


def test_a_photo_goes_with_the_plate_that_it_was_taken_of() -> None:
    """A front camera reads the tractor, a rear one the trailer: the second event holds both plates."""
    trailer = {"text": "29R00123", "layout": "one_line"}
    events: list[dict[str, Any]] = [
        {"recorded_at": "1", "body": {**BODY, "evidence": [{"id": "a", "name": "photo"}, {"id": "c", "name": "crop"}]}},
        {"recorded_at": "2", "body": {"plates": [PLATE, trailer], "photo_of": "29R00123", "camera": "rear",
                                      "evidence": [{"id": "b", "name": "photo"}]}},
    ]  # fmt: skip
    assert [(one.id, one.plate, one.layout, one.camera) for one in shots(events)] == [
        ("a", "12C12346", "two_line", ""),
        ("b", "29R00123", "one_line", "rear"),
    ]


@pytest.mark.vision
@pytest.mark.slow
def test_the_typed_truth_becomes_what_a_replay_must_find(
    data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    still = label.keep(passage(data_dir), Mark(False, "12C-123.45"), tmp_path)
    wanted = expected.load(still)
    assert wanted is not None
    assert [one["plate"] for one in wanted] == ["12C12345"]
    assert replay.run([str(tmp_path)]) == 0
    assert json.loads(capsys.readouterr().out)["plate"] == "12C12345"
    label.keep(passage(data_dir), Mark(True), tmp_path)  # as it was misread then
    assert replay.run([str(tmp_path)]) == 1
    assert "12C12346" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("mark", "plates"), [(Mark(True), ["12C12346"]), (Mark(False), []), (Mark(False, "29H-678.93"), ["29H67893"])]
)
def test_right_wrong_and_typed(data_dir: Path, tmp_path: Path, mark: Mark, plates: list[str]) -> None:
    told = told_of(label.keep(passage(data_dir), mark, tmp_path))
    assert [one["plate"] for one in told["passages"]] == plates
    assert (told["read_then"], told["camera"]) == ("12C12346", "front")


def test_a_truth_that_is_no_plate_is_refused(data_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(BarieError, match="fits no plate pattern"):
        label.keep(passage(data_dir), Mark(False, "HELLO"), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_oldest_clips_go_beyond_the_budget(data_dir: Path, tmp_path: Path) -> None:
    old = tmp_path / "2020-01-01T000000-old.mp4"
    old.write_bytes(b"\0" * 3_000_000)
    old.with_suffix(".expected.json").write_text("{}", encoding="utf-8")
    still = label.keep(passage(data_dir), Mark(True), tmp_path, budget_mb=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        [still.name, still.with_suffix(".expected.json").name]
    )


def test_what_stands_beside_the_vehicle_is_no_fault() -> None:
    got = {"plate": "12C12345", "country": "VN", "layout": "two_line", "decided": True, "decided_s": 0.2}
    beside = got | {"plate": "29H67893"}
    assert expected.differences([{"plate": "12C12345", "others": True}], [beside, got]) == []
    assert expected.differences([{"plate": "12C12345"}], [beside, got]) != []
    assert expected.differences([{"plate": "12C12345", "layout": "one_line", "others": True}], [got]) != []
    assert expected.differences([], [got]) != [], "nobody can read it, and yet something is read"


@pytest.mark.vision
@pytest.mark.slow
def test_a_photo_is_replayed_as_the_camera_that_it_is_of_would_see_it(data_dir: Path, tmp_path: Path) -> None:
    still = label.keep(passage(data_dir), Mark(False, "12C12345"), tmp_path)
    config = tmp_path / "gate.toml"
    example = Path(__file__).parents[2] / "config" / "gate.example.toml"
    rear = '\n[[lane.camera]]\nid = "b1-out-rear"\nurl = "rtsp://192.0.2.77/rear"\nrole = "rear"\n'
    config.write_text(example.read_text(encoding="utf-8") + rear, encoding="utf-8")
    ids = [camera.id for lane in load_config(config).lane for camera in lane.camera]
    told = told_of(still)
    still.with_suffix(".expected.json").write_text(json.dumps(told | {"camera": ids[1]}), encoding="utf-8")
    eye = replay._eye(config)
    assert replay._aimed(eye, still).camera == ids[1] != eye.camera
    assert replay._aimed(replay._eye(config, ids[0]), still).camera == ids[0], "one was chosen by hand"


# ---------------------------------------------------------------- at the screen


@pytest.fixture
def store(data_dir: Path, tmp_path: Path) -> Iterator[Store]:
    """The same record, in a folder of its own."""
    store = opened(tmp_path)
    photo = store.stage_evidence(passage(data_dir).photo.read_bytes())
    with store.transaction(LANE) as tx:
        tx.event("passage", BODY, captured_at="2026-11-20T09:10:00.000+07:00", photos=[photo])
    yield store
    store.close()


def says(
    store: Store, folder: Path, marks: list[Mark], journal: LaneJournal | None = None
) -> tuple[list[str], list[Any]]:
    """What each answer was, and the marks that the passage's page shows then."""

    async def story() -> tuple[list[str], list[Any]]:
        ours = journal or LaneJournal(store, LANE, lambda: None)
        past = Past(folder, store, ours)
        running = asyncio.create_task(past.run())
        labels = Labels(folder, store, past, {LANE: ours})
        async with asyncio.timeout(60):
            while True:
                try:
                    told = await labels.dossier("p-1")
                except StoreError:  # not open yet
                    told = None
                if told is not None:
                    break
                await asyncio.sleep(0.02)
        codes = [await labels.label("p-1", told.shots[0].id, mark, TECHNICIAN) for mark in marks]
        codes.append(await labels.label("p-1", "no-such", Mark(True), TECHNICIAN))
        after = await labels.dossier("p-1")
        assert after is not None
        running.cancel()
        past.close()
        return codes, [shot.mark for shot in after.shots]

    return asyncio.run(story())


def events(folder: Path, kind: str) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(f"file:{folder / 'barie.db'}?mode=ro", uri=True)) as db:
        rows = db.execute("SELECT payload FROM event WHERE kind = ? ORDER BY seq", (kind,)).fetchall()
    return [json.loads(payload)["body"] for (payload,) in rows]


def test_the_last_word_is_kept_with_the_photo_and_who_said_it_is_on_record(store: Store, tmp_path: Path) -> None:
    marks = [Mark(True), Mark(False, "HELLO"), Mark(False, "12c-123.45")]
    codes, shown = says(store, tmp_path, marks)
    assert codes == ["label.kept", "label.bad_plate", "label.kept", "label.no_photo"]
    assert [(mark.right, mark.truth, mark.by) for mark in shown] == [(False, "12C12345", "KY-1")]
    said = events(tmp_path, "config")
    assert [(one["stage"], one["labelled"], one["by"], one["role"], one["read"], one["typed"]) for one in said] == [
        ("labelled_right", "p-1", "KY-1", "technician", "12C12346", ""),
        ("labelled_wrong", "p-1", "KY-1", "technician", "12C12346", "12C12345"),
    ]
    (still,) = (tmp_path / "site-clips").glob("*.still.jpg")
    assert [one["plate"] for one in told_of(still)["passages"]] == ["12C12345"]
    assert cv2.imread(str(still)) is not None
    assert len(LABEL.all(store)) == 1


def test_what_cannot_be_recorded_is_not_kept_either(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = LaneJournal(store, LANE, lambda: None)

    async def broken(*_: object, **__: object) -> None:
        raise StoreError("no room")

    monkeypatch.setattr(journal, "write", broken)
    codes, shown = says(store, tmp_path, [Mark(True)], journal)
    assert codes[0] == "label.store_failed"
    assert shown == [None]
    assert list((tmp_path / "site-clips").iterdir()) == []


def test_what_was_typed_for_a_photo_is_learnt_from_until_it_is_taken_back(tmp_path: Path) -> None:
    store = opened(tmp_path)
    photo, crop = (store.stage_evidence(b"jpeg", name=name) for name in ("photo", "crop"))
    said = {"stage": "labelled_wrong", "labelled": "p-1", "photo": photo.id, "read": "12C12346", "typed": "12C12345"}
    with store.transaction(LANE) as tx:
        tx.event("passage", BODY, photos=[photo, crop])
        tx.event("config", {**said, "typed": "12C12347"})
        tx.event("config", said)
    (one,) = learn.corrections(tmp_path)
    assert (one.read, one.typed, one.crop.stem) == ("12C12346", "12C12345", crop.id)
    with store.transaction(LANE) as tx:
        tx.event("config", {**said, "stage": "labelled_right", "typed": ""})
    assert learn.corrections(tmp_path) == []
    store.close()


@pytest.mark.vision
@pytest.mark.slow
def test_another_reader_may_be_tried_on_the_same_clips(tmp_path: Path) -> None:
    eye = replay._eye(None, reader="rapidocr")
    assert eye.vote == models.vote_rules("rapidocr")
    assert isinstance(eye.reader, WholeReader)
    assert type(eye.reader.inner).__name__ == "RapidReader"
