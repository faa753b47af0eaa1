"""What every run says at its end: which of the real parts it has."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from tests.panel.browser import CHROMIUM
from tests.uplink.brokers import MOSQUITTO


def pytest_sessionstart() -> None:
    if MOSQUITTO is None and os.environ.get("BARIE_REQUIRE_MOSQUITTO") == "1":
        raise pytest.UsageError("BARIE_REQUIRE_MOSQUITTO=1 and there is no mosquitto: apt-get install mosquitto")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    browser = CHROMIUM if shutil.which(CHROMIUM) else "none: browser tests were skipped"
    terminalreporter.write_line(f"ran on MQTT broker: {broker_name()}; browser: {browser}")


def broker_name() -> str:
    if MOSQUITTO is None:
        return "iotcore only (mosquitto is not installed)"
    done = subprocess.run([MOSQUITTO, "-h"], check=False, capture_output=True, text=True)
    return f"{done.stdout.partition(chr(10))[0] or 'mosquitto'}, and iotcore"
