"""What every run says at its end: which of the real parts it has. And `--quick`: the tests of the rules alone."""

from __future__ import annotations

import os
import shutil
import subprocess
from fnmatch import fnmatch
from pathlib import Path

import hypothesis
import pytest

from tests.panel.browser import CHROMIUM
from tests.uplink.brokers import MOSQUITTO

HERE = Path(__file__).parent
QUICK = (
    "boom/test_boom_[empqsw]*", "boom/test_boom_framing*", "docs/*", "lane/test_passage*", "lane/test_agent_[hlw]*",
    "law/*", "panel/test_actions*", "panel/test_office_cores*", "panel/test_panel_[rw]*[!r].py", "record/test_event*",
    "record/test_record_chain*", "site/test_config*", "uplink/test_protocol*", "vision/test_eyes_decode*",
    "vision/test_eyes_geometry*", "vision/test_plate*", "vision/test_track*",
)  # fmt: skip
"""Files of `scripts/test --quick`: pure rules, no process of their own, tens of milliseconds a test."""
NOT_QUICK = (
    "boom/test_boom_mutants*",
    "boom/test_boom_passages*",
    "boom/test_boom_properties*",
    "boom/test_boom_seen*",
    "boom/test_boom_states*",
    "boom/test_boom_world*",
    "*_browser.py",
)
EXAMPLES = 10
"""Of each property, in a quick run."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--quick", action="store_true", help="the tests of the rules alone, few examples of each property")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--quick"):
        hypothesis.settings.register_profile("quick", max_examples=EXAMPLES, stateful_step_count=20, database=None)
        hypothesis.settings.load_profile("quick")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    if not config.getoption("--quick") or not collection_path.name.startswith("test_"):
        return None
    name = collection_path.relative_to(HERE).as_posix()
    return (
        True if any(fnmatch(name, one) for one in NOT_QUICK) or not any(fnmatch(name, one) for one in QUICK) else None
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--quick"):
        items[:] = [
            one for one in items if not {"slow", "browser", "broker", "vision"} & {m.name for m in one.iter_markers()}
        ]


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
