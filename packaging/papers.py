#!/usr/bin/env python3
"""What goes with the program: manual page and completion from its own parser, and the bill of materials.

`papers.py shell FOLDER` writes man1/barie.1.gz and the completion of bash, zsh and fish below FOLDER (usr/share), with
`edge` on the path; `papers.py bill SITE FILE` writes what is installed in SITE, with licences, as CycloneDX 1.6. Made
with argparse-manpage, shtab and cyclonedx-bom (packaging/tools.lock).
"""

from __future__ import annotations

import argparse
import gzip
import json
import subprocess
import sys
import tempfile
from importlib.metadata import distributions
from pathlib import Path

COMPLETION = {
    "bash": "bash-completion/completions/barie",
    "zsh": "zsh/vendor-completions/_barie",
    "fish": "fish/vendor_completions.d/barie.fish",
}


def shell(share: Path) -> None:
    """Manual page and completion of every command."""
    import shtab
    from argparse_manpage.manpage import Manpage

    from edge import __version__
    from edge.cli import EXIT_STATUS, parser

    top: argparse.ArgumentParser = parser()
    for name, place in COMPLETION.items():
        path = share / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(shtab.complete(top, name), encoding="utf-8")
    top.epilog = None
    about = {"project_name": "barie", "version": __version__, "manual_title": "barie", "description": top.description}
    page = Manpage(top, about)
    page.add_section("exit status", ">", EXIT_STATUS)
    page.add_section("files", ">", "/etc/barie/gate.toml, /var/lib/barie, /usr/share/doc/barie")
    path = share / "man/man1/barie.1.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(str(page).encode(), 9, mtime=0))


def bill(site: Path, out: Path) -> int:
    """The bill of materials of a folder of packages; how many of them have a licence in it. Ends the program where one
    has none."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
        inside = next(Path(folder).glob("lib/python3*/site-packages"))
        (inside / "gate.pth").write_text(f"{site.resolve()}\n")
        line = [sys.executable, "-m", "cyclonedx_py", "environment", "--sv", "1.6", "--output-reproducible"]
        subprocess.run([*line, "-o", str(out), f"{folder}/bin/python"], check=True)
    told = json.loads(out.read_text(encoding="utf-8"))
    parts = told["components"]
    for part in parts:
        # In its own words, where these are no SPDX identifier: the tool leaves such a field out.
        words = next(distributions(name=part["name"], path=[str(site)])).metadata.get("License")
        if not part.get("licenses") and words:
            part["licenses"] = [{"license": {"acknowledgement": "declared", "name": words}}]
    out.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    without = [part["name"] for part in parts if not part.get("licenses")]
    if not parts or without:
        sys.exit(f"papers: {len(parts)} parts, without a licence: {', '.join(without) or 'all'}")
    return len(parts)


def main(argv: list[str]) -> int:
    if len(argv) == 2 and argv[0] == "shell":
        shell(Path(argv[1]))
    elif len(argv) == 3 and argv[0] == "bill":
        print(f"papers: {bill(Path(argv[1]), Path(argv[2]))} parts in the bill, each with its licence", file=sys.stderr)
    else:
        sys.exit("usage: papers.py shell FOLDER | papers.py bill SITE FILE")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
