"""A camera's process cannot reach the key, the record or a device, whatever a stream makes it do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

TRY = """
import sys
from pathlib import Path
from edge.confine import confine
if not confine():
    print("no landlock"); sys.exit()
def tries(what):
    try:
        what()
    except PermissionError:
        return "refused"
    return "done"
folder = Path(sys.argv[1])
print(tries(lambda: (folder / "gate.pem").read_bytes()), tries(lambda: (folder / "new").write_text("x")),
      tries(lambda: (folder / "gate.pem").unlink()), tries(lambda: open("/dev/ptmx", "rb+", buffering=0)),
      tries(lambda: Path("/usr/lib/os-release").read_text()), tries(lambda: Path("/dev/null").write_text("x")))
"""


def test_a_confined_process_reads_programs_and_nothing_of_the_gate(tmp_path: Path) -> None:
    (tmp_path / "gate.pem").write_text("secret")
    ran = subprocess.run(
        [sys.executable, "-c", TRY, str(tmp_path)], capture_output=True, text=True, timeout=60, check=True
    )
    if "no landlock" in ran.stdout:
        pytest.skip("this kernel has no Landlock")
    assert ran.stdout.split() == ["refused", "refused", "refused", "refused", "done", "done"], ran.stderr


def test_the_camera_process_confines_itself_before_it_reads_the_camera() -> None:
    text = Path("edge/vision/worker.py").read_text(encoding="utf-8")
    assert text.index("        confine(") < text.index("        _work(sock, settings")
