"""The screen's figures for `barie bench panel`: from a reading to pixels, and from a press to its record.

The real gate process with store, broker, board and boom; two further vision processes on live cameras with vehicles
run meanwhile, as at a gate with two cameras, and two processes at vision's own priority take the rest of both cores.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from itertools import count
from pathlib import Path
from statistics import median

from edge.demo.platform import declare
from edge.errors import BarieError
from tests.harness.bench.guarded_lane import House, house
from tests.harness.bench.live import BUSY_CLIPS, PLATE_CLIP, Figure, LiveEye, figure, quantile, show, until
from tests.harness.bench.load import BURNERS, busy_cores
from tests.harness.bench.page import Page, page

ROUNDS, LONG_ROUNDS = 40, 500
WARM_UP = 3


def figures(*, long: bool = False, rounds: int | None = None, busy: bool = True) -> Iterator[Figure]:
    """`panel.press_to_record_ms_p95` and `panel.reading_to_pixels_ms_p95`. Raises BarieError."""
    rounds = rounds or (LONG_ROUNDS if long else ROUNDS)
    with ExitStack() as ends:
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="barie-bench-")))
        one = ends.enter_context(house(folder))
        trucks = Trucks(one, 2 * (rounds + WARM_UP))
        if busy:
            _keep_busy(ends, one)
            ends.enter_context(busy_cores())
        beside = (
            f"two live cameras with vehicles and {BURNERS} busy processes beside it" if busy else "nothing beside it"
        )
        yield _press(one, trucks, rounds, beside)
        yield _pixels(one, trucks, rounds, beside)


class Trucks:
    """Invented vehicles, all declared and complete but for the guard; one after the other is read at the lane."""

    def __init__(self, one: House, many: int) -> None:
        visit = one.lane.visits[PLATE_CLIP]
        assert visit is not None
        self._house = one
        self._numbers = count(10_000)
        folder = one.folder / "declarations"
        folder.mkdir()
        for number in range(10_000, 10_000 + many):
            path = declare(replace(visit, plate=self._plate(number)), folder, number)
            one.do(declare=str(path))

    @staticmethod
    def _plate(number: int) -> str:
        return f"12C{number}"

    def read(self) -> tuple[str, float]:
        """The next one's plate, decided; and the Unix milliseconds at which it reached the gate process."""
        plate = self._plate(next(self._numbers))
        return plate, float(self._house.do(read=plate)["at_ms"])


def _keep_busy(ends: ExitStack, one: House) -> None:
    eyes = []
    for number, clip in enumerate(BUSY_CLIPS):
        show(clip, one.folder / "video", f"busy-{number}")
        eyes.append(ends.enter_context(closing(LiveEye(one.rtsp.url(f"busy-{number}")))))
    until(lambda: all(eye.up for eye in eyes), "the further cameras' pictures and models")


def _press(one: House, trucks: Trucks, rounds: int, beside: str) -> Figure:
    """ "Turn away" at a declared truck: POST, event with its signature on disk, answer."""
    times_ms = [_turn_away(one, trucks) for _ in range(WARM_UP + rounds)][WARM_UP:]
    how = f"{rounds} presses, POST to answer over HTTP, the record on disk; {beside}; median {median(times_ms):.1f} ms"
    return figure("panel.press_to_record_ms_p95", quantile(times_ms, 0.95), "ms", how)


def _turn_away(one: House, trucks: Trucks) -> float:
    """Milliseconds of one press. Raises BarieError where the press was not done."""
    plate, _ = trucks.read()
    until(lambda: _seen(one) == plate, "the truck on the screen")
    passage = str(one.passage()["id"])
    began_s = time.perf_counter()
    answer = one.panel.press_here(one.name, "turn_away", passage, reason="no_declaration")
    took_ms = (time.perf_counter() - began_s) * 1000
    if not answer["done"]:
        raise BarieError(f"bench panel: the press was not done: {answer['code']} {answer.get('detail', '')}")
    one.do(gone="")
    until(lambda: not one.passage(), "the end of the passage")
    return took_ms


def _seen(one: House) -> str | None:
    """The plate on the screen once its verdict stands there too."""
    passage = one.passage()
    return str(passage["plate"]["text"]) if passage.get("plate") and passage.get("verdict") else None


def _pixels(one: House, trucks: Trucks, rounds: int, beside: str) -> Figure:
    """A decided reading, its declaration looked up, its photo and event on disk, and the page repainted."""
    with page(one.url) as watched:
        times_ms = [_shown(one, watched, trucks) for _ in range(WARM_UP + rounds)][WARM_UP:]
    how = f"{rounds} decided readings of declared trucks, from the gate process's queue to the frame after the page's "
    how += f"change, headless Chromium; {beside}; median {median(times_ms):.1f} ms"
    return figure("panel.reading_to_pixels_ms_p95", quantile(times_ms, 0.95), "ms", how)


def _shown(one: House, watched: Page, trucks: Trucks) -> float:
    plate, at_ms = trucks.read()
    took_ms = watched.shown_ms(plate) - at_ms
    one.do(gone="")
    watched.empty()
    return took_ms
