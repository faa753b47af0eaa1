"""The short form of training: a few steps on a few rendered pictures. Skipped where torch is not there."""

from __future__ import annotations

import importlib
import os
from argparse import Namespace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch; the barrier PC does not (models/README.md)")
FONTS = Path(os.environ.get("BARIE_FONTS", "models/work/fonts"))
if not FONTS.is_dir():
    pytest.skip("the renderer's fonts are not fetched: run models/tools/fonts.sh", allow_module_level=True)

crops, scenes, reader, detector, export = (
    importlib.import_module(f"models.tools.{name}") for name in ("crops", "scenes", "reader", "detector", "export")
)  # by name, so that the type check of this project needs no torch


def save(path: Path, data: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True)
    np.savez(path, **data)


def test_a_seed_renders_the_same_crops_again() -> None:
    first, again, other = crops.chunk(11, 4), crops.chunk(11, 4), crops.chunk(12, 4)
    assert (first["pixels"] == again["pixels"]).all()
    assert not (first["pixels"] == other["pixels"]).all()


def test_a_few_steps_train_both_models_and_the_export_agrees_with_torch(tmp_path: Path) -> None:
    save(tmp_path / "crops" / "chunk-0000.npz", crops.chunk(1, 24))
    save(tmp_path / "scenes" / "scenes-0000.npz", scenes.chunk(1, [], 8))
    common = {"minutes": 5.0, "start": None, "seed": 1, "done": 0.0, "peak": 1e-3}
    reader.train(
        Namespace(
            crops=tmp_path / "crops",
            work=tmp_path,
            steps=3,
            batch=8,
            real=None,
            real_share=0.0,
            real_after=1.0,
            **common,
        )
    )
    detector.train(Namespace(scenes=tmp_path / "scenes", work=tmp_path, steps=2, batch=2, **common))
    export.export_reader(tmp_path / "reader.pt", tmp_path / "plate-reader.onnx", 1.0)
    export.export_detector(tmp_path / "detector.pt", tmp_path / "plate-detector.onnx")
    assert (tmp_path / "plate-reader.onnx").stat().st_size < 10e6
