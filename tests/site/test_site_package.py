"""The short form of `packaging/check`: units, scripts and trimming of the package, without building it."""

from __future__ import annotations

import argparse
import gzip
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import argparse_manpage
import pytest
import yaml  # type: ignore[import-untyped]

from edge.agent.watch import metrics
from edge.cli import parser

ROOT = Path(__file__).parents[2]
PACKAGING = ROOT / "packaging"
TREE = PACKAGING / "root"
UNITS = [*sorted((TREE / "usr/lib/systemd/system").glob("*.service")), *sorted(ROOT.glob("config/kiosk/*.service"))]
ANALYZE = shutil.which("systemd-analyze")
MOST_EXPOSED = {"barie.service": 2.0, "barie-camera@.service": 1.5}
"""The others 3.0. The gate: docs/security.md says what it keeps, and why."""


def run(*line: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **more}
    return subprocess.run(
        list(map(str, line)), capture_output=True, text=True, timeout=120, check=False, env=environment
    )


@pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_is_locked_down(unit: Path) -> None:
    told = run("systemd-analyze", "security", "--offline=true", unit).stdout
    exposure = re.search(r"Overall exposure level for .*: ([0-9.]+)", told)
    assert exposure is not None, told
    assert float(exposure[1]) < MOST_EXPOSED.get(unit.name, 3.0), told


def test_the_gate_may_do_what_it_must() -> None:
    text = (TREE / "usr/lib/systemd/system/barie.service").read_text()
    for line in ("Type=notify", "WatchdogSec=5", "Restart=always", "RestrictRealtime=no", "LimitRTPRIO=20", "Nice=-10"):
        assert f"\n{line}\n" in text
    # The camera's process locks itself in, and the clock's state is read, by calls that @system-service leaves out.
    assert re.search(r"^SystemCallFilter=.*adjtimex.*landlock_restrict_self$", text, re.M)
    assert text.index("SystemCallFilter=~@privileged") < text.index("SystemCallFilter=adjtimex")
    for device in ("char-ttyUSB", "char-ttyACM", "char-gpiochip"):
        assert f"DeviceAllow={device} rw" in text


@pytest.mark.parametrize(
    "script", ["build", "check", "debian/preinst", "debian/postinst", "debian/prerm", "debian/postrm"]
)
def test_a_script_of_the_package_is_shell(script: str) -> None:
    assert run("sh", "-n", PACKAGING / script).stderr == ""


# ---------------------------------------------------------------- upgrade and rollback, in a root of folders


class Root:
    """/opt/barie of a machine, and programs that only note that they were called."""

    def __init__(self, folder: Path) -> None:
        self.opt, self.bin = folder / "opt/barie", folder / "bin"
        self.bin.mkdir(parents=True)
        (folder / "etc").mkdir()
        for name in ("systemd-sysusers", "systemd-tmpfiles", "systemctl", "udevadm", "chown", "chmod"):
            (self.bin / name).write_text("#!/bin/sh\nexit 0\n")
            (self.bin / name).chmod(0o755)
        self.barie = self.bin / "barie"
        self.barie.write_text(f'#!/bin/sh\nexec "{self.opt}/current/bin/python3" "$@"\n')
        self.barie.chmod(0o755)
        self.folder = folder

    def lay(self, version: str, *, healthy: bool) -> None:
        """As dpkg unpacks it: files replaced by renaming."""
        python = self.opt / version / "bin/python3"
        python.parent.mkdir(parents=True, exist_ok=True)
        fresh = python.with_suffix(".new")
        fresh.write_text(f'#!/bin/sh\n[ "$1" != --version ] || exec echo barie {version}\nexit {0 if healthy else 1}\n')
        fresh.chmod(0o755)
        fresh.replace(python)
        (self.opt / version / "lib/python3.11/site-packages").mkdir(parents=True, exist_ok=True)
        (self.opt / version / "lib/python3.11/site-packages/barie.pth").write_text(f"/opt/barie/{version}/app\n")

    def script(self, name: str, version: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        text = (PACKAGING / "debian" / name).read_text().replace("@VERSION@", version)
        text = text.replace("/opt/barie", str(self.opt)).replace("/etc/barie", str(self.folder / "etc"))
        text = text.replace("/var/lib/barie", str(self.folder / "record")).replace("/usr/bin/barie", str(self.barie))
        path = self.folder / f"{name}-{version}"
        path.write_text(text.replace("/run/systemd/system", str(self.folder / "no-systemd")))
        return run("sh", path, *arguments, PATH=f"{self.bin}:{os.environ['PATH']}")

    def upgrade(self, old: str, new: str, *, healthy: bool) -> subprocess.CompletedProcess[str]:
        assert self.script("preinst", new, "upgrade", old).returncode == 0
        self.lay(new, healthy=healthy)
        if old != new:
            shutil.rmtree(self.opt / old)
        return self.script("postinst", new, "configure", old)

    def current(self) -> str:
        return (self.opt / "current").readlink().name


@pytest.fixture
def root(tmp_path: Path) -> Root:
    made = Root(tmp_path)
    made.lay("1.0", healthy=True)
    assert made.script("postinst", "1.0", "configure", "").returncode == 0
    assert made.current() == "1.0"
    return made


def test_a_healthy_upgrade_is_used_and_the_version_before_is_kept(root: Root) -> None:
    assert root.upgrade("1.0", "2.0", healthy=True).returncode == 0
    assert root.current() == "2.0"
    assert (root.opt / "kept/bin/python3").exists()
    paths = (root.opt / "kept/lib/python3.11/site-packages/barie.pth").read_text()
    assert paths == f"{root.opt}/kept/app\n{root.opt}-extras\n"


@pytest.mark.parametrize("new", ["2.0", "1.0"])
def test_a_version_that_does_not_come_up_gives_way_to_the_one_before(root: Root, new: str) -> None:
    upgraded = root.upgrade("1.0", new, healthy=False)
    assert upgraded.returncode == 1
    assert "did not come up healthy" in upgraded.stderr
    assert root.current() == "kept"
    assert run(root.opt / "current/bin/python3").returncode == 0
    root.lay(new, healthy=True)
    assert root.script("postinst", new, "configure", "1.0").returncode == 0
    assert root.current() == new


def test_two_upgrades_that_fail_one_after_the_other_leave_the_version_that_works(root: Root) -> None:
    assert root.upgrade("1.0", "2.0", healthy=False).returncode == 1
    again = root.upgrade("2.0", "3.0", healthy=False)
    assert again.returncode == 1
    assert root.current() == "kept"
    assert run(root.opt / "current/bin/python3").returncode == 0
    assert "barie 1.0 runs again" in again.stderr
    assert root.upgrade("3.0", "4.0", healthy=True).returncode == 0
    assert root.current() == "4.0"


def test_an_upgrade_that_is_broken_off_leaves_the_version_that_works(root: Root) -> None:
    root.upgrade("1.0", "2.0", healthy=False)
    assert root.script("preinst", "3.0", "upgrade", "2.0").returncode == 0
    assert root.script("postrm", "3.0", "abort-upgrade", "2.0").returncode == 0
    assert run(root.opt / "current/bin/python3", "--version").stdout == "barie 1.0\n"


def test_what_runs_after_a_rollback_is_asked(root: Root) -> None:
    (root.opt / "1.0/bin/python3").write_text("#!/bin/sh\necho barie 1.0\nexit 1\n")  # what ran is broken by now, too
    told = root.upgrade("1.0", "2.0", healthy=False)
    assert told.returncode == 1
    assert "does not come up either" in told.stderr
    assert "runs again" not in told.stderr


def test_what_two_versions_have_in_common_lies_on_the_disk_once(tmp_path: Path) -> None:
    kept, new = tmp_path / "kept", tmp_path / "2.0"
    for folder, changed in ((kept, "old"), (new, "new")):
        (folder / "lib").mkdir(parents=True)
        (folder / "lib/same.so").write_text("x" * 100_000)
        (folder / "lib/changed.py").write_text(changed)
    open_file = (kept / "lib/same.so").open()
    assert run("python3", PACKAGING / "share.py", kept, new).returncode == 0
    assert (kept / "lib/same.so").samefile(new / "lib/same.so")
    assert (kept / "lib/changed.py").read_text() == "old"
    assert open_file.read(1) == "x"
    open_file.close()
    assert not list(kept.rglob("*.shared"))


def test_purging_leaves_the_record(root: Root) -> None:
    record = root.folder / "record"
    record.mkdir()
    (record / "barie.db").write_text("evidence")
    for how in ("remove", "purge"):
        assert root.script("postrm", "1.0", how).returncode == 0
    assert (record / "barie.db").exists()
    assert not (root.opt / "current").exists()
    assert not (root.folder / "etc").exists()


# ---------------------------------------------------------------- trimming


def program(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, PACKAGING / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


needs_binutils = pytest.mark.skipif(not all(map(shutil.which, ("as", "ld", "nm"))), reason="binutils are not installed")


@needs_binutils
def test_opencv_makes_pictures_without_the_ffmpeg_that_it_brings(tmp_path: Path) -> None:
    """On OpenCV's own libraries, in a process of its own: nothing is said of missing names or versions."""
    import cv2

    home, site = Path(cv2.__file__).parent.parent, tmp_path / "site"
    for name in ("cv2", "opencv_python_headless.libs", "pillow.libs"):
        shutil.copytree(home / name, site / name)
    trim = program("trim")
    before = trim.size_bytes(site)
    trim.second_ffmpeg(site)
    assert before - trim.size_bytes(site) > 30_000_000
    picture = ROOT / "sample_videos/b1-out-vn-two-line.jpg"
    code = f"import cv2; print(cv2.__file__, cv2.resize(cv2.imread({str(picture)!r}), (64, 32)).shape)"
    ran = run(sys.executable, "-c", code, PYTHONPATH=str(site))
    assert ran.stdout.split(maxsplit=1) == [str(site / "cv2/__init__.py"), "(32, 64, 3)\n"], ran.stderr
    assert ran.stderr == ""


def test_a_library_of_another_abi_is_never_shared(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "libavif-a.so.16.4", tmp_path / "libavif-b.so.17.0"
    for path in (ours, theirs):
        path.touch()
    with pytest.raises(SystemExit, match="differ in ABI"):
        program("trim")._link(ours, theirs)


def test_the_product_asks_for_none_of_what_is_only_a_name_in_the_package() -> None:
    text = "\n".join(path.read_text() for part in ("edge", "firmware_io") for path in (ROOT / part).rglob("*.py"))
    assert not re.findall(r"libx265|libsvtav1|\bav1\b|VideoCapture|VideoWriter", text)


# ---------------------------------------------------------------- what stands in for encoders that nobody opens


@needs_binutils
def test_an_encoder_that_is_only_a_name_lets_libavcodec_load_and_refuses(tmp_path: Path) -> None:
    """On PyAV's own libraries, in a process of its own: a decoder works, an encoder says that it cannot."""
    import av

    site = tmp_path / "site"
    shutil.copytree(Path(av.__file__).parent, site / "av")
    shutil.copytree(Path(av.__file__).parent.parent / "av.libs", site / "av.libs")
    trim = program("trim")
    before = trim.size_bytes(site)
    trim.encoders(site)
    assert before - trim.size_bytes(site) > 20_000_000
    (tmp_path / "try.py").write_text(
        TRY.format(site=str(site), clip=str(ROOT / "sample_videos/b1-out-vn-two-line.mp4"))
    )
    ran = run(sys.executable, tmp_path / "try.py", PYTHONPATH=str(site))
    assert ran.stdout.split() == ["1280", "refused"], ran.stderr


TRY = """
import av
assert av.__file__.startswith({site!r})
with av.open({clip!r}) as clip:
    print(next(clip.decode(video=0)).width)
encoder = av.CodecContext.create("libsvtav1", "w")
encoder.width = encoder.height = 64
encoder.pix_fmt, encoder.framerate = "yuv420p", 25
try:
    encoder.open()
except av.FFmpegError:
    print("refused")
"""


# ---------------------------------------------------------------- what goes with the program


def test_manual_page_and_completion_know_every_command(tmp_path: Path) -> None:
    ran = run(sys.executable, PACKAGING / "papers.py", "shell", tmp_path, PYTHONPATH=str(ROOT))
    assert ran.returncode == 0, ran.stderr
    page = gzip.decompress((tmp_path / "man/man1/barie.1.gz").read_bytes()).decode().replace("\\", "")
    completions = [tmp_path / place for place in program("papers").COMPLETION.values()]
    assert run("bash", "-n", completions[0]).stderr == ""
    top = next(a for a in parser()._actions if isinstance(a, argparse._SubParsersAction))
    for name in top.choices:
        for text in (page, *(path.read_text() for path in completions)):
            assert re.search(rf"\b{name}\b", text), name
    assert "EXIT STATUS" in page
    assert "141" in page


def test_the_bill_of_materials_has_a_licence_for_every_part(tmp_path: Path) -> None:
    """By cyclonedx-bom, of what is installed here; the package's is made of the folder that goes into it."""
    site, out = Path(argparse_manpage.__file__).parent.parent, tmp_path / "bill.json"
    assert program("papers").bill(site, out) > 40
    told = json.loads(out.read_text())
    assert (told["bomFormat"], told["specVersion"]) == ("CycloneDX", "1.6")
    parts = {part["name"]: part for part in told["components"]}
    assert all(part["licenses"] for part in parts.values())
    assert parts["protobuf"]["licenses"][0]["license"]["name"] == "3-Clause BSD License"


def test_the_demo_adds_only_the_camera_and_the_broker() -> None:
    added = program("added")
    less, more = (added.entries(ROOT / name) for name in ("requirements.lock", "requirements-demo.lock"))
    assert set(more) - set(less) - added.TOOLS == {"aio-rtsp-toolkit", "aio-sockets", "iotcore"}
    assert "gpiod" in less
    assert not {"rapidocr", "shapely", "pyclipper", "opencv-python", "torch"} & set(less)


def test_every_alert_is_about_a_figure_that_there_is() -> None:
    """Its figures and their labels' values exist; `promtool check rules` was run on the file itself."""
    rules = [
        r for group in yaml.safe_load((ROOT / "docs/alerts.rules.yml").read_text())["groups"] for r in group["rules"]
    ]
    source = Path(str(metrics.__file__)).read_text()
    known = set(re.findall(r"barie_[a-z0-9_]+", source))
    assert len(rules) > 10
    for rule in rules:
        assert {name.removesuffix("_total") for name in re.findall(r"barie_[a-z0-9_]+", rule["expr"])} <= known
        assert all(f'"{state}"' in source for state in re.findall(r'state="([a-z]+)"', rule["expr"]))
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert {"summary", "vi", "action"} <= rule["annotations"].keys()


def test_what_is_packed_has_no_part_of_the_harness() -> None:
    """`packaging/check` looks at the installed tree itself; here at what `packaging/build` copies."""
    build = (PACKAGING / "build").read_text(encoding="utf-8")
    packed = re.search(r"^for part in ([\w ]+); do$", build, re.M)
    assert packed is not None
    files = [path for part in packed[1].split() for path in (ROOT / part).rglob("*") if "__pycache__" not in path.parts]
    for word in ("fuzz", "fault", "soak", "bench", "hostile", "shim", "fleet"):
        assert [str(path) for path in files if path.is_file() and path.name.startswith(word)] == []
    assert [path.name for path in files if path.suffix == ".c" and path.parent.name != "board"] == []
    sources = [path for path in files if path.suffix == ".py"]
    assert [
        str(path) for path in sources if "import tests" in path.read_text() or "from tests" in path.read_text()
    ] == []
