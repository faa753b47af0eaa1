"""The short form of training: a few steps on a few rendered pictures. Skipped where torch is not there."""

from __future__ import annotations

import importlib
import json
import os
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import cv2
import numpy as np
import pytest

from edge.vision.models import plate_table
from edge.vision.own import OwnDetector, OwnReader
from edge.vision.weights import FOLDER, Model, find

torch = pytest.importorskip("torch", reason="training needs torch; the barrier PC does not (models/README.md)")
FONTS = Path(os.environ.get("BARIE_FONTS", "models/work/fonts"))
if not FONTS.is_dir():
    pytest.skip("the renderer's fonts are not fetched: run models/tools/fonts.sh", allow_module_level=True)

crops, scenes, rendered, stage, reader, detector, closer, export, tune, roads, unpack = (
    importlib.import_module(f"models.tools.{name}")
    for name in (
        "crops",
        "scenes",
        "rendered",
        "world.stage",
        "reader",
        "detector",
        "closer",
        "export",
        "tune",
        "roads",
        "unpack",
    )
)  # by name, so that the type check of this project needs no torch


def save(path: Path, data: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True)
    np.savez(path, **data)


def test_a_seed_renders_the_same_crops_again() -> None:
    first, again, other = crops.chunk(11, 4), crops.chunk(11, 4), crops.chunk(12, 4)
    assert (first["pixels"] == again["pixels"]).all()
    assert not (first["pixels"] == other["pixels"]).all()


def sprites(folder: Path) -> Path:
    """A lane and vehicles of one grey each, in the form that Blender's come in."""
    (folder / "lane").mkdir(parents=True)
    cv2.imwrite(str(folder / "lane" / "lane.png"), np.full((720, 1280, 3), 90, np.uint8))
    for name in ("boom", *rendered.FRONTS, *rendered.REARS):
        (folder / name).mkdir()
        cv2.imwrite(str(folder / name / "000.png"), np.full((90, 90, 4), (60, 60, 60, 255), np.uint8))
        row = {"y": 40.0, "raised": 1.0, "box": [500, 100, 780, 380], "file": "000.png"}
        (folder / name / "index.json").write_text(json.dumps([row]), encoding="utf-8")
    return folder


def test_a_scene_with_a_rendered_vehicle_says_where_its_plate_is(tmp_path: Path) -> None:
    trays = stage.Trays(sprites(tmp_path))
    flat = 0
    for seed in range(8):
        picture, (quad,), (layout,) = rendered.scene(Random(seed), trays)  # noqa: S311
        assert picture.shape == (scenes.HEIGHT, scenes.WIDTH, 3)
        assert (quad >= 0).all()
        assert (quad <= [scenes.WIDTH, scenes.HEIGHT]).all()
        wide, tall = np.linalg.norm(quad[1] - quad[0]), np.linalg.norm(quad[3] - quad[0])
        assert (tall / wide > 1 / 3) == (layout == 1), "two lines are taller than a third of their width"
        inside = np.zeros(picture.shape[:2], np.uint8)
        cv2.fillPoly(inside, [quad.round().astype(np.int32)], 1)
        around = cv2.dilate(inside, np.ones((15, 15))) - inside
        flat += picture[inside > 0].std() < picture[around > 0].std()
    assert flat <= 1, "nothing but the plate has marks; glare may fall beside one"


def test_the_real_crops_other_provinces_are_drawn_more_often_than_they_are_there() -> None:
    text = np.zeros((1000, 12), np.int16)
    text[:10, 0] = 1  # 1 in 100 is of another province: 1 in 11 is drawn
    drawn = reader.real_rows(np.random.default_rng(1), text, 4000)
    assert 0.07 < (drawn < 10).mean() < 0.11


def test_a_few_steps_train_every_model_and_the_export_agrees_with_torch(tmp_path: Path) -> None:
    save(tmp_path / "crops" / "chunk-0000.npz", crops.chunk(1, 24))
    save(tmp_path / "scenes" / "scenes-0000.npz", scenes.chunk(1, partial(scenes.scene, real=[]), 8))
    common = ["--work", str(tmp_path), "--minutes", "5"]
    reader.train(reader.arguments().parse_args([str(tmp_path / "crops"), *common, "--steps", "3", "--batch", "8"]))
    detector.train(detector.arguments().parse_args([str(tmp_path / "scenes"), *common, "--steps", "2", "--batch", "2"]))
    closer.train(closer.arguments().parse_args([str(tmp_path / "crops"), *common, "--steps", "3", "--batch", "8"]))
    again = ["--work", str(tmp_path / "again"), "--steps", "0", "--start", str(tmp_path / "closer.pt")]
    closer.train(closer.arguments().parse_args([str(tmp_path / "crops"), *again]))
    kept, began = (torch.load(folder / "closer.pt")["ema"] for folder in (tmp_path / "again", tmp_path))
    assert all((kept[name] == began[name]).all() for name in began), "a training goes on from the one before"
    out = tmp_path / "models"
    written(tmp_path, out)
    assert sum(path.stat().st_size for path in out.iterdir()) < 10e6
    frame = np.full((200, 300, 3), 120, np.uint8)
    OwnReader(plate_table(), folder=out).read(frame, OwnDetector(folder=out, threshold=0.0).detect(frame)[:2])


def test_a_peak_that_rounding_moves_by_a_cell_is_no_difference_and_one_that_is_gone_is() -> None:
    heat = np.zeros((6, 9), np.float32)
    heat[2, 3], heat[5, 7] = 0.5, 0.2
    moved = np.roll(heat, 1, axis=1) * np.float32(1.001)
    assert export._gap_of_peaks(heat, moved) < 1e-3
    less, far = np.where(heat < 0.3, np.float32(0), heat), np.roll(heat, 3, axis=1)
    for other, gap in ((less, 0.2), (far, 0.5)):
        assert export._gap_of_peaks(heat, other) == pytest.approx(gap)
        assert export._gap_of_peaks(other, heat) == pytest.approx(gap)


def test_a_file_that_does_not_answer_as_torch_does_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def spoil(path: Path) -> None:
        model = export.onnx.load(str(path))
        largest = max(model.graph.initializer, key=lambda tensor: len(tensor.raw_data))
        largest.raw_data = bytes(len(largest.raw_data))
        export.onnx.save(model, str(path))

    net, look = export.load_state(FOLDER)
    export.export_reader(net, tmp_path / "sound.onnx", 1.0, look, 0.75)
    monkeypatch.setattr(export, "halve", spoil)
    with pytest.raises(SystemExit, match=r"spoilt\.onnx: ONNX output \w+ differs from torch"):
        export.export_reader(net, tmp_path / "spoilt.onnx", 1.0, look, 0.75)


def written(work: Path, out: Path) -> None:
    """A whole model folder from these few steps."""
    found = {name: str(work / f"{name}.pt") for name in ("reader", "detector", "closer")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["export", *(f"--{k}={v}" for k, v in found.items()), f"--out={out}"])
        export.main()


def test_tuning_on_a_sites_crops_starts_from_the_shipped_reader_and_writes_a_whole_folder(tmp_path: Path) -> None:
    crop = cv2.imread(str(Path(__file__).parent / "eyes" / "long-vn.jpg"))
    assert crop is not None
    (tmp_path / "set").mkdir()
    cv2.imwrite(str(tmp_path / "set" / "one.png"), crop)
    row = {"file": "one.png", "text": "12C12345", "corners": [[180, 230], [300, 230], [300, 262], [180, 262]]}
    (tmp_path / "set" / "set.json").write_text(json.dumps([row]), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "sys.argv", ["tune", str(tmp_path / "set"), f"--out={tmp_path / 'out'}", "--steps=2", "--batch=4"]
        )
        tune.main()
    before, after = (find("plate-reader", folder).sha256 for folder in (FOLDER, tmp_path / "out"))
    assert before != after
    OwnReader(plate_table(), folder=tmp_path / "out")


def test_curves_are_drawn_from_what_a_training_printed(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="models/tools/requirements.txt")
    curves = importlib.import_module("models.tools.curves")
    log = tmp_path / "detector.log"
    log.write_text(
        "a warning first\n23s step 50 chunks 37 loss 0.485 heat 0.273 corner 5.73px\n45s step 100 chunks 37 loss 0.4\n",
        encoding="utf-8",
    )
    assert curves.curves(log.read_text()) == {
        "loss": [(50, 0.485), (100, 0.4)], "heat": [(50, 0.273)], "corner": [(50, 5.73)],
    }  # fmt: skip
    curves.draw({"detector": log}, tmp_path / "out.svg")
    assert "detector: corner" in (tmp_path / "out.svg").read_text()
    log.write_text("killed\n", encoding="utf-8")
    with pytest.raises(ValueError, match=str(log)):
        curves.draw({"detector": log}, tmp_path / "out.svg")


def test_a_rendered_plate_hangs_where_the_photographs_own_hung_and_keeps_its_shape() -> None:
    photo = roads.Photo(
        np.full((400, 500, 3), 90, np.uint8), [np.array([[200, 180], [300, 180], [300, 205], [200, 205]], np.float32)]
    )
    r = Random(3)  # noqa: S311
    shown = 0
    for _ in range(12):
        picture, quads, layouts = roads.scene(r, [photo])
        assert picture.shape == (scenes.HEIGHT, scenes.WIDTH, 3)
        assert len(quads) == len(layouts) <= 1
        shown += len(quads)
    assert shown >= 8
    canvas = np.full((320, 416, 3), 90, np.uint8)
    quad, _layout = roads.hang(r, canvas, np.array([[150, 150], [250, 150], [250, 175], [150, 175]], np.float32))
    assert np.abs(quad.mean(0) - [200, 162.5]).max() < 1, "round the same middle"
    assert canvas[150:175, 150:250].std() > 5, "something is drawn there"


def test_the_shipped_detector_unpacked_answers_as_its_file_does() -> None:
    weights = find("plate-detector")
    pixels = torch.rand(1, 3, 64, 96, generator=torch.Generator().manual_seed(2))
    bytes_ = (pixels * 255).round().to(torch.uint8)
    net = unpack.unpack(weights.path, torch.rand(2, 3, 64, 96))
    with torch.no_grad():
        given = net.eval()(bytes_.float() / 255)[0, 1:9].numpy() * 16
    wanted = Model(weights, 1).run(bytes_.permute(0, 2, 3, 1).contiguous().numpy())[1]
    assert np.abs(given - wanted).max() < 0.2
