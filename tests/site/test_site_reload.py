"""A reload compares with what is in force now: each key that is taken at once goes up, down and up again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from edge.agent.cameras.supervisor import CameraProcess
from edge.agent.reload import CAMERA_KEYS, STORE_KEYS, Reload
from edge.config import load_config
from edge.store import Store

CAMERA = "b1-out-front"
VALUES: dict[str, tuple[str, str]] = {
    "store.keep_acknowledged_s": ("600", "60"),
    "store.evidence_budget_mb": ("20000", "10000"),
    "url": ('"rtsp://127.0.0.1:9/one"', '"rtsp://127.0.0.1:9/other"'),
    "transport": ('"tcp"', '"udp"'),
    "user": ('"one"', '"other"'),
    "password_file": ('"{folder}/one"', '"{folder}/other"'),
    "region": ("[[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]", "[[0.1, 0.1], [1.0, 0.0], [1.0, 1.0]]"),
    "line": ("[[0.0, 0.5], [1.0, 0.5]]", "[[0.0, 0.4], [1.0, 0.4]]"),
    "look_every_s": ("0.5", "0.2"),
    "picture": ("{{ gamma = 2.0 }}", "{{ gamma = 1.5 }}"),
}
CONFIG = """\
[site]
id = "s"
name = {{ vi = "S", en = "S" }}
data_dir = "{folder}/data"

[panel]
sign_in = "demo"

[store]
{store}

[[lane]]
id = "b1-out"
name = {{ vi = "L", en = "L" }}
place = "b1"
direction = "out_of_area"
simulated = true

[[lane.camera]]
id = "b1-out-front"
{camera}

[lane.board]
port = "{folder}/board"
inputs = {{ presence = 1, safety_loop = 2, photocell = 3, limit_open = 4, limit_closed = 5 }}
outputs = {{ open = 1, close = 2, stop = 3 }}
"""


class Camera:
    """What the gate tells a camera's process."""

    def __init__(self) -> None:
        self.settings: dict[str, Any] = {}

    def use(self, settings: dict[str, Any]) -> None:
        self.settings = settings


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store.open(tmp_path / "store", site="s", lanes=["b1-out"])
    yield made
    made.close()


def write(folder: Path, key: str, value: str) -> Path:
    for name in ("one", "other"):
        (folder / name).write_text(f"password of {name}\n")
    store = f"{key.removeprefix('store.')} = {value}" if key.startswith("store.") else ""
    lines = {"url": '"rtsp://127.0.0.1:9/none"'}
    if key == "password_file":
        lines["user"] = '"one"'
    if not store:
        lines[key] = value
    if key == "user":
        lines["password_file"] = f'"{folder}/one"'
    camera = "\n".join(f"{name} = {text}" for name, text in lines.items()).replace("{{", "{").replace("}}", "}")
    path = folder / "gate.toml"
    path.write_text(CONFIG.format(folder=folder, store=store, camera=camera.replace("{folder}", str(folder))))
    return path


def in_force(store: Store, camera: Camera) -> tuple[object, ...]:
    limits = cast(Any, store)
    return limits._keep_ms, limits._budget_bytes, tuple(sorted((k, str(v)) for k, v in camera.settings.items()))


@pytest.mark.parametrize("key", [*STORE_KEYS, *CAMERA_KEYS])
def test_a_key_goes_up_down_and_up_again(key: str, tmp_path: Path, store: Store, caplog: Any) -> None:
    caplog.set_level("INFO", "edge.agent.reload")
    up, down = VALUES[key]
    path, camera = write(tmp_path, key, up), Camera()
    reload = Reload(path, load_config(path), store, {CAMERA: cast(CameraProcess, camera)})
    seen = []
    for value in (down, up, down, up):
        write(tmp_path, key, value)
        assert reload() == []
        assert re.search(rf"in force: \S*{re.escape(key)}", caplog.messages[-1]), caplog.messages[-1]
        seen.append(in_force(store, camera))
    assert seen[0] == seen[2] != seen[1] == seen[3]


def test_a_key_that_waits_is_named_until_it_is_put_back_and_not_used_meanwhile(tmp_path: Path, store: Store) -> None:
    path, camera = write(tmp_path, "look_every_s", "0.5"), Camera()
    reload = Reload(path, load_config(path), store, {CAMERA: cast(CameraProcess, camera)})
    before = path.read_text()
    reload()
    started = dict(camera.settings)
    path.write_text(before + "\n[vision]\nthreads = 1\n")
    assert reload() == ["vision.threads"]
    assert reload() == ["vision.threads"]
    assert camera.settings == started
    path.write_text(before)
    assert reload() == []


def test_a_camera_of_a_lane_that_was_renamed_waits_for_the_restart(tmp_path: Path, store: Store) -> None:
    path, camera = write(tmp_path, "look_every_s", "0.5"), Camera()
    reload = Reload(path, load_config(path), store, {CAMERA: cast(CameraProcess, camera)})
    text = (
        path.read_text().replace('id = "b1-out"', 'id = "b1-other"').replace("look_every_s = 0.5", "look_every_s = 0.2")
    )
    path.write_text(text)
    assert reload() == ["lane.0.camera.0.look_every_s", "lane.0.id"]
    assert camera.settings == {}
