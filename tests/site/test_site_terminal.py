"""What a person at a terminal does to a command: Ctrl-C, `| head`, a terminal without the letters."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from edge.technician.free_port import free_port

ROOT = Path(__file__).parents[2]
EXPLAIN = ["explain", "--declaration", str(ROOT / "tests/data/declaration.json"), "--place", "b1"]
EXPLAIN += ["--direction", "out_of_area"]
WITHIN_S = 90.0


def barie(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "edge", *arguments]


@pytest.mark.parametrize("after", ["demo: starting the camera", "demo: starting the agent", "demo: ready"])
def test_ctrl_c_ends_the_demo_without_a_traceback(after: str, tmp_path: Path) -> None:
    told = tmp_path / "told"
    with told.open("wb") as output:
        demo = subprocess.Popen(
            barie("demo", "--port", str(free_port())), cwd=ROOT, stdout=output, stderr=output, start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
        )  # fmt: skip
    end_s = time.monotonic() + WITHIN_S
    while after not in told.read_text() and time.monotonic() < end_s and demo.poll() is None:
        time.sleep(0.05)
    assert after in told.read_text()
    os.killpg(demo.pid, signal.SIGINT)  # as a terminal does: to every process of it
    assert demo.wait(WITHIN_S) == (0 if after == "demo: ready" else 130)
    text = told.read_text()
    assert "Traceback" not in text, text
    assert "never retrieved" not in text, text


def test_a_reader_that_goes_away_is_no_fault() -> None:
    reads, writes = os.pipe()
    os.close(reads)
    command = subprocess.run(barie(*EXPLAIN), cwd=ROOT, stdout=writes, stderr=subprocess.PIPE, check=False, timeout=60)
    os.close(writes)
    assert command.returncode == 128 + signal.SIGPIPE
    assert command.stderr == b""


def test_a_terminal_without_the_letters_gets_them_as_escapes() -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    command = subprocess.run(barie(*EXPLAIN), cwd=ROOT, env=environment, capture_output=True, check=True, timeout=60)
    plain = subprocess.run(barie(*EXPLAIN), cwd=ROOT, capture_output=True, check=True, timeout=60)
    assert json.loads(command.stdout.decode("latin-1")) == json.loads(plain.stdout)
    assert any(ord(letter) > 255 for letter in plain.stdout.decode())


def test_what_nobody_expected_ends_in_one_line_below_its_traceback() -> None:
    code = "import edge.cli as cli; cli._run_demo = lambda args: 1 / 0; cli.main(['demo'])"
    command = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert command.returncode == 1
    last = command.stderr.strip().splitlines()[-1]
    assert last.startswith("barie: a fault of this program (ZeroDivisionError")
