"""`barie doctor`: cameras, boards, broker, clock, disk and models looked at one after the other, each with a verdict
in one line."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from edge import clock
from edge.config import Config, LaneConfig
from edge.errors import BarieError
from edge.technician import network, walk
from edge.technician.board_check import Verdict, check_board
from edge.technician.eyes import build
from edge.technician.site_check import check_accounts, check_broker, check_port, check_record
from edge.technician.told import in_language
from edge.vision.capture import CameraSource
from edge.vision.models import plate_table

CAMERA_WITHIN_S = 6.0
FREE_LOW_BYTES = 2_000_000_000

Mark = Literal["ok", "warn", "FAIL"]


@dataclass(frozen=True, slots=True)
class Finding:
    mark: Mark
    what: str
    detail: str


def run(config: Config, language: str = "en", *, as_json: bool = False) -> int:
    """Exit 0 where nothing failed; a warning is no failure. `as_json`: one object for each finding, in English."""
    failed = False
    for finding in examine(config):
        if as_json:
            print(json.dumps(asdict(finding), ensure_ascii=False), flush=True)
        else:
            what, detail = (in_language(text, language) for text in (finding.what, finding.detail))
            print(f"{finding.mark:4}  {what}: {detail}", flush=True)
        failed = failed or finding.mark == "FAIL"
    return 1 if failed else 0


def examine(config: Config) -> Iterator[Finding]:
    """Every finding, as soon as it is made."""
    yield Finding("ok", "config", f"site {config.site.id}, {len(config.lane)} lane(s)")
    yield _models(config)
    for lane in config.lane:
        yield from _board(lane, Path(config.site.data_dir))
        for camera in lane.camera:
            yield _camera(camera.id, camera.address())
    data_dir = Path(config.site.data_dir)
    yield Finding(*_named("broker", check_broker(config.mqtt)))
    yield Finding(*_named("record", check_record(data_dir, config.site.id)))
    yield Finding(*_named("accounts", check_accounts(data_dir, config.panel.sign_in)))
    yield Finding(*_named("screen", check_port(config.panel.host, config.panel.port)))
    yield from _network(config)
    yield _clock()
    yield _disk(data_dir)


def _judged(what: str, look: Callable[[], str], *errors: type[Exception]) -> Finding:
    try:
        return Finding("ok", what, look())
    except errors as error:
        return Finding("FAIL", what, str(error))


def _models(config: Config) -> Finding:
    def look() -> str:
        build(config.vision, plate_table())
        return f"reader {config.vision.reader} loads"

    return _judged("models", look, BarieError)


def _board(lane: LaneConfig, data_dir: Path) -> Iterator[Finding]:
    for mark, words in check_board(lane.board, lane.barrier):
        yield Finding(mark, f"board of {lane.id}", words)
    if not lane.simulated:
        passed, words = walk.last(lane, data_dir)
        yield Finding("ok" if passed else "warn", f"walk of {lane.id}", words)


def _camera(name: str, url: str) -> Finding:
    source = CameraSource(url)
    try:
        frame = source.take(CAMERA_WITHIN_S)
        if frame is None:
            return Finding(
                "FAIL",
                f"camera {name}",
                f"no picture within {CAMERA_WITHIN_S:.0f} s: is it on, reachable, and the address right?",
            )
        height, width = frame.image.shape[:2]
        return Finding("ok", f"camera {name}", f"{width}x{height}")
    finally:
        source.close()


def _named(what: str, verdict: Verdict) -> tuple[Mark, str, str]:
    return verdict.mark, what, verdict.words


def _network(config: Config) -> Iterator[Finding]:
    if not network.installed():
        return
    try:
        shut = network.lacking(config)
    except BarieError as error:
        yield Finding("warn", "network", str(error))
        return
    words = f"the units shut out {', '.join(shut)}: barie network, then systemctl restart barie"
    yield (
        Finding("FAIL", "network", words) if shut else Finding("ok", "network", "the units open what the config names")
    )


def _clock() -> Finding:
    state = clock.state()
    if state == "synced":
        return Finding("ok", "clock", "synchronised")
    return Finding(
        "warn", "clock", f"{state}: remote commands will be refused; start a time service (chrony or systemd-timesyncd)"
    )


def _disk(data_dir: Path) -> Finding:
    place = next(path for path in (data_dir, *data_dir.parents) if path.exists())
    free = shutil.disk_usage(place).free
    mark: Mark = "ok" if free > FREE_LOW_BYTES else "warn"
    return Finding(mark, "disk", f"{free / 1e9:.0f} GB free at {place}")
