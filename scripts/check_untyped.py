"""How many untyped mappings `edge` has: `dict[str, Any]`, `Mapping[str, object]` and their likes, names for them too.

Each that remains is covered by a reason in untyped.toml. The aim is under 2 in 1,000 lines; until it is reached the
figure may only fall: more than NOW is a fault, as is a file without a reason or a reason that covers nothing.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REASONS = Path(__file__).with_name("untyped.toml")
AIM_PER_1000, NOW_PER_1000 = 2.0, 7.3
UNTYPED = re.compile(r"\b(?:[Dd]ict|(?:Mutable)?Mapping)\[(?:str|Any|object), *(?:Any|object)\]|\bdict\[str, Json\]")
BARE = re.compile(r"(?::|->|\[|\|) *dict\b(?!\[|\()")
"""A `dict` that says nothing of what is in it."""
JSON_OUT = re.compile(r"\bJsonObject\b")
"""What is made from typed values for a page or the wire: checked to be JSON, its keys not."""


def untyped(line: str) -> int:
    code = line.split("  #")[0]
    return len(UNTYPED.findall(code)) + len(BARE.findall(code))


def reason_for(name: str, reasons: dict[str, str]) -> str | None:
    """The longest path that covers this file."""
    fits = [path for path in reasons if name == path or name.startswith(f"{path}/")]
    return max(fits, key=len, default=None)


def main() -> int:
    lines, made, found = 0, 0, Counter[str]()
    for path in sorted((ROOT / "edge").rglob("*.py")):
        text = path.read_text(encoding="utf-8").splitlines()
        lines += len(text)
        made += sum(len(JSON_OUT.findall(line)) for line in text if not line.startswith(("from ", "import ")))
        count = sum(map(untyped, text))
        if count:
            found[path.relative_to(ROOT).as_posix()] = count
    reasons: dict[str, str] = tomllib.loads(REASONS.read_text(encoding="utf-8"))["because"]
    why = {name: reason_for(name, reasons) for name in found}
    faults = [f"{name}: no reason covers it" for name, path in why.items() if path is None]
    faults += [f"{path}: a reason that covers nothing" for path in reasons if path not in why.values()]
    rate = 1000 * found.total() / lines
    if rate > NOW_PER_1000:
        faults.append(f"{rate:.2f} in 1,000 lines: more than {NOW_PER_1000:g}, and it may only fall")
    groups = Counter[str]()
    for name, count in found.items():
        groups[why[name] or name] += count
    for place, count in groups.most_common():
        print(f"  {count:3d} {place}: {reasons.get(place, '?')}")
    for fault in faults:
        print(f"untyped: {fault}")
    print(f"untyped mappings: {found.total()} in {lines} lines of edge, {rate:.2f} in 1,000 (aim: {AIM_PER_1000:g})")
    print(f"beside them {made} mentions of JSON made from typed values (JsonObject)")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
