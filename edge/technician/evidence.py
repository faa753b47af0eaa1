"""`barie evidence delete`: a passage's photos go because somebody asked; the record says who decided it, and why."""

from __future__ import annotations

import json
import sys
import time
import uuid
from collections.abc import Sequence
from pathlib import Path

from edge import clock
from edge.agent.office import erasing
from edge.agent.office.erasing import Request
from edge.config import Config
from edge.errors import BarieError
from edge.store import Store, db
from edge.store.keys import open_key
from edge.technician.owner import become_owner

ANSWER_S = 150.0
"""The agent looks once a minute."""
POLL_S = 0.2
LONGEST = 300


def delete(config: Config, passages: Sequence[str], by: str, reason: str) -> int:
    """Exit 0 where photos went, 1 where there were none. Raises BarieError: no record, refused, or no answer."""
    for name, text in (("--by", by), ("--reason", reason)):
        if not text.strip() or len(text) > LONGEST:
            raise BarieError(f"{name}: say it in 1 to {LONGEST} letters; it stands in the record for good")
    data_dir = Path(config.site.data_dir)
    if not (data_dir / db.NAME).is_file():
        raise BarieError(f"no record at {data_dir}: check site.data_dir")
    become_owner(data_dir)
    request = Request(tuple(passages), by.strip(), reason.strip())
    count = _asked(data_dir, request) if db.is_held(data_dir) else _done(config, data_dir, request)
    if not count:
        print("no photo of this is here (any more); nothing was recorded", file=sys.stderr)
        return 1
    print(f"{count} photo(s) deleted, and recorded; the centre and backups have their own copies (docs/security.md)")
    return 0


def _done(config: Config, data_dir: Path, request: Request) -> int:
    key = open_key(data_dir / "keys")
    lanes = [lane.id for lane in config.lane]
    keeps = config.store.keep_acknowledged_s
    store = Store.open(
        data_dir, site=config.site.id, lanes=lanes, signer=key.sign, check=key.check, keep_acknowledged_s=keeps
    )
    try:
        return erasing.erase(store, data_dir, request)
    finally:
        store.close()


def _asked(data_dir: Path, request: Request) -> int:
    """By the agent that has the record open."""
    try:
        answer = erasing.put(data_dir, uuid.uuid4().hex, request)
        until_s = clock.mono_s() + ANSWER_S
        while not answer.exists():
            if clock.mono_s() > until_s:
                raise BarieError(f"the agent did not answer within {ANSWER_S:g} s: see its log; the request waits")
            time.sleep(POLL_S)
        told = json.loads(answer.read_text(encoding="utf-8"))
        answer.unlink()
    except (OSError, ValueError) as error:
        raise BarieError(f"asking the agent: {error}") from error
    if "refused" in told:
        raise BarieError(f"the agent refused: {told['refused']}")
    return int(told["deleted"])
