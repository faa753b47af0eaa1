"""Functions stay under 50 lines. Prints those that do not; a class may be as long as the one thing that it is."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

MAX_LINES = 50


def too_long(path: Path) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            found += [f"{path}:{node.lineno}: {node.name} has {lines} lines"] if lines > MAX_LINES else []
    return found


def main() -> int:
    files = [path for part in ("central", "edge", "firmware_io") for path in sorted(Path(part).rglob("*.py"))]
    faults = [fault for path in files for fault in too_long(path)]
    print("\n".join([*faults, f"functions: {len(files)} files, {len(faults)} longer than {MAX_LINES} lines"]))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
