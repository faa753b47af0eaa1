"""Routes by roles by places, on a real agent: `python -m tests.site.attacks.rights` as a test."""

from __future__ import annotations

from pathlib import Path

from tests.site.attacks.gate import Gate
from tests.site.attacks.rights import Attack


def test_no_address_gives_anybody_more_than_the_table(tmp_path: Path) -> None:
    with Gate(tmp_path, lanes=2) as gate:
        attack = Attack(gate)
        assert attack.run() == []
    assert attack.asked > 1000
