"""What the agent asks of a barrier PC, for `barie bench agent`: memory of a lane at work, and room on the disk."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

from edge import clock
from edge.errors import BarieError
from tests.harness.bench.guarded_lane import house
from tests.harness.bench.live import PLATE_CLIP, Figure, cpu_s, figure, memory_mb, tree, until

SECONDS, LONG_SECONDS = 10.0, 600.0
DISTRIBUTION = "barie"


def figures(*, long: bool = False, seconds: float | None = None) -> Iterator[Figure]:
    """`agent.install_mb` and `agent.rss_mb`. Raises BarieError."""
    yield install_figure()
    yield memory_figure(seconds or (LONG_SECONDS if long else SECONDS))


# ---------------------------------------------------------------- memory


def memory_figure(seconds: float) -> Figure:
    """The largest that the gate process and its camera's process were together, from a vehicle's first reading on."""
    with tempfile.TemporaryDirectory(prefix="barie-bench-") as name, house(Path(name)) as one:
        one.lane.cameras[PLATE_CLIP].show("stand")
        until(lambda: bool(one.passage().get("plate")), "the first reading of a vehicle")
        began_s, before_s = clock.mono_s(), cpu_s(tree(one.gate.pid))
        samples: list[tuple[float, float]] = []
        while not samples or clock.mono_s() - began_s < seconds:
            samples.append(memory_mb(tree(one.gate.pid)))
            time.sleep(0.5)
        used = (cpu_s(tree(one.gate.pid)) - before_s) / (clock.mono_s() - began_s)
        processes = len(tree(one.gate.pid))
    rss_mb, pss_mb = max(samples)
    how = f"{processes} processes of one lane with one camera that read a vehicle, most of {len(samples)} samples in "
    how += f"{seconds:.0f} s; {pss_mb:.0f} MB with shared pages counted once; {used:.2f} cores"
    return figure("agent.rss_mb", rss_mb, "MB", how)


# ---------------------------------------------------------------- disk


def install_figure() -> Figure:
    """Everything that the agent's own requirements bring, no extra of ours among it."""
    names = reachable(DISTRIBUTION)
    sizes = {name: size_mb(name) for name in names - {DISTRIBUTION}}
    largest = sorted(sizes, key=lambda name: -sizes[name])[:4]
    how = f"files of {len(sizes)} packages that {DISTRIBUTION} requires without extras; largest: "
    how += ", ".join(f"{name} {sizes[name]:.0f}" for name in largest)
    return figure("agent.install_mb", sum(sizes.values()), "MB", how)


def reachable(root: str) -> set[str]:
    """Normalised names of the installed distributions that `root` needs, itself included. Raises BarieError."""
    from packaging.utils import canonicalize_name

    found: set[tuple[str, str]] = set()
    waiting = [(str(canonicalize_name(root)), "")]
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in found:
            continue
        found.add((name, extra))
        for needed, extras in _requires(name, extra):
            waiting += [(needed, ""), *((needed, one) for one in extras)]
    return {name for name, _ in found}


def _requires(name: str, extra: str) -> Iterable[tuple[str, set[str]]]:
    """What a distribution asks for on this machine, by name and extras."""
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    for line in _distribution(name).requires or ():
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
            yield str(canonicalize_name(requirement.name)), set(requirement.extras)


def size_mb(name: str) -> float:
    """What a distribution's own files take, in MB of 10^6 bytes. Compiled copies that Python makes later count too."""
    distribution = _distribution(name)
    files = {Path(str(distribution.locate_file(file))).resolve() for file in distribution.files or ()}
    compiled = {one for file in files if file.suffix == ".py" for one in _compiled(file)}
    return sum(file.stat().st_size for file in files | compiled if file.is_file()) / 1e6


def _compiled(file: Path) -> Iterable[Path]:
    return (file.parent / "__pycache__").glob(f"{file.stem}.*.pyc")


def _distribution(name: str) -> Any:
    try:
        return metadata.distribution(name)
    except metadata.PackageNotFoundError as error:
        raise BarieError(f"bench agent: {name} is required but not installed: install from the lock file") from error
