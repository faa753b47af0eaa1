"""`barie health`: whether this version runs. The package asks it after an upgrade, and goes back where it does not.

`--trial` starts the agent in a world of its own: a simulated board, no camera, a record that is thrown away, any free
port. Nothing of the gate in use is touched.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edge import __version__, clock
from edge.config import Config, VisionConfig, load_config
from edge.errors import BarieError
from edge.technician.free_port import free_port
from firmware_io.sim import SimBoard
from firmware_io.sim_world import World

POLL_S = 0.25
TRIAL_WITHIN_S = 60.0
_TRIAL = """\
[site]
id = "trial"
name = {{ vi = "Chạy thử", en = "Trial start" }}
data_dir = "{folder}/data"

[panel]
port = {port}
sign_in = "demo"

[[lane]]
id = "trial"
name = {{ vi = "Chạy thử", en = "Trial start" }}
place = "b1"
direction = "out_of_area"
simulated = true

[[lane.camera]]
id = "none"
url = "rtsp://127.0.0.1:9/none"

[lane.board]
port = "{folder}/board"
inputs = {{ presence = 1, safety_loop = 2, photocell = 3, limit_open = 4, limit_closed = 5 }}
outputs = {{ open = 1, close = 2, stop = 3 }}
"""


def run(config_file: Path | None, *, trial: bool, within_s: float) -> int:
    """0 where the version of this program runs and takes the config. Raises ConfigError for a config it refuses."""
    config = load_config(config_file) if config_file is not None else None
    if trial:
        _models(config)
        said = try_out()
    else:
        if config is None:
            raise BarieError("health: --config FILE or --trial")
        said = ask(config, within_s)
    print(f"health: {said}")
    return 0


def _models(config: Config | None) -> None:
    """The very ones that the cameras' processes will load: the config's, a bundle's, or the program's own."""
    from edge.technician.eyes import build
    from edge.vision.models import plate_table

    build(config.vision if config is not None else VisionConfig(), plate_table())


def try_out() -> str:
    """Start the agent, wait for its screen and its board, end it. Raises BarieError where that fails."""
    with running_trial():
        return f"version {__version__} starts, serves its screen and talks to a board"


@contextmanager
def running_trial() -> Iterator[int]:
    """The port of an agent's screen in a world of its own. Raises BarieError where it does not come up."""
    with tempfile.TemporaryDirectory(prefix="barie-trial-") as name:
        folder, port = Path(name), free_port()
        board = SimBoard(World(), link=folder / "board")
        board.start()
        config = folder / "gate.toml"
        config.write_text(_TRIAL.format(folder=folder, port=port), encoding="utf-8")
        environment = {key: value for key, value in os.environ.items() if key != "NOTIFY_SOCKET"}
        line = [sys.executable, "-m", "edge", "--log-level", "warning", "run", "--config", str(config)]
        with (folder / "log").open("w+b") as log:
            agent = subprocess.Popen(line, stdout=log, stderr=log, env=environment)
            try:
                wait_for(port, __version__, TRIAL_WITHIN_S, agent)
                yield port
            except BarieError as error:
                log.seek(0)
                tail = log.read().decode(errors="replace").strip().splitlines()[-5:]
                raise BarieError("\n".join([f"trial start: {error}", *tail])) from error
            finally:
                _end(agent)
                board.close()


def _end(agent: subprocess.Popen[bytes]) -> None:
    agent.terminate()
    try:
        agent.wait(10)
    except subprocess.TimeoutExpired:
        agent.kill()
        agent.wait()


def ask(config: Config, within_s: float) -> str:
    """The agent that runs on this config. Raises BarieError where it does not answer as this version in time."""
    wait_for(config.panel.port, __version__, within_s)
    return f"version {__version__} runs"


def wait_for(port: int, version: str, within_s: float, agent: subprocess.Popen[bytes] | None = None) -> None:
    """Until the screen on this machine answers as `version`. Raises BarieError."""
    until_s = clock.mono_s() + within_s
    while True:
        why = _answer(port, version)
        if not why:
            return
        if agent is not None and agent.poll() is not None:
            raise BarieError(f"the agent ended at once with status {agent.returncode}")
        if clock.mono_s() > until_s:
            raise BarieError(f"not healthy after {within_s:.0f} s: {why}")
        time.sleep(POLL_S)


def _answer(port: int, version: str) -> str:
    """Empty where all is well; else why not."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
            told = json.load(answer)
    except (OSError, ValueError) as error:
        return f"the screen does not answer on port {port}: {error}"
    if told.get("version") != version:
        return f"version {told.get('version')} answers, {version} was asked for"
    return "" if told.get("ok") else "it says that it is not well"
