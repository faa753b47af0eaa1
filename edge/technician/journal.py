"""`barie journal verify|export`: the event log checked and written out, while the agent is stopped or beside it."""

from __future__ import annotations

import sys
from pathlib import Path

from edge.config import Config
from edge.store.export import export_csv, export_jsonl, verify_folder


def verify(config: Config) -> int:
    """Exit 0 where every lane's chain holds, 1 with one line for each first fault."""
    faults = verify_folder(Path(config.site.data_dir), config.site.id)
    for fault in faults:
        print(fault)
    if not faults:
        print(f"chain holds: {', '.join(lane.id for lane in config.lane)}")
    return 1 if faults else 0


def export(config: Config, form: str) -> int:
    """Every event still here, to standard output."""
    write = export_jsonl if form == "jsonl" else export_csv
    write(Path(config.site.data_dir), sys.stdout)
    return 0
