"""A sheet as PDF, set by ReportLab in a process of its own: the gate's event loop and its barrier threads never wait
for it, and a sheet that breaks it breaks nothing else (docs/decisions/0008-pdf.md).

`python -m edge.panel.pdf` reads one sheet as JSON from stdin and writes the PDF to stdout.
"""

from __future__ import annotations

import base64
import json
import sys
from dataclasses import asdict
from typing import Any

from edge.panel.own_process import aside
from edge.panel.sheet import Sheet

MAKE_S = 30.0
"""A sheet takes one second on a quiet machine."""


async def make_pdf(sheet: Sheet) -> bytes:
    """The PDF's bytes. Raises StoreError where it could not be made."""
    row = asdict(sheet)
    row["photos"] = [[name, base64.b64encode(jpeg).decode()] for name, jpeg in sheet.photos]
    return await aside(__name__, json.dumps(row).encode(), MAKE_S, "the PDF")


def main() -> None:
    """Set what comes from stdin."""
    from edge.panel.pdf_page import set_page  # a second of imports that only this process needs

    row: dict[str, Any] = json.load(sys.stdin)
    sys.stdout.buffer.write(set_page(row))


if __name__ == "__main__":
    main()
