"""Work for a process of its own: the gate's event loop and its barrier threads never wait for it, and what breaks it
breaks nothing else."""

from __future__ import annotations

import asyncio
import sys

from edge.errors import StoreError


async def aside(module: str, given: bytes, within_s: float, doing: str) -> bytes:
    """What `python -m module` writes to stdout for `given` on its stdin. Raises StoreError, `doing` in its words."""
    process = await asyncio.create_subprocess_exec(
        *("nice", "-n", "10", sys.executable, "-m", module),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        done, said = await asyncio.wait_for(process.communicate(given), within_s)
    except TimeoutError as error:
        process.kill()
        await process.wait()
        raise StoreError(f"{doing}: not done within {within_s:g} s") from error
    if process.returncode != 0:
        raise StoreError(f"{doing}: {said.decode(errors='replace')[-300:]}")
    return done
