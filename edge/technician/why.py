"""`barie why`: what this gate knew of a vehicle, what it decided, and what it still asked. From the record, beside a
running gate."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

from edge import clock
from edge.config import Config
from edge.core.instant import Instant, instant
from edge.core.record.why import Why, why
from edge.errors import BarieError
from edge.panel.messages import load_catalogue, say
from edge.store.export import envelopes


def run(config: Config, lane: str, at: str, plate: str, *, as_json: bool, out: TextIO = sys.stdout) -> int:
    """Exit 0 with an answer, 1 where the record has no such passage. Raises BarieError for a lane or time that is
    none."""
    if lane and lane not in [one.id for one in config.lane]:
        raise BarieError(f"--lane {lane}: no such lane; there are {', '.join(one.id for one in config.lane)}")
    until = _moment(at) if at else None
    if at and until is None:
        raise BarieError(f"--at {at}: a time as 2026-11-20T09:30:00+07:00, or without the offset for Vietnam's")
    found = why(_events(Path(config.site.data_dir)), lane=lane, until=until, plate=plate)
    if as_json:
        print(json.dumps(None if found is None else asdict(found), ensure_ascii=False, indent=2), file=out)
    elif found is None:
        print("no such passage on record", file=out)
    else:
        for line in tell(found):
            print(line, file=out)
    return 1 if found is None else 0


def _events(data_dir: Path) -> Iterator[dict[str, Any]]:
    for payload in envelopes(data_dir):
        yield json.loads(payload)


def _moment(at: str) -> Instant | None:
    """A time without an offset is Vietnam's."""
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        return None
    return instant(moment if moment.tzinfo else moment.replace(tzinfo=clock.VIETNAM))


def tell(found: Why) -> Iterator[str]:
    """In words, the answer first."""
    catalogue = load_catalogue()
    yield f"{found.lane}  {found.began_at}  {_vehicle(found)}"
    yield f"  {_answer(found, catalogue)}"
    verdict = found.verdict or {}
    for missing in verdict.get("missing", ()):
        yield f"  still asked: {missing['authority']} {missing['act']} at {missing['step']} ({missing['article']})"
    for reason in verdict.get("reasons", ()):
        article = f" ({reason['article']})" if reason.get("article") else ""
        yield f"  said: {reason['code']}: {reason['text']}{article}"
    for beside in (found.who or {}).get("beside", ()):
        yield f"  also in view: {beside['plate']}: {say(catalogue, 'en', 'standing.' + beside['standing'])}"
    if found.copy_age_s is not None:
        yield f"  copy of the declarations: {found.copy_age_s:.0f} s old"
    for line in found.lines:
        facts = " ".join(f"{key}={_short(value)}" for key, value in line.facts.items())
        by = f" by {line.by}" if line.by else ""
        yield f"  {line.seq:>6}  {line.at}  {line.code}{by}{'  ' + facts if facts else ''}"


def _vehicle(found: Why) -> str:
    who = found.who or {}
    vehicle = " + ".join(who.get("vehicle") or ()) or who.get("plate") or ", ".join(found.plates) or "no plate"
    source = f", {who['source']} {who.get('by', '')}".rstrip() if who.get("source") else ""
    of = f", declaration {found.declaration}" if found.declaration else ", no declaration"
    asked = ", which vehicle of it was not known" if who.get("asked") else ""
    return f"{vehicle}{source}{of}{asked}"


def _answer(found: Why, catalogue: Any) -> str:
    ended = f"; then: {found.ended}" if found.ended else ""
    if found.opened_by is not None:
        code, by = found.opened_by
        return f"opened: {code}{' by ' + by if by else ''}{ended}"
    verdict = (found.verdict or {}).get("verdict", "nothing was looked up")
    if found.shut is not None:
        code, detail = found.shut
        words = say(catalogue, "vi", f"shut.{code}", detail=detail), say(catalogue, "en", f"shut.{code}", detail=detail)
        return f"did not open by itself ({code}{': ' + detail if detail else ''}): {words[0]} / {words[1]}{ended}"
    return f"not opened: {verdict}{ended}"


def _short(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (list, dict)) else str(value)
