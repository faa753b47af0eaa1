"""A camera's process cannot reach the key, the record or a device, whatever a stream makes it do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from edge import confine, syscalls
from edge.vision.worker import reach_of
from tests.site.attacks import camera

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


def test_a_taken_over_camera_process_decodes_and_speaks_to_its_gate_and_nothing_else() -> None:
    """Every row of `python -m tests.site.attacks.camera`, from inside."""
    seen = camera.attack()
    if seen.get("held") is False:
        pytest.skip("this kernel has no Landlock")
    assert camera.wrong(seen) == {}
    assert len(seen) > 30


@pytest.mark.parametrize(
    ("url", "transport", "reach"),
    [
        ("rtsp://192.0.2.7/live", "tcp", ((554,), False)),
        ("rtsp://u:p@192.0.2.7:8554/live", "tcp", ((8554,), False)),
        ("rtsps://192.0.2.7/live", "tcp", ((322,), False)),
        ("rtsp://192.0.2.7/live", "udp", ((554,), True)),
        ("rtsp://camera.example/live", "tcp", ((554, 53), True)),
        ("/clip.mp4", "tcp", ((), False)),
    ],
)
def test_a_camera_process_reaches_its_cameras_port_and_no_other(
    url: str, transport: str, reach: tuple[tuple[int, ...], bool]
) -> None:
    class Asked:
        pass

    asked = Asked()
    asked.url, asked.transport = url, transport  # type: ignore[attr-defined]
    found = reach_of(asked)  # type: ignore[arg-type]
    assert (found.ports, found.datagrams) == reach


@pytest.mark.parametrize("abi", [1, 3])
def test_an_older_kernel_is_told_of(
    abi: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Old:
        def syscall(self, *_: object) -> int:
            return abi if _[0] == 444 and _[3] == 1 else -1

    monkeypatch.setattr("ctypes.CDLL", lambda *_, **__: Old())
    assert confine.confine([]) is False
    assert "to which ports it may connect" in caplog.text
    assert "whom it may signal" in caplog.text


def test_the_filter_is_whole_on_both_machines() -> None:
    for column, arch in enumerate(syscalls.ARCHES.values()):
        code = syscalls.program(arch, column, 7, datagrams=False)
        assert len(code) % 8 == 0
        assert len(code) // 8 < 4096
