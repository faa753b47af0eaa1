"""The inbox under malformed payloads: each set aside and counted, the record as it was. `scripts/fuzz` is the long
form."""

from __future__ import annotations

import logging

import pytest

from tests.harness.fuzz import inbox
from tests.harness.fuzz.inbox import Draw


def test_every_malformed_payload_is_set_aside_and_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)
    result = inbox.run(5_000, seed=3)
    assert result["set_aside"] == result["counted"] == 5_000
    assert result["changed"] == 0
    assert {"declaration", "watchlist", "command", "ack", "version", "id", "no"} <= set(result["by_reason"])


def test_the_same_seed_gives_the_same_payloads() -> None:
    first, second = Draw(5), Draw(5)
    assert [inbox.malformed(first) for _ in range(50)] == [inbox.malformed(second) for _ in range(50)]
