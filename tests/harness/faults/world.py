"""What the fault runner works with: a broker, a centre, a gate that is killed again and again, and the guard who knows
what was acknowledged to him."""

from __future__ import annotations

import json
import math
import os
import queue
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import IO

from edge.core.record.events import Anchor, ChainFault, verify_chain
from edge.errors import BarieError
from edge.store.keys import public_check
from tests.harness.broker_process import BrokerProcess, end_with_parent
from tests.harness.faults.victim import LANE, SITE

SLICE_S = 0.5
ANSWER_S = 90.0
"""Its first answer waits for all imports, on a machine that may be busy."""


class Victim:
    """The gate process; whatever it said before it died is heard."""

    def __init__(self, folder: Path, port: int, environment: Mapping[str, str] | None = None) -> None:
        command = [sys.executable, "-m", "tests.harness.faults.victim", str(folder), str(port)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
        self._lines: queue.SimpleQueue[list[str]] = queue.SimpleQueue()
        self.pid = 0
        assert self._process.stdout is not None
        threading.Thread(target=self._listen, args=(self._process.stdout,), daemon=True).start()

    def _listen(self, stdout: IO[bytes]) -> None:
        for line in stdout:
            self._lines.put(line.decode().split())

    def send(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())
        self._process.stdin.flush()

    def hear(self, timeout_s: float) -> list[str] | None:
        """The next line, or None. A run that is paused for a while loses one slice of its time, not all of it."""
        for _ in range(max(1, math.ceil(timeout_s / SLICE_S))):
            with suppress(queue.Empty):
                return self._lines.get(timeout=max(0.0, min(SLICE_S, timeout_s)))
        return None

    def start(self) -> None:
        self.send("start")
        while (words := self.hear(ANSWER_S)) is not None:
            if words[0] == "pid":
                self.pid = int(words[1])
                return
        raise BarieError("the gate process does not start")

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


class Guard:
    """The oracle: presses, and knows what was answered. A press that got no answer is made again, with its key."""

    def __init__(self, victim: Victim) -> None:
        self.victim = victim
        self.acknowledged: dict[str, int] = {}
        self.opened: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self._number, self._open_key = 0, ""

    def next_key(self) -> str:
        if not self._open_key:
            self._number += 1
            self._open_key = f"press-{self._number}"
        return self._open_key

    def press(self, timeout_s: float = ANSWER_S) -> str:
        """ "done", "failed" or "" where no answer came in time; the key stays the same until it is done."""
        key, until_s = self.next_key(), time.monotonic() + timeout_s
        self.victim.send(f"press {key}")
        while (words := self.victim.hear(until_s - time.monotonic())) is not None:
            self.note(words)
            if words[0] in ("done", "failed") and words[1] == key:
                return words[0]
        return ""

    def note(self, words: list[str]) -> None:
        if words[0] == "open":
            self.opened[words[1]] += 1
        elif words[0] == "done":
            self.acknowledged.setdefault(words[1], int(words[2]))
            if self.acknowledged[words[1]] != int(words[2]):
                self.failed["another answer to the same press"] += 1
            if words[1] == self._open_key:
                self._open_key = ""
        elif words[0] == "failed":
            self.failed[words[1]] += 1
        elif words[0] == "not_ready":
            self.failed["not_ready"] += 1

    def ended(self) -> None:
        """Wait until the killed gate is gone and all that it said is heard."""
        while (words := self.victim.hear(ANSWER_S)) is not None:
            self.note(words)
            if words[0] == "ended":
                return
        raise BarieError("the gate process does not end")

    def ask(self, question: str) -> int:
        """The number behind the answer's own word."""
        self.victim.send(question)
        word = question.split(" ")[0]
        while (words := self.victim.hear(ANSWER_S)) is not None:
            self.note(words)
            if words[0] == word:
                return int(words[1])
            if words[0] == "well":
                return 0
        raise BarieError(f"the gate process does not answer {question!r}")

    def begin(self) -> None:
        """A gate that is ready."""
        self.victim.start()
        while (words := self.victim.hear(ANSWER_S)) is not None:
            self.note(words)
            if words[0] == "ready":
                return
            if words[0] == "ended":
                break
        raise BarieError("the gate process does not open its record")


class CentreProcess:
    """`barie central`."""

    def __init__(self, port: int, db: Path) -> None:
        self._port, self.db = port, db
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "edge", "central", "--broker", f"127.0.0.1:{self._port}"]
        command += ["--site", SITE, "--db", str(self.db)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, preexec_fn=end_with_parent)  # noqa: PLW1509

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()


class World:
    """Everything in one folder; `close` ends it."""

    def __init__(self, folder: Path, broker: BrokerProcess, environment: Mapping[str, str] | None = None) -> None:
        self.gate = folder / "gate"
        self.broker = broker
        broker.start()
        self.centre = CentreProcess(broker.port, folder / "central.db")
        self.centre.start()
        self.guard = Guard(Victim(self.gate, broker.port, environment))

    def close(self) -> None:
        self.guard.victim.close()
        self.centre.kill()
        self.broker.stop()

    def settle(self, looks: int = 1_200) -> None:
        """Let a living gate hand everything over. Raises BarieError where nothing moves any more; counted in looks of a
        tenth of a second, because a run that is paused for a while has not failed."""
        left, before = looks, 0
        while waiting := self.guard.ask("waiting"):
            left = looks if waiting != before else left - 1
            before = waiting
            if left == 0:
                raise BarieError(f"the centre does not get everything: {waiting} wait, it has {self._stored()}")
            time.sleep(0.1)

    def _stored(self) -> tuple[int, int]:
        """(how many events the centre has, the last number)"""
        with closing(sqlite3.connect(self.centre.db)) as connection:
            row = connection.execute("SELECT count(*), max(seq) FROM event WHERE lane = ?", (LANE,)).fetchone()
        return int(row[0]), int(row[1] or 0)

    def count(self) -> dict[str, int]:
        """What the outside sees, compared with what the guard was told. The gate must be alive and settled."""
        with closing(sqlite3.connect(self.centre.db)) as connection:
            rows = connection.execute("SELECT payload FROM event WHERE lane = ? ORDER BY seq", (LANE,)).fetchall()
        payloads = [row[0] for row in rows]
        events = [json.loads(payload) for payload in payloads]
        keys = Counter(event["body"].get("key") for event in events if event["kind"] == "override")
        at = {event["body"].get("key"): event["seq"] for event in events}
        told = self.guard.acknowledged
        seqs = {event["seq"] for event in events}
        end = verify_chain(payloads, site=SITE, lane=LANE, anchor=Anchor(), check=public_check(self.gate / "keys"))
        return {
            "events": len(events),
            "lost": sum(at.get(key) != seq for key, seq in told.items()),
            "duplicates": sum(number - 1 for number in keys.values()),
            "gaps": max(seqs, default=0) - len(seqs),
            "chain_broken": int(isinstance(end, ChainFault)) + self.guard.ask("verify"),
            "repeated_openings": sum(number - 1 for number in self.guard.opened.values()),
        }
