"""The fault runner's short form, and that its oracle and its shim see what they are there for."""

from __future__ import annotations

import random
import shutil

import pytest

from edge.technician import faults
from edge.technician.faults_shim import Change, lost

needs_compiler = pytest.mark.skipif(not (shutil.which("gcc") or shutil.which("cc")), reason="no C compiler")
pytestmark = pytest.mark.broker


@needs_compiler
def test_whatever_dies_nothing_is_lost_or_twice_or_out_of_order() -> None:
    total = faults.run(faults.SHORT, 7, lambda line: None)
    assert {name: total[name] for name in faults.COUNTS[1:]} == dict.fromkeys(faults.COUNTS[1:], 0)
    assert total["events"] > 50
    assert total["failed_writes"] > 20, "a passage has that many writes"
    assert total["shim_catches_no_fsync"] == 1


class Nothing(random.Random):
    """Draws the worst: of what was not fsynced nothing stays."""

    def randint(self, a: int, b: int) -> int:
        return a


def test_a_power_failure_takes_what_was_not_fsynced_and_nothing_else() -> None:
    def change(op: str, path: str) -> Change:
        return Change(op, path, 0, 0, b"")

    safe = [change("C", "/g/a"), change("W", "/g/a"), change("S", "/g/a"), change("D", "/g")]
    gone = [change("C", "/g/b"), change("W", "/g/a"), change("W", "/g/b")]
    assert lost([*safe, *gone], Nothing()) == gone
    assert lost([*gone, change("S", "/g/b")], Nothing()) == gone[:2], "its name was not safe, nor the other file"
