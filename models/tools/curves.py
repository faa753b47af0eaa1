"""Draws the training curves from what the trainings printed.

    python -m models.tools.curves OUT.svg NAME=LOG…

One row for each log, one panel for each figure that its lines give ("…s step 50 … loss 0.5 heat 0.3 corner 5.73px").
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import matplotlib as mpl

mpl.use("svg")
from matplotlib import pyplot as plt

STEP = re.compile(r"step (\d+)\b(?: chunks \d+)?(.*)")
FIGURE = re.compile(r"([a-z]+) (-?[\d.]+)")


def curves(log: str) -> dict[str, list[tuple[int, float]]]:
    """Figure -> its (step, value) in the order of the log. Lines of other forms are passed over."""
    found: dict[str, list[tuple[int, float]]] = {}
    for line in log.splitlines():
        if match := STEP.search(line):
            for name, value in FIGURE.findall(match[2]):
                found.setdefault(name, []).append((int(match[1]), float(value)))
    return found


def draw(logs: dict[str, Path], out: Path) -> None:
    """Raises ValueError naming a log that holds no step."""
    rows = {name: curves(path.read_text(encoding="utf-8")) for name, path in logs.items()}
    for name, row in rows.items():
        if not row:
            raise ValueError(f"{logs[name]}: no line of a training in it")
    mpl.rcParams.update({"svg.hashsalt": "barie", "svg.fonttype": "none"})
    across = max(len(row) for row in rows.values())
    figure, axes = plt.subplots(len(rows), across, figsize=(3.6 * across, 2.4 * len(rows)), squeeze=False)
    for line, (name, row) in zip(axes, rows.items(), strict=True):
        for panel in line[len(row) :]:
            panel.set_axis_off()
        for panel, (what, points) in zip(line, row.items(), strict=False):
            panel.plot(*zip(*points, strict=True), linewidth=1)
            panel.set_title(f"{name}: {what}", fontsize=9)
            panel.tick_params(labelsize=7)
            panel.grid(visible=True, alpha=0.3)
    figure.tight_layout()
    figure.savefig(out, metadata={"Date": None})


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("out", type=Path)
    args.add_argument("logs", nargs="+", metavar="NAME=LOG")
    options = args.parse_args()
    draw({name: Path(path) for name, path in (pair.split("=", 1) for pair in options.logs)}, options.out)


if __name__ == "__main__":
    main()
