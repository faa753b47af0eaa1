#!/usr/bin/env python3
"""What is left after trimming still works: each library loads, the reader reads, a sheet prints.

`loads.py SITE_PACKAGES CHECKOUT`, with the Python that will run it.
"""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

SHEET = {
    "title": "in thử", "language": "vi", "head": [("Biển số", "桂A12345")], "columns": ["1", "2", "3", "4"],
    "chain": "", "entries": [], "photos": [], "no_photos": "-", "foot": "-", "blank": "-",
}  # fmt: skip


def unloadable(site: Path) -> list[str]:
    """Libraries that the loader refuses, each with its reason."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # as the package `edge` says, which is not imported yet
    import av  # noqa: F401 - the libraries below depend on what these load
    import cv2  # noqa: F401

    faults = []
    for path in sorted(site.rglob("*.so*")):
        try:
            ctypes.CDLL(str(path))
        except OSError as error:
            faults.append(f"{path.relative_to(site)}: {error}")
    return faults


def main(argv: list[str]) -> int:
    site, checkout = Path(argv[0]), Path(argv[1])
    sys.path[:0] = [str(site), str(checkout)]
    from edge.panel.pdf_page import set_page
    from edge.technician.read import read_one
    from edge.vision.models import build

    faults = unloadable(site)
    image = checkout / "sample_videos" / "b1-out-vn-two-line.jpg"
    line = read_one(image, *build("own"))
    texts = [plate["text"] for plate in line.get("plates", ())]
    if "12C12345" not in texts:
        faults.append(f"the reader reads {texts} where 12C12345 stands")
    if not set_page(SHEET).startswith(b"%PDF"):
        faults.append("no sheet is printed")
    for fault in faults:
        print(f"loads: {fault}", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
