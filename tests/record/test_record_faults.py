"""The fault runner's short form, and that its oracle and its shim see what they are there for."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness.broker_process import MOSQUITTO
from tests.harness.faults import run as faults
from tests.harness.faults.shim import Change, Shim, lost
from tests.uplink.brokers import until

needs_compiler = pytest.mark.skipif(not (shutil.which("gcc") or shutil.which("cc")), reason="no C compiler")
pytestmark = pytest.mark.broker


@needs_compiler
@pytest.mark.timeout(600)
def test_whatever_dies_nothing_is_lost_or_twice_or_out_of_order() -> None:
    total = faults.run(faults.SHORT, 7, lambda line: None)
    assert {name: total[name] for name in faults.COUNTS[1:]} == dict.fromkeys(faults.COUNTS[1:], 0)
    assert total["events"] > 50
    assert total["failed_writes"] > 20, "a passage has that many writes"
    assert total["shim_catches_no_fsync"] == 1


class Nothing(random.Random):
    """Draws the worst: of what was not fsynced nothing stays."""

    def randint(self, a: int, b: int) -> int:
        return a


def test_a_power_failure_takes_what_was_not_fsynced_and_nothing_else() -> None:
    def change(op: str, path: str) -> Change:
        return Change(op, path, 0, 0, b"")

    safe = [change("C", "/g/a"), change("W", "/g/a"), change("S", "/g/a"), change("D", "/g")]
    gone = [change("C", "/g/b"), change("W", "/g/a"), change("W", "/g/b")]
    assert lost([*safe, *gone], Nothing()) == gone
    assert lost([*gone, change("S", "/g/b")], Nothing()) == gone[:2], "its name was not safe, nor the other file"


@needs_compiler
def test_a_log_that_the_kill_tore_ends_at_its_last_whole_record(tmp_path: Path) -> None:
    """The kernel may have written a part of the record's one writev when the SIGKILL came: any part."""
    root = tmp_path / "gate"
    root.mkdir()
    shim = Shim(tmp_path, root)
    write = "import os; f = os.open('{0}/a', os.O_CREAT | os.O_RDWR); os.write(f, b'old' * 9); os.pwrite(f, b'new', 3)"
    subprocess.run([sys.executable, "-c", write.format(root)], env=shim.environment, check=True)
    log, whole = tmp_path / "shim.log", (tmp_path / "shim.log").read_bytes()
    everything = list(shim._changes())
    assert [change.op for change in everything] == ["C", "W", "W"]
    for length in range(len(whole)):
        log.write_bytes(whole[:length])
        seen = list(shim._changes())
        assert seen == everything[: len(seen)]
        assert len(seen) < 3, "the last one is torn"
    log.write_bytes(whole)
    shim.power_failure(Nothing())
    assert not (root / "a").exists()


def test_a_broker_ends_with_the_bench_that_is_killed(tmp_path: Path) -> None:
    if MOSQUITTO is None:
        pytest.skip("mosquitto is not installed")
    program = "import sys, time; from pathlib import Path; from tests.harness.broker_process import Mosquitto\n"
    program += "m = Mosquitto(Path(sys.argv[1])); m.start(); print(m.pid, flush=True); time.sleep(600)"
    bench = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE)
    assert bench.stdout is not None
    pid = int(bench.stdout.readline())
    bench.send_signal(signal.SIGKILL)
    bench.wait()
    until(lambda: gone(pid), "the broker ends too", 30.0)


def gone(pid: int) -> bool:
    """Ended, or only its parent's line about it is left."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] == "Z"
    except (ProcessLookupError, FileNotFoundError):
        return True
