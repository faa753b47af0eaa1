"""Both cores busy, as vision keeps them, while a bench measures what must come first all the same."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

BURNERS = 2
NICE = 10
"""Of the vision's unit file (docs/safety.md, "Priorities")."""
BURNER = f"import os; os.setpriority(os.PRIO_PROCESS, 0, {NICE})\nwhile True: pass"


@contextmanager
def busy_cores(burners: int = BURNERS) -> Iterator[None]:
    """That many processes, each of which takes all that a core gives it, until the block ends."""
    processes = [subprocess.Popen([sys.executable, "-c", BURNER]) for _ in range(burners)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()
