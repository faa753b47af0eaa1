"""What a technician is told in Vietnamese: by the one table, which follows the code's own texts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from edge.cli import main
from edge.technician.told import both, in_language, table, vietnamese

ROOT = Path(__file__).parents[2]
FOREIGN = {"{key}: Input should be a valid {kind}", "{key}: Input should be {values}"}
"""Pydantic's own words."""


def squeezed(text: str) -> str:
    """Source with its texts in one piece each."""
    return re.sub(r"""["'] *\n\s*f?["']""", "", text).replace("\\", "")


def test_every_english_text_is_still_the_codes_own() -> None:
    source = squeezed("\n".join(p.read_text() for part in ("edge", "firmware_io") for p in (ROOT / part).rglob("*.py")))
    for english, _ in table():
        parts = [part.strip("(): ;") for part in re.split(r"\{\w+\}", english)]
        for part in parts if english not in FOREIGN else ():
            assert part in source, f"{english!r}: {part!r} is nowhere in the code"


def test_both_texts_have_the_same_places_and_no_two_are_alike() -> None:
    pairs = table()
    assert len({english for english, _ in pairs}) == len(pairs)
    for english, told in pairs:
        assert sorted(re.findall(r"\{\w+\}", english)) == sorted(re.findall(r"\{\w+\}", told)), english


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("lane.0.place: missing", "lane.0.place: còn thiếu"),
        (
            "nothing was written: /var/lib/barie holds the record of site 'a', this config is of 'b': "
            "give site.data_dir a folder of its own",
            "chưa ghi gì: /var/lib/barie đang giữ hồ sơ của cửa khẩu 'a', còn cấu hình này là của 'b': "
            "đặt site.data_dir sang thư mục riêng",
        ),
        (
            "/dev/x: no such device; plug it in, or take its stable name from /dev/serial/by-id/; "
            "no serial device is plugged in at all",
            "/dev/x: không có thiết bị này; cắm vào, hoặc lấy tên cố định trong /dev/serial/by-id/; "
            "không có thiết bị nối tiếp nào được cắm",
        ),
    ],
)
def test_a_text_within_a_text_is_told_too(text: str, told: str) -> None:
    assert vietnamese(text) == told
    assert both(text) == f"{told} / {text}"
    assert in_language(text, "en") == text


def test_what_the_table_has_not_is_told_as_it_is() -> None:
    assert both("something quite new") == "something quite new"


def test_a_command_says_its_error_in_both_languages(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "gate.toml").write_text('[site]\nid = "x"\nodd = 1\n')
    with pytest.raises(SystemExit):
        main(["config", "check", str(tmp_path / "gate.toml")])
    lines = capsys.readouterr().err.splitlines()
    assert any("site.name: còn thiếu / site.name: missing" in line for line in lines)
    assert any("site.odd: không có khóa này" in line and "unknown key" in line for line in lines)
