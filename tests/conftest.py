"""What every run says first: which of the real parts it has."""

from __future__ import annotations

import os
import shutil
import subprocess

from tests.brokers import MOSQUITTO
from tests.browser import CHROMIUM


def pytest_report_header() -> list[str]:
    if MOSQUITTO is not None:
        done = subprocess.run([MOSQUITTO, "-h"], check=False, capture_output=True, text=True)
        broker = done.stdout.partition("\n")[0] or "mosquitto"
    else:
        broker = "iotcore only (mosquitto is not installed)"
        if os.environ.get("BARIE_REQUIRE_MOSQUITTO") == "1":
            raise SystemExit("BARIE_REQUIRE_MOSQUITTO=1 and there is no mosquitto: apt-get install mosquitto")
    browser = CHROMIUM if shutil.which(CHROMIUM) else "none: browser tests are skipped"
    return [f"MQTT broker: {broker}", f"browser: {browser}"]
