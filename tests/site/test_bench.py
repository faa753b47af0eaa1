"""The figures of `barie bench` in their short forms: each is there, has its keys and a value that can be. No times."""

from __future__ import annotations

import importlib.util
import json
import math
import os
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from edge.errors import BarieError
from edge.technician.replay import Eye
from edge.vision import models
from tests.harness.bench import agent, panel, vision
from tests.harness.bench import live as bench_live
from tests.harness.bench import run as bench
from tests.harness.bench.vision import Lengths
from tests.panel.browser import CHROMIUM

Figures = dict[str, dict[str, Any]]


def taken(lines: Iterable[dict[str, Any]]) -> Figures:
    """By name, every one checked for its keys."""
    found: Figures = {}
    for line in lines:
        assert set(line) == {"figure", "value", "unit", "how"}
        assert math.isfinite(line["value"])
        assert line["value"] >= 0
        assert line["how"]
        assert line["figure"] not in found
        found[line["figure"]] = line
    return found


# ---------------------------------------------------------------- which part


def test_a_part_prints_one_json_line_for_each_figure_with_the_machines_load(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.harness.bench import law

    short = list(law.figures(rounds=20, copy=5))
    monkeypatch.setattr(law, "figures", lambda: short)
    assert bench.run("law") == 0
    lines = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    assert [line["figure"] for line in lines] == ["law.verdict_ms_p99", "law.passage_ms_p99"]
    assert all(set(line) == {"figure", "value", "unit", "how", "load"} for line in lines)


def test_an_unknown_part_is_refused_with_the_ones_there_are() -> None:
    with pytest.raises(BarieError, match="no part 'speed'; known are law, vision, panel"):
        bench.run("speed")


def test_other_readers_are_for_the_vision_part_only() -> None:
    with pytest.raises(BarieError, match="--against is for the part vision only"):
        bench.run("store", ["easyocr"])


def test_a_part_that_is_not_there_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "PARTS", {"law": "not_there"})
    with pytest.raises(BarieError, match=r"bench law: this installation has no tests\.harness\.bench\.not_there"):
        bench.run("law")


def test_every_part_has_its_module() -> None:
    here = Path(bench.__file__).parent
    assert [name for name in bench.PARTS.values() if not (here / f"{name}.py").is_file()] == []


@pytest.mark.broker
def test_the_flood_of_changes_arrives_and_every_press_beside_it_is_timed() -> None:
    from tests.harness.bench import bulk

    found = {one["figure"]: one for one in bulk.figures(declarations=200, commands=20)}
    assert set(found) == {*(f"bulk.{name}" for name in bulk.FIGURES), "bulk.memory_mb", "bulk.declarations_per_s"}
    assert all(one["value"] > 0 for one in found.values())
    assert "200 declarations changed and 20 commands" in found["bulk.press_to_record_ms_p99"]["how"]


# ---------------------------------------------------------------- other readers


def test_a_reader_that_is_not_installed_is_said_and_not_compared(capsys: pytest.CaptureFixture[str]) -> None:
    if importlib.util.find_spec("easyocr"):
        pytest.skip("easyocr is installed here")
    assert list(vision.rivals(["easyocr"])) == []
    assert "easyocr is not installed: not compared" in capsys.readouterr().err


def test_a_reader_that_cannot_fetch_its_weights_is_said_and_not_compared(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_network(**options: object) -> None:
        raise OSError("no route to host")

    stand_in(monkeypatch, "fast_alpr", ALPR=no_network)
    assert list(vision.rivals(["fast-alpr"])) == []
    assert "fast-alpr is installed but cannot be used: OSError: no route to host" in capsys.readouterr().err


def test_an_unknown_reader_is_an_error_before_anything_is_measured() -> None:
    with pytest.raises(BarieError, match="'best' is not known; known are fast-alpr, easyocr, rapidocr"):
        next(iter(vision.figures(["best"])))


def test_readers_take_turns_on_the_same_picture_and_the_ratio_is_ours_by_theirs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    order: list[tuple[str, int]] = []

    def looks(name: str, takes_s: float) -> Callable[[Any], list[Any]]:
        def look(image: Any, *_: object) -> list[Any]:
            order.append((name, id(image)))
            time.sleep(takes_s)
            return []

        return look

    theirs = SimpleNamespace(predict=looks("theirs", 0.02))
    stand_in(monkeypatch, "fast_alpr", ALPR=lambda **options: theirs)
    eye = Eye(SimpleNamespace(detect=looks("ours", 0.0)), SimpleNamespace(read=lambda *_: []), models.plate_table())
    found = taken(vision.frame_figures(eye, ["fast-alpr"], 0.0, "stand-in"))
    assert set(found) == {"vision.frame_ms_median", "vision.vs_fast_alpr_ratio"}
    assert found["vision.vs_fast_alpr_ratio"]["value"] < 1
    assert "NOT read right" in found["vision.frame_ms_median"]["how"]
    assert len({picture for _, picture in order}) == 1
    names = [name for name, _ in order[1:]]  # the first look is the check that the plate is read
    assert names == ["ours", "theirs"] * (len(names) // 2)


def test_a_look_at_a_folder_of_scenes_is_told_by_parts_and_against_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.jpg", "b.png"):
        cv2.imwrite(str(tmp_path / name), np.full((64, 96, 3), 90, np.uint8))
    stand_in(monkeypatch, "fast_alpr", ALPR=lambda **_: SimpleNamespace(predict=lambda _: sum(range(20_000))))
    eye = Eye(SimpleNamespace(detect=lambda _: []), SimpleNamespace(read=lambda *_: []), models.plate_table())
    found = taken(vision.scene_figures(eye, ["fast-alpr"], tmp_path, 40))
    assert set(found) == {"vision.scene_cpu_ms_mean", "vision.scenes_vs_fast_alpr_ratio"}
    assert "mean of 2 scenes" in found["vision.scene_cpu_ms_mean"]["how"]
    with pytest.raises(BarieError, match="no picture in it"):
        list(vision.scene_figures(eye, [], tmp_path / "..", 40))


def test_models_of_fast_alpr_are_given_by_folder_and_what_is_missing_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(monkeypatch, "fast_alpr", ALPR=lambda **_: None)
    (tmp_path / "detector.onnx").write_bytes(b"")
    assert list(vision.rivals([f"fast-alpr={tmp_path}"])) == []
    assert f"{tmp_path / 'ocr.onnx'}: not there" in capsys.readouterr().err


def stand_in(monkeypatch: pytest.MonkeyPatch, name: str, **parts: object) -> None:
    module = ModuleType(name)
    module.__dict__.update(parts, __spec__=SimpleNamespace(name=name))
    monkeypatch.setitem(sys.modules, name, module)


# ---------------------------------------------------------------- the parts themselves


@pytest.mark.vision
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_eyes_give_every_figure(tmp_path: Path) -> None:
    bench_live.show(bench_live.PLATE_CLIP, tmp_path, "short", empty=True)
    lengths = Lengths(frame_s=0, busy_s=3, idle_s=1, clips=(tmp_path / "short.mp4",))
    found = taken(vision.figures(lengths=lengths))
    assert set(found) == {
        "vision.frame_ms_median",
        "vision.replay_realtime_factor",
        "vision.idle_cores",
        "vision.two_camera_cores",
        "vision.frame_age_ms_p99",
    }
    assert "; read right" in found["vision.frame_ms_median"]["how"]
    assert found["vision.two_camera_cores"]["value"] <= (os.cpu_count() or 1) * 1.1


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_screen_gives_every_figure() -> None:
    lines = panel.figures(rounds=3, busy=False)
    if not Path(CHROMIUM).exists():
        assert next(iter(lines))["figure"] == "panel.press_to_record_ms_p95"
        pytest.skip("no Chromium: only the press was measured")
    assert set(taken(lines)) == {"panel.press_to_record_ms_p95", "panel.reading_to_pixels_ms_p95"}


@pytest.mark.vision
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_agents_memory_is_that_of_the_gate_and_its_camera() -> None:
    line = agent.memory_figure(seconds=0.5)
    taken([line])
    assert line["how"].startswith("2 processes")
    assert line["value"] > 50, "models alone take more"


def test_what_the_agent_needs_on_disk_holds_its_models_runtime_and_none_of_the_extras() -> None:
    names = agent.reachable("barie")
    assert {"onnxruntime", "numpy", "starlette"} <= names
    assert not {"pytest", "selenium", "iotcore", "mypy"} & names
    assert taken([agent.install_figure()])["agent.install_mb"]["value"] > agent.size_mb("numpy") > 1


def test_a_requirement_that_is_not_installed_is_said() -> None:
    with pytest.raises(BarieError, match="no-such-thing is required but not installed"):
        agent.reachable("no-such-thing")


# ---------------------------------------------------------------- the measuring itself


def test_the_quantile_of_few_values_is_one_of_them() -> None:
    assert bench_live.quantile([3.0, 1.0, 2.0], 0.99) == 3.0
    assert bench_live.quantile([float(n) for n in range(100)], 0.5) == 50.0


def test_a_tree_of_processes_holds_this_one_and_its_cpu_time_grows() -> None:
    pids = bench_live.tree(os.getpid())
    before_s = bench_live.cpu_s(pids)
    began_s = time.process_time()
    while time.process_time() - began_s < 0.05:
        pass
    assert os.getpid() in pids
    assert bench_live.cpu_s([os.getpid()]) - before_s >= 0.03 or len(pids) > 1
    rss_mb, pss_mb = bench_live.memory_mb(pids)
    assert rss_mb >= pss_mb > 1


def test_a_process_that_ended_costs_nothing_more() -> None:
    gone = 2**22 + 1  # above the largest process id
    assert bench_live.cpu_s([gone]) == 0
    assert bench_live.memory_mb([gone]) == (0, 0)


def test_a_camera_that_never_comes_is_said() -> None:
    with pytest.raises(BarieError, match="the sun did not come"):
        bench_live.until(lambda: False, "the sun", within_s=0.0)


def test_the_benches_reader_knows_the_clips_plate() -> None:
    image, plate = bench_live.plate_frame()
    assert image.shape == (720, 1280, 3)
    assert models.plate_table().read(plate, "two_line", 1.0).kind != "other"
