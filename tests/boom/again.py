"""The state machines of the boom again and again, each time with a seed of its own: `python -m tests.boom.again N`.

In the suite they run once, the one over the simulated world always the same. Last line: JSON with runs and finds.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback

from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from tests.boom.test_boom_properties import AnythingMayHappen, TestAnythingMayHappen
from tests.boom.test_boom_world import AnythingDrivesUp, TestAnythingDrivesUp

MACHINES: dict[type[RuleBasedStateMachine], settings] = {
    AnythingMayHappen: TestAnythingMayHappen.settings,
    AnythingDrivesUp: TestAnythingDrivesUp.settings,
}


def main() -> int:
    logging.disable(logging.CRITICAL)
    finds = 0
    for runs in range(1, int(sys.argv[1]) + 1):
        for machine, usual in MACHINES.items():
            try:
                run_state_machine_as_test(machine, settings=settings(usual, derandomize=False, database=None))
            except AssertionError:
                finds += 1
                traceback.print_exc()
        print(json.dumps({"runs": runs, "finds": finds}), flush=True)
    return int(finds > 0)


if __name__ == "__main__":
    sys.exit(main())
