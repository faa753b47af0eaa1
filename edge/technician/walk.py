"""`barie walk`: one walk through everything that a lane's board is wired to, and its signed record.

Step on each loop, break each beam, press each edge; then open, and break what is under the arm while it comes down. The
real barrier loop drives the boom meanwhile, with all its rules; nothing is tried past it. The agent has to be stopped.
`barie doctor` asks for a walk that passed with the wiring as it is now.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from edge import clock
from edge.config import Config, LaneConfig
from edge.errors import BarieError
from edge.files import write_whole
from edge.panel.messages import load_catalogue, say
from edge.technician import signed
from edge.technician.setup_words import say as words
from firmware_io.board import BoardSettings
from firmware_io.boards import open_board
from firmware_io.loop import BarrierLoop
from firmware_io.safety import BarrierSettings, Notice, Permit
from firmware_io.terms import InputName

Ask = Callable[[str], str]
Result = Literal["passed", "failed", "left out"]
WAIT_S = 60.0
BEAT_S = 0.2
PERMIT_S = 1.5
FOLDER = "walks"


@dataclass(frozen=True, slots=True)
class Step:
    what: str
    result: Result
    why: str = ""


class Walk:
    """One lane's walk. `ask` puts a line to the person and waits for Enter; "s" there leaves the step out."""

    def __init__(self, lane: LaneConfig, ask: Ask, language: str, wait_s: float = WAIT_S) -> None:
        self._lane, self._ask, self._language, self._wait_s = lane, ask, language, wait_s
        self._catalogue = load_catalogue()
        self._notices: list[Notice] = []
        settings = replace(lane.barrier, needs_vehicle=False)
        self._loop = BarrierLoop(lane.id, lambda: open_board(lane.board), settings, self._notices.append)
        self._ended = threading.Event()
        self._serial = 0

    def run(self) -> Iterator[Step]:
        """Each step as it is done. Raises BarieError where the board is not there."""
        beat = threading.Thread(target=self._beat, daemon=True)
        self._loop.start()
        beat.start()
        try:
            if not self._until(lambda: self._loop.snapshot().board_ok):
                raise BarieError(f"lane {self._lane.id}: {self._loop.snapshot().board}")
            for name in self._lane.barrier.inputs:
                if name not in ("limit_open", "limit_closed"):
                    yield self._sensor(name)
            yield from self._motion()
        finally:
            self._ended.set()
            self._loop.close()

    def _beat(self) -> None:
        while not self._ended.wait(BEAT_S):
            self._loop.beat()

    def _until(self, is_so: Callable[[], bool]) -> bool:
        ends_s = time.monotonic() + self._wait_s
        while not is_so():
            if time.monotonic() >= ends_s:
                return False
            time.sleep(0.01)
        return True

    def _says(self, name: InputName, value: bool) -> bool:
        return self._until(lambda: self._loop.snapshot().inputs.get(name) is value)

    def _put(self, what: str, **values: object) -> bool:
        """Put it to the person; False: left out."""
        return self._ask(words(self._language, what, **values)).strip().lower() != "s"

    def _sensor(self, name: InputName) -> Step:
        """It has to change, and to change back: what is stuck, unwired or swapped shows here."""
        rest = name == "mains_ok"
        named = say(self._catalogue, self._language, f"input.{name}")
        if not self._says(name, rest):
            is_unknown = self._loop.snapshot().inputs.get(name) is None
            why = "its two contacts say the same" if is_unknown else "is on with nothing there: wired inverted?"
            return Step(f"sensor:{name}", "failed", why)
        if not self._put("walk_sensor", item=named):
            return Step(f"sensor:{name}", "left out")
        before = dict(self._loop.snapshot().inputs)
        if not self._says(name, not rest):
            moved = [other for other, value in self._loop.snapshot().inputs.items() if value is not before[other]]
            return Step(f"sensor:{name}", "failed", f"did not change; {', '.join(moved) or 'nothing'} did")
        self._put("walk_back", item=named)
        return (
            Step(f"sensor:{name}", "passed") if self._says(name, rest) else Step(f"sensor:{name}", "failed", "stays on")
        )

    def _motion(self) -> Iterator[Step]:
        if not self._put("walk_open"):
            yield Step("open", "left out")
            return
        opened = self._open()
        yield opened
        if opened.result != "passed" or self._lane.barrier.closes_by != "relay":
            return
        if self._lane.barrier.tested:
            yield self._test()
        for name in self._lane.barrier.under_arm():
            yield self._reversal(name)
        if self._put("walk_close"):
            yield self._close()
        else:
            yield Step("close", "left out")

    def _open(self) -> Step:
        if not self._until(lambda: not self._loop.snapshot().faults):
            return Step("open", "failed", ", ".join(self._loop.snapshot().faults))
        self._serial += 1
        now_s = time.monotonic()
        self._loop.offer(Permit(self._serial, now_s, now_s + PERMIT_S, emergency=True))
        if self._until(lambda: self._loop.snapshot().boom == "open"):
            return Step("open", "passed")
        refusals = [notice.code for notice in self._notices if notice.kind in ("permit_refused", "not_opened")]
        return Step("open", "failed", ", ".join(refusals) or "did not open")

    def _test(self) -> Step:
        """The beams go dark by the test output, and see light again."""
        begun_s = time.monotonic()

        def is_over() -> bool:
            self._loop.test_sensors()
            now = self._loop.snapshot()
            return now.tested_s >= begun_s or any(fault.startswith("test_failed") for fault in now.faults)

        if not self._until(is_over):
            return Step("test", "failed", "no test came to its end: is the lane clear?")
        failed = [fault for fault in self._loop.snapshot().faults if fault.startswith("test_failed")]
        return Step("test", "failed", ", ".join(failed)) if failed else Step("test", "passed")

    def _lower(self) -> str:
        """Empty once it comes down; else why it does not."""
        begun = len(self._notices)

        def comes_down() -> bool:
            if any(notice.kind == "lowering" for notice in self._notices[begun:]):
                return True
            self._loop.lower_boom()
            time.sleep(0.2)
            return False

        if self._until(comes_down):
            return ""
        return next((n.code for n in reversed(self._notices) if n.kind == "lower_refused"), "did not lower")

    def _reversal(self, name: InputName) -> Step:
        """Interrupted while it comes down, the arm goes up again."""
        what, named = f"reversal:{name}", say(self._catalogue, self._language, f"input.{name}")
        if not self._put("walk_reversal", item=named):
            return Step(what, "left out")
        if why := self._lower():
            return Step(what, "failed", why)
        if not self._until(lambda: self._loop.snapshot().boom != "lowering"):
            return Step(what, "failed", "went on coming down")
        if self._loop.snapshot().boom == "closed":
            return Step(what, "failed", "came down: nothing was interrupted, or nothing was seen")
        up = self._until(lambda: self._loop.snapshot().boom == "open")
        self._put("walk_back", item=named)
        if not self._says(name, False):
            return Step(what, "failed", "stays on")
        return Step(what, "passed") if up else Step(what, "failed", "did not come up again")

    def _close(self) -> Step:
        if why := self._lower():
            return Step("close", "failed", why)
        if self._until(lambda: self._loop.snapshot().boom == "closed"):
            return Step("close", "passed")
        return Step("close", "failed", f"is {self._loop.snapshot().boom}")


# ---------------------------------------------------------------- the record


def run(
    config: Config, lane_id: str, person: str, ask: Ask = input, language: str = "vi", wait_s: float = WAIT_S
) -> int:
    """Walk one lane and write its record. Exit 0 where every step passed. Raises BarieError."""
    lane = next((lane for lane in config.lane if lane.id == lane_id), None)
    if lane is None:
        raise BarieError(f"no lane {lane_id!r}; there are {', '.join(lane.id for lane in config.lane)}")
    steps: list[Step] = []
    for step in Walk(lane, ask, language, wait_s).run():
        print(f"{step.result:8}  {step.what}{f': {step.why}' if step.why else ''}", flush=True)
        steps.append(step)
    path = record(lane, steps, person, Path(config.site.data_dir))
    print(words(language, "written", it=path))
    return 0 if all(step.result == "passed" for step in steps) else 1


def record(lane: LaneConfig, steps: list[Step], person: str, data_dir: Path) -> Path:
    """What was walked, by whom and when, sealed with the gate's key."""
    at = clock.wall_iso()
    told = {"lane": lane.id, "at": at, "by": person, "wiring": fingerprint(lane), "steps": [asdict(s) for s in steps]}
    folder = data_dir / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{lane.id}-{at.replace(':', '')}.json.signed"
    write_whole(path, signed.sign(json.dumps(told, ensure_ascii=False, indent=1) + "\n", data_dir).encode(), 0o640)
    return path


def fingerprint(lane: LaneConfig) -> str:
    """Of everything that a walk has proven: another wiring wants another walk."""
    told = json.dumps([_set(lane.board), _set(lane.barrier)], sort_keys=True, default=str)
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def _set(settings: BoardSettings | BarrierSettings) -> dict[str, Any]:
    """Without what stands at its default: a setting that a later version brings wants no new walk."""
    told = asdict(settings)
    usual = {item.name: item.default for item in fields(settings)}
    return {name: value for name, value in told.items() if value != usual[name]}


def last(lane: LaneConfig, data_dir: Path, now: datetime | None = None) -> tuple[bool, str]:
    """(whether the wiring as it is now was walked and passed within the lane's period, what the newest record says)."""
    paths = sorted((data_dir / FOLDER).glob(f"{lane.id}-[0-9]*.json.signed"))
    if not paths:
        return False, "no walk test on record"
    try:
        text = paths[-1].read_text(encoding="utf-8")
        signed.check(text, data_dir)
        told = json.loads(text[: text.rindex("<!--")])
        failed = [step["what"] for step in told["steps"] if step["result"] != "passed"]
    except (BarieError, OSError, ValueError, KeyError, TypeError) as error:
        return False, f"{paths[-1].name}: {error}"
    if told["wiring"] != fingerprint(lane):
        return False, f"walked on {told['at'][:10]}, but the board's or the barrier's settings have changed since"
    if failed:
        return False, f"walked on {told['at'][:10]} by {told['by']}: {', '.join(failed)} did not pass"
    age = (now or datetime.fromisoformat(clock.wall_iso())) - datetime.fromisoformat(told["at"])
    if age.days >= lane.walk_every_days:
        return False, f"walked on {told['at'][:10]}, {age.days} days ago: due every {lane.walk_every_days} days"
    return True, f"walked on {told['at'][:10]} by {told['by']}, {len(told['steps'])} steps passed"
