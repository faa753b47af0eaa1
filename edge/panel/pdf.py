"""A sheet as PDF, set by ReportLab in a process of its own: the gate's event loop and its barrier threads never wait
for it, and a sheet that breaks it breaks nothing else (docs/decisions/0008-pdf.md).

`python -m edge.panel.pdf` reads one sheet as JSON from stdin and writes the PDF to stdout.
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
from dataclasses import asdict
from typing import Any

from edge.errors import StoreError
from edge.panel.sheet import Sheet

MAKE_S = 30.0
"""A sheet takes one second on a quiet machine."""


async def make_pdf(sheet: Sheet) -> bytes:
    """The PDF's bytes. Raises StoreError where it could not be made."""
    row = asdict(sheet)
    row["photos"] = [[name, base64.b64encode(jpeg).decode()] for name, jpeg in sheet.photos]
    process = await asyncio.create_subprocess_exec(
        *("nice", "-n", "10", sys.executable, "-m", "edge.panel.pdf"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        pdf, said = await asyncio.wait_for(process.communicate(json.dumps(row).encode()), MAKE_S)
    except TimeoutError as error:
        process.kill()
        await process.wait()
        raise StoreError(f"the PDF was not made within {MAKE_S:g} s") from error
    if process.returncode != 0:
        raise StoreError(f"the PDF could not be made: {said.decode(errors='replace')[-300:]}")
    return pdf


def main() -> None:
    """Set what comes from stdin."""
    from edge.panel.pdf_page import set_page  # a second of imports that only this process needs

    row: dict[str, Any] = json.load(sys.stdin)
    sys.stdout.buffer.write(set_page(row))


if __name__ == "__main__":
    main()
