"""The short form of the province run: the whole chain of docs/fleet.md and docs/centre.md, each part killed once."""

from __future__ import annotations

import pytest

from tests.central.centre_world import cluster
from tests.central.province_run import run
from tests.uplink.brokers import MOSQUITTO

__all__ = ["cluster"]
pytestmark = [
    pytest.mark.broker,
    pytest.mark.slow,
    pytest.mark.timeout(400),
    pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed"),
    pytest.mark.usefixtures("cluster"),  # it says whether PostgreSQL is here
]


def test_two_bridged_sites_lose_nothing_whatever_is_killed() -> None:
    result = run(gates=4, seconds=8.0)
    bad = ("events_lost", "events_twice", "strangers", "photos_lost", "photos_damaged", "incidents", "set_aside")
    assert {key: result[key] for key in bad if result[key]} == {}
    assert len(result["killed"]) == 5
    assert (result["events"] > 60, result["photos"] > 10) == (True, True)
