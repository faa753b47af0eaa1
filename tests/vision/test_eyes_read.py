"""`barie read` on bad pictures: each costs its own line, the rest are read on."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import PIL.Image
import pytest

from edge.technician import read

PLATE = Path(__file__).parent / "eyes" / "long-vn.jpg"
pytestmark = pytest.mark.vision


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def encoded(image: object, suffix: str) -> bytes:
    done, data = cv2.imencode(suffix, np.asarray(image))
    assert done
    return bytes(data)


def turned_by_exif(jpeg: bytes, orientation: int) -> bytes:
    """The JPEG with an EXIF block that holds nothing but the orientation."""
    entry = (0x0112).to_bytes(2, "little") + (3).to_bytes(2, "little") + (1).to_bytes(4, "little")
    tiff = b"II*\0" + (8).to_bytes(4, "little") + (1).to_bytes(2, "little") + entry + bytes([orientation, 0, 0, 0])
    block = b"Exif\0\0" + tiff + bytes(4)
    return jpeg[:2] + b"\xff\xe1" + (len(block) + 2).to_bytes(2, "big") + block + jpeg[2:]


def test_bad_pictures_cost_their_own_line_and_the_rest_are_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    jpeg = PLATE.read_bytes()
    upright = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert upright is not None
    alpha = np.dstack([upright, np.full(upright.shape[:2], 255, np.uint8)])
    large = cv2.resize(upright, (5200, 3900), interpolation=cv2.INTER_CUBIC)
    aside = encoded(cv2.rotate(upright, cv2.ROTATE_90_COUNTERCLOCKWISE), ".jpg")
    pictures = {
        "truncated.jpg": (jpeg[: len(jpeg) // 2], "truncated JPEG"),
        "half-with-an-end.jpg": (jpeg[: len(jpeg) // 2] + b"\xff\xd9", "truncated JPEG"),
        "a-phone's-bytes-behind.jpg": (jpeg + bytes(range(256)) * 40, None),
        "truncated.png": (encoded(upright, ".png")[:-500], "truncated PNG"),
        "words.jpg": (b"no picture at all", "not an image"),
        "empty.jpg": (b"", "empty"),
        "grey.png": (encoded(cv2.cvtColor(upright, cv2.COLOR_BGR2GRAY), ".png"), None),
        "alpha.png": (encoded(alpha, ".png"), None),
        "turned.jpg": (turned_by_exif(aside, 6), None),
        "twenty-megapixel.jpg": (encoded(large, ".jpg"), None),
        "plain.jpg": (jpeg, None),
    }
    paths = [written(tmp_path / name, data) for name, (data, _) in pictures.items()]
    one = written(tmp_path / "one.png", encoded(np.zeros((1, 1, 3), np.uint8), ".png"))
    assert read.run([*paths, one, tmp_path / "missing.jpg"], "own") == 1
    lines = {Path(line["image"]).name: line for line in map(json.loads, capsys.readouterr().out.splitlines())}
    for name, (_, fault) in pictures.items():
        if fault is None:
            assert [p["text"] for p in lines[name]["plates"]] == ["12C12345"], name
        else:
            assert fault in lines[name]["error"], name
            assert "plates" not in lines[name]
    assert lines["one.png"]["plates"] == []
    assert "No such file" in lines["missing.jpg"]["error"]


def test_a_picture_with_alpha_is_turned_as_its_exif_says(tmp_path: Path) -> None:
    rgb = cv2.cvtColor(np.asarray(cv2.imread(str(PLATE))), cv2.COLOR_BGR2RGBA)
    upright = PIL.Image.fromarray(rgb)
    ways = PIL.Image.Transpose
    turns = {2: ways.FLIP_LEFT_RIGHT, 3: ways.ROTATE_180, 4: ways.FLIP_TOP_BOTTOM, 5: ways.TRANSPOSE}
    turns |= {6: ways.ROTATE_90, 7: ways.TRANSVERSE, 8: ways.ROTATE_270}
    for way, turn in turns.items():
        exif = PIL.Image.Exif()
        exif[0x0112] = way
        path = tmp_path / f"{way}.png"
        upright.transpose(turn).save(path, exif=exif)
        assert np.array_equal(read.load(path), rgb[..., 2::-1]), f"EXIF orientation {way}"


def test_only_good_pictures_end_with_nought(tmp_path: Path) -> None:
    assert read.run([PLATE], "own") == 0
