"""`barie rules try`: the vehicles of the gate's own record, judged by a new rule table beside the one in force.

Both tables see the same: the declaration in the copy, with what had been confirmed when the gate gave its verdict, and
the vehicle as it was known then. What lies outside the tables (watch list, seals, the copy's age) is left out of both.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from edge import clock
from edge.agent.lane.law import Law
from edge.config import Config
from edge.core.instant import Instant, day_of, instant
from edge.core.law.procedures import Facts, decide
from edge.core.law.terms import Choices, Rules, RulesError, in_force
from edge.core.model import Confirmation, Declaration, Missing, Verdict
from edge.errors import BarieError, ConfigError
from edge.store.export import envelopes
from edge.store.reading import ReadOnlyRecord
from edge.store.store import plate_skeletons
from edge.technician.rules import load

NO_DECLARATION, GONE = "no declaration", "declaration no longer in the copy"


@dataclass(frozen=True, slots=True)
class Judged:
    """A passage's last verdict on record. `since`, `at`: when the passage began and when the verdict was given."""

    lane: str
    since: Instant
    at: Instant
    said_at: str
    place: str
    direction: str
    declaration: str | None
    plates: tuple[str, ...]


def run(new_file: Path, config: Config, days: int) -> int:
    """One line for each passage of the last `days` days whose verdict would have changed; 1 where there is any. What
    was in force on that day and road stands against the new table; one for pilot roads speaks of their lanes only.
    Raises ConfigError, StoreError."""
    if days < 1:
        raise BarieError(f"--days {days}: must be 1 or more")
    tables, new = (Law.read(config.law), *Law.pilots(config.law)), _with_choices(config, load(new_file))
    data_dir = Path(config.site.data_dir)
    record = ReadOnlyRecord(data_dir, plate_skeletons())
    lanes = {lane.id: lane for lane in config.lane}
    left_out: Counter[str] = Counter()
    tried = changed = 0
    for one in judged((json.loads(payload) for payload in envelopes(data_dir)), _days_ago(days)):
        declaration = record.declaration(one.declaration) if one.declaration else None
        if declaration is None:
            left_out[GONE if one.declaration else NO_DECLARATION] += 1
            continue
        tried += 1
        lane = lanes.get(one.lane)
        road = lane.road if lane else None
        old = in_force(tables, road, day_of(one.at))
        then = _as_it_stood(declaration, one, old[0])
        smart = lane is not None and lane.smart_lane
        facts = Facts(exact_plate=True, plates=one.plates, gate=config.law.route_name, smart_lane=smart)
        pair = (old, new) if not new[0].table.roads or road in new[0].table.roads else (old, old)
        before, after = (
            decide(rules, choices, then, one.place, one.direction, now=one.said_at, facts=facts)
            for rules, choices in pair
        )
        if (before.verdict, before.missing) != (after.verdict, after.missing):
            changed += 1
            print(_line(one, before, after))
    others = "".join(f"; {count} left out: {why}" for why, count in sorted(left_out.items()))
    print(f"{tried} lượt xe, {changed} lượt có kết quả khác / {tried} passages, {changed} with another verdict{others}")
    return 1 if changed else 0


def judged(events: Iterable[Mapping[str, Any]], after: Instant) -> Iterator[Judged]:
    """The last verdict of each passage recorded after a moment, in the order of the record."""
    began: dict[tuple[str, str], Instant] = {}
    last: dict[tuple[str, str], Judged] = {}
    for event in events:
        body, at = event["body"], instant(str(event["recorded_at"]))
        if at is None or at < after or not body.get("passage"):
            continue
        key = str(event["lane"]), str(body["passage"])
        since = began.setdefault(key, at)
        if isinstance(body.get("verdict"), Mapping) and body.get("place"):
            plates = tuple((body.get("who") or {}).get("vehicle") or ())
            told = body["place"], body["direction"], body.get("declaration"), plates
            last[key] = Judged(key[0], since, at, str(event["recorded_at"]), *told)
    yield from last.values()


def _with_choices(config: Config, rules: Rules) -> tuple[Rules, Choices]:
    """The site's choices as far as the new table still offers them."""
    kept = {key: value for key, value in config.law.choices().items() if key in rules.choices}
    try:
        return rules, rules.choose(kept, config.law.clock_skew_s)
    except RulesError as error:
        raise ConfigError(error.source, error.faults) from error


def _days_ago(days: int) -> Instant:
    found = instant(datetime.now(clock.VIETNAM) - timedelta(days=days))
    assert found is not None
    return found


def _as_it_stood(declaration: Declaration, one: Judged, rules: Rules) -> Declaration:
    """Without what was confirmed later, and without what this gate itself gave in this passage; still active."""
    here = rules.passages.get((one.place, one.direction))

    def stood(given: Confirmation) -> bool:
        at = instant(given.at)
        own = given.via == "gate" and given.step == here
        return at is None or at <= (one.since if own else one.at)

    kept = tuple(given for given in declaration.confirmations if stood(given))
    state = "active" if declaration.state == "completed" else declaration.state
    return replace(declaration, confirmations=kept, state=state)


def _line(one: Judged, before: Verdict, after: Verdict) -> str:
    more = [_said(each) for each in after.missing if each not in before.missing]
    less = [_said(each) for each in before.missing if each not in after.missing]
    new = f"; thêm / newly asked: {', '.join(more)}" if more else ""
    gone = f"; bớt / no longer asked: {', '.join(less)}" if less else ""
    who = f"{one.declaration} {' + '.join(one.plates)}".rstrip()
    return f"{one.said_at} {one.lane} {who}: {before.verdict} -> {after.verdict}{new}{gone}"


def _said(missing: Missing) -> str:
    return f"{missing.authority} {missing.act} ({missing.step}, {missing.article})"
