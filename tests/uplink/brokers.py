"""Real broker processes for the tests: Debian's mosquitto where it is installed, iotcore (pip) always. Fixtures say
which."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.harness.broker_process import MOSQUITTO, Iotcore, Mosquitto
from tests.harness.broker_process import BrokerProcess as Broker

__all__ = ["MOSQUITTO", "Broker", "Iotcore", "Mosquitto", "Stopper", "broker", "mosquitto", "until"]


def until(condition: Callable[[], bool], what: str, timeout_s: float = 20.0) -> None:
    """Wait for a condition; fails the test, saying what never came."""
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline_s:
            pytest.fail(f"{what}: not within {timeout_s:g} s")
        time.sleep(0.02)


@pytest.fixture(params=["mosquitto", "iotcore"])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Broker]:
    """Both brokers in turn; mosquitto is left out where it is not installed."""
    if request.param == "mosquitto" and MOSQUITTO is None:
        pytest.skip("mosquitto is not installed")
    one: Broker = Mosquitto(tmp_path) if request.param == "mosquitto" else Iotcore(tmp_path)
    one.start()
    yield one
    one.stop()


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    """Mosquitto only: for tests that kill it or need its access control."""
    if MOSQUITTO is None:
        pytest.skip("mosquitto is not installed")
    one = Mosquitto(tmp_path)
    one.start()
    yield one
    one.stop()


class Stopper:
    """Runs a function of a stop event on a thread, and ends it again."""

    def __init__(self, work: Callable[[threading.Event], None]) -> None:
        self.event = threading.Event()
        self._thread = threading.Thread(target=work, args=(self.event,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self.event.set()
        self._thread.join(10.0)
        assert not self._thread.is_alive()
