"""`barie eyesight`: read rate, time to decision and rejected readings by camera, hour and light, from the record; and
which camera reads worse than it did, with the likeliest reason."""

from __future__ import annotations

import io
import json
from pathlib import Path

from edge.agent.cameras.eyesight import cameras_of
from edge.config import Config
from edge.core.camera.eyesight import Share, Trend, by_light, samples, table, trends
from edge.panel.messages import load_catalogue, say
from edge.store.export import export_jsonl


def run(config: Config, *, as_json: bool = False) -> int:
    """Returns 1 where a camera reads worse than it did. Raises StoreError."""
    out = io.StringIO()
    export_jsonl(Path(config.site.data_dir), out)
    found = samples((json.loads(line) for line in out.getvalue().splitlines()), cameras_of(config))
    worse = trends(found)
    rows = {f"{camera} {light}": one for (camera, light), one in by_light(found).items()}
    rows |= {f"{camera} {hour:02}:00": one for (camera, hour), one in table(found).items()}
    if as_json:
        told = {name: {**_row(one)} for name, one in rows.items()}
        alarms = [{"camera": one.camera, "reason": one.reason, "was": one.was, "now": one.now} for one in worse]
        print(json.dumps({"shares": told, "trends": alarms}, ensure_ascii=False))
    else:
        print("\n".join([*(_line(name, one) for name, one in rows.items()), *(_words(one) for one in worse)]))
    return 1 if worse else 0


def _row(one: Share) -> dict[str, object]:
    return {
        "passages": one.passages,
        "read": one.read,
        "rate": round(one.rate, 3),
        "rejected": one.rejected,
        "waited_s": one.waited_s,
    }


def _line(name: str, one: Share) -> str:
    waited = "" if one.waited_s is None else f", {one.waited_s:.1f} s to decision"
    return f"{name:30} {one.rate:4.0%} of {one.passages} read, {one.rejected} corrected{waited}"


def _words(one: Trend) -> str:
    catalogue = load_catalogue()
    was, now = (f"{v:.1f} s" if one.reason == "slow" else f"{v:.0%}" for v in (one.was, one.now))
    texts = [say(catalogue, lang, f"eyes.{one.reason}", camera=one.camera, was=was, now=now) for lang in ("vi", "en")]
    return " / ".join(texts)
