"""`barie central --check HOST:PORT --site SITE`: the conformance kit as a command. One JSON line for each check."""

from __future__ import annotations

import json

from edge.uplink.conformance import check
from edge.uplink.connection import LinkSettings, Protocol


def run(settings: LinkSettings, site: str, protocol: Protocol = "5") -> int:
    """0 where the consumer behind the broker keeps the contract, 1 where it does not. Raises BarieError."""
    good = True
    for one in check(settings, site, protocol=protocol):
        good = good and one.ok
        print(json.dumps({"check": one.name, "ok": one.ok, "why": one.why}), flush=True)
    return 0 if good else 1
