"""`scripts/cameras`: hostile cameras, again and again. Each fault must be seen within 3 s and recovered from, and the
process that looks at them must not grow.

The parts are the real ones: `CameraSource` on RTSP. Last line on stdout: one JSON object.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from edge.vision.capture import CameraSource
from tests.harness.camera.hostile import SIZES, HostileCamera, Mood

SEEN_WITHIN_S = 3.0
BACK_WITHIN_S = 30.0
STEADY_S = 1.0
STEP_MOST_S = 0.25
FAULTS: tuple[Mood, ...] = (
    "hang", "freeze", "flood", "resize", "garbage", "noise", "close", "mute", "slow", "huge", "lossy", "clock",
    "covered", "white", "still",
)  # fmt: skip
AT_ONCE = 6
STEADY: frozenset[Mood] = frozenset({"lossy", "clock", "still"})
"""What a camera does on the wire and nobody need notice: pictures go on."""
AT_GREETING: frozenset[Mood] = frozenset({"slow", "mute"})
"""Shown to a caller that comes anew."""


@dataclass(slots=True)
class Report:
    """Times in seconds, by fault. `missed`: what was not seen or not recovered from in time."""

    seen_s: dict[Mood, list[float]] = field(default_factory=dict)
    back_s: dict[Mood, list[float]] = field(default_factory=dict)
    whys: Counter[str] = field(default_factory=Counter)
    missed: list[str] = field(default_factory=list)
    rss_mb: list[float] = field(default_factory=list)
    took_s: float = 0.0

    @property
    def faults(self) -> int:
        return sum(len(times) for times in self.back_s.values()) + len(self.missed)

    def line(self) -> dict[str, object]:
        seen = [one for times in self.seen_s.values() for one in times]
        back = [one for times in self.back_s.values() for one in times]
        return {
            "faults": self.faults,
            "missed": len(self.missed),
            "seen_s_max": round(max(seen, default=0.0), 2),
            "recovered_s_max": round(max(back, default=0.0), 2),
            "rss_mb_early": self.rss_mb[len(self.rss_mb) // 5] if self.rss_mb else None,
            "rss_mb_last": self.rss_mb[-1] if self.rss_mb else None,
            "rss_mb_fifths": [self.rss_mb[(len(self.rss_mb) - 1) * k // 5] for k in range(1, 6)] if self.rss_mb else [],
            "took_s": round(self.took_s, 1),
            "by_fault": {mood: len(times) for mood, times in sorted(self.back_s.items())},
        }


class Trial:
    """One camera and the source that looks at it."""

    def __init__(self, server: HostileCamera, name: str, report: Report) -> None:
        self._server, self._name, self.report = server, name, report
        self.source = CameraSource(server.url(name))

    def until(self, condition: Callable[[], bool], within_s: float) -> float | None:
        """How long it took; None where it did not come in time. A moment in which this process itself stood still
        counts for little."""
        waited_s, before_s = 0.0, time.monotonic()
        while not condition():
            if waited_s > within_s:
                return None
            time.sleep(0.03)
            now_s = time.monotonic()
            waited_s, before_s = waited_s + min(now_s - before_s, STEP_MOST_S), now_s
        return waited_s

    def good(self) -> bool:
        return self.source.health().state == "up"

    def fault(self, mood: Mood) -> None:
        """From a good camera into the fault and back. What goes wrong is noted, not raised."""
        if mood in AT_GREETING:
            self._server.moods[self._name] = "close"
            self.until(lambda: not self.good(), SEEN_WITHIN_S)
        self._server.moods[self._name] = mood
        if mood in STEADY:
            lost = self.until(lambda: not self.good(), STEADY_S)
            seen = None if lost is not None else 0.0
        else:
            seen = self.until(lambda: self._shows(mood), SEEN_WITHIN_S)
        self.report.whys[f"{mood}: {self.source.health().state}: {self.source.health().why or 'no new picture'}"] += 1
        frames = self.source.health().frames_in
        self._server.moods[self._name] = "good"
        back = self.until(lambda: self.good() and self.source.health().frames_in > frames + 2, BACK_WITHIN_S)
        if seen is None or back is None:
            self.report.missed.append(f"{mood} at {self._name}: seen after {seen} s, back after {back} s")
            return
        self.report.seen_s.setdefault(mood, []).append(seen)
        self.report.back_s.setdefault(mood, []).append(back)

    def _shows(self, mood: Mood) -> bool:
        if mood != "resize":
            return not self.good()
        frame = self.source.take(0.05)
        return frame is not None and frame.luma.shape[1] == SIZES["other"][0]


def run(faults: int, moods: Sequence[Mood] = FAULTS, at_once: int = AT_ONCE) -> Report:
    """So many faults over some cameras at a time: each takes the next fault as soon as it is good again."""
    server, report, began_s = HostileCamera(), Report(), time.monotonic()
    trials = [Trial(server, f"camera-{i}", report) for i in range(min(at_once, faults))]
    todo = deque(moods[k % len(moods)] for k in range(faults))
    threads = [threading.Thread(target=_each, args=(trial, todo)) for trial in trials]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        report.rss_mb.append(rss_mb())
        time.sleep(0.5)
    report.rss_mb.append(rss_mb())
    report.took_s = time.monotonic() - began_s
    for trial in trials:
        trial.source.close()
    server.close()
    return report


def _each(trial: Trial, todo: deque[Mood]) -> None:
    if trial.until(trial.good, BACK_WITHIN_S) is None:
        trial.report.missed.append("the camera never came up")
        return
    while True:
        try:
            mood = todo.popleft()
        except IndexError:
            return
        trial.fault(mood)


def rss_mb() -> float:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return round(int(line.split()[1]) / 1000, 1)
    return 0.0


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="scripts/cameras", description="Hostile cameras, again and again.")
    parser.add_argument("--count", type=int, default=1000, metavar="N", help="faults (default 1000)")
    report = run(parser.parse_args(arguments).count)
    for text in report.missed:
        print(f"cameras: {text}", file=sys.stderr)
    for why, times in sorted(report.whys.items()):
        print(f"cameras: {times:4} x {why}", file=sys.stderr)
    print(json.dumps(report.line()))
    return 1 if report.missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
