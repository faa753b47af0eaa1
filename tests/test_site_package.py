"""The short form of `packaging/check`: units, scripts and trimming of the package, without building it."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent
PACKAGING = ROOT / "packaging"
TREE = PACKAGING / "root"
UNITS = [*sorted((TREE / "usr/lib/systemd/system").glob("*.service")), *sorted(ROOT.glob("config/kiosk/*.service"))]
ANALYZE = shutil.which("systemd-analyze")
MOST_EXPOSED = 3.0


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
    assert float(exposure[1]) < MOST_EXPOSED, told


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
    assert (
        root.opt / "kept/lib/python3.11/site-packages/barie.pth"
    ).read_text() == f"{root.opt}/kept/app\n{root.opt}-extras\n"


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


def trimmer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("trim", PACKAGING / "trim.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def site_of(folder: Path, abi: str = "62") -> Path:
    ours, theirs, pillow = (folder / name for name in ("opencv_python_headless.libs", "av.libs", "pillow.libs"))
    for place in (ours, theirs, pillow):
        place.mkdir()
    for name in ("avcodec", "avformat", "avutil", "swresample", "swscale"):
        (ours / f"lib{name}-aaaa.so.62.1").write_text("theirs")
        (theirs / f"lib{name}-bbbb.so.{abi}.2").write_text("shared")
    for name, version in (("avif", "16.4"), ("png16", "16.58")):
        (ours / f"lib{name}-aaaa.so.{version}").write_text("theirs")
        (pillow / f"lib{name}-bbbb.so.{version}").write_text("shared")
    (theirs / "libdrm-cccc.so.2").write_text("needed by the shared ones")
    (ours / "libdrm-cccc.so.2").write_text("the same")
    return folder


def test_opencv_uses_the_ffmpeg_that_pyav_brings(tmp_path: Path) -> None:
    site = site_of(tmp_path)
    trimmer().share_ffmpeg(site)
    ours = site / "opencv_python_headless.libs"
    assert (ours / "libavcodec-aaaa.so.62.1").resolve().name == "libavcodec-bbbb.so.62.2"
    assert (ours / "libdrm-cccc.so.2").read_text() == "needed by the shared ones"
    assert (ours / "libavif-aaaa.so.16.4").read_text() == "shared"


def test_an_ffmpeg_of_another_abi_is_never_shared(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="differ in ABI"):
        trimmer().share_ffmpeg(site_of(tmp_path, abi="63"))
