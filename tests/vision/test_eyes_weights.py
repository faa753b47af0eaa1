"""The manifest stands between a weight file and the barrier."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from edge.errors import ModelError
from edge.vision.weights import FOLDER, Model, find


def folder_with(tmp_path: Path, content: bytes, digest: str | None = None) -> Path:
    (tmp_path / "a.onnx").write_bytes(content)
    digest = digest or hashlib.sha256(content).hexdigest()
    (tmp_path / "manifest.toml").write_text(
        f'version = 1\n[[model]]\nname = "a"\nfile = "a.onnx"\nsha256 = "{digest}"\n'
    )
    return tmp_path


def test_a_file_with_the_manifests_hash_is_taken(tmp_path: Path) -> None:
    assert find("a", folder_with(tmp_path, b"weights")).path.name == "a.onnx"


def test_a_changed_file_is_refused_by_name(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, b"weights")
    (folder / "a.onnx").write_bytes(b"weightz")
    with pytest.raises(ModelError, match=r"a\.onnx.*sha256.*manifest"):
        find("a", folder)


@pytest.mark.parametrize(
    ("manifest", "says"),
    [
        ("version = ", "cannot be read"),
        ("version = 1", 'no model "a"'),
        ('[[model]]\nname = "a"\nfile = 3\n', 'no model "a"'),
    ],
)
def test_a_manifest_that_does_not_name_the_model_is_refused(tmp_path: Path, manifest: str, says: str) -> None:
    (tmp_path / "manifest.toml").write_text(manifest)
    with pytest.raises(ModelError, match=says):
        find("a", tmp_path)


def test_a_missing_file_or_manifest_says_which(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"manifest\.toml"):
        find("a", tmp_path)
    (folder_with(tmp_path, b"x") / "a.onnx").unlink()
    with pytest.raises(ModelError, match=r"a\.onnx.*cannot be read"):
        find("a", tmp_path)


def test_a_setting_of_the_wrong_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="a: alphabet must be str"):
        find("a", folder_with(tmp_path, b"weights")).setting("alphabet", str)


def test_a_file_that_is_no_model_is_an_error_not_an_empty_answer(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"a\.onnx: cannot be loaded"):
        Model(find("a", folder_with(tmp_path, b"not a model")), 1)


def test_every_shipped_weight_file_is_in_the_manifest_and_small() -> None:
    files = sorted(FOLDER.glob("*.onnx"))
    assert files
    for path in files:
        assert find(path.stem).path == path
        assert path.stat().st_size < 10e6
