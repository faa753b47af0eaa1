"""Nothing leaves but what the config names: the gate in a network where every name and every packet is written down.

`CI` and the switch itself are taken out of the environment: the library's telemetry is off where it sees the one, and
the program must set the other by itself.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.site.attacks import quiet

SECONDS = 75.0
"""At most. The library's first post comes some 10 s after a model is loaded;
`python -m tests.site.attacks.quiet --seconds 600 -- COMMAND` waits for ten minutes."""
PYTHON = sys.executable
CONTROL = "import sys, time, onnxruntime as ort; s = ort.InferenceSession(sys.argv[1]); time.sleep(22)"
QUIET = {
    "agent": ["-m", "edge", "demo", "--headless", "--seconds", "15"],
    "read": [
        "-c",
        "import sys, time; from pathlib import Path; from edge.technician.read import read_one;"
        "from edge.vision.models import build; read_one(Path(sys.argv[1]), *build('own')); time.sleep(18)",
        "sample_videos/yard-in-cn-yellow.jpg",
    ],
    "installer": ["-m", "edge", "health", "--trial"],
}


@pytest.mark.skipif(not quiet.can(), reason="this machine gives no process a network of its own")
def test_the_gate_calls_nobody_and_leaves_no_file_outside_its_folder(tmp_path: Path) -> None:
    control = ["-c", CONTROL, str(Path("models/plate-reader.onnx").resolve())]
    running = {}
    for name, words in {"control": control, **QUIET}.items():
        home = tmp_path / name
        home.mkdir()
        running[name] = quiet.watched([PYTHON, *words], SECONDS, home)
    told = {}
    for name, process in running.items():
        out, said = process.communicate(timeout=120)
        assert out, f"{name}: {said[-2000:]}"
        told[name] = json.loads(out.splitlines()[-1])
    # What the sink would show of a library that reports, in this very network.
    assert told["control"]["names"], "the control was not seen: this test proves nothing"
    assert told["control"]["calls"]
    for name in QUIET:
        assert told[name] == {"code": 0, "names": [], "calls": [], "files": []}, name


@pytest.mark.parametrize("package", ["edge", "edge.vision.weights", "edge.vision.worker", "models.tools"])
def test_telemetry_is_off_before_anything_is_imported(package: str) -> None:
    """Also where nobody set it: each package's first line does."""
    environment = {name: value for name, value in os.environ.items() if name not in quiet.QUIETENING}
    code = (
        "import sys, os\n"
        "class Guard:\n"
        "    def find_spec(self, name, *rest):\n"
        "        if name == 'onnxruntime': assert os.environ.get('ORT_DISABLE_TELEMETRY') == '1', 'too late'\n"
        f"sys.meta_path.insert(0, Guard())\nimport {package}\nassert os.environ['ORT_DISABLE_TELEMETRY'] == '1'\n"
    )
    subprocess.run([PYTHON, "-c", code], env=environment, check=True, timeout=60)


@pytest.mark.parametrize(
    "file",
    ["packaging/root/usr/bin/barie", "packaging/root/usr/lib/systemd/system/barie.service",
     "packaging/root/usr/lib/systemd/system/barie-backup.service", "packaging/debian/postinst", "packaging/loads.py",
     "scripts/env.sh"],
)  # fmt: skip
def test_every_way_in_says_it_too(file: str) -> None:
    assert "ORT_DISABLE_TELEMETRY" in Path(file).read_text(encoding="utf-8")
