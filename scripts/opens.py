"""What each dependency opens, reads and starts: by what it does as it is imported, and by what its code could.

At import: a process of its own for each package, where Python's audit hooks (sys.addaudithook) write down connections,
programs, threads and files outside the interpreter and the packages. Could: the modules that its Python names, and the
functions of the C library that its native code asks the linker for. docs/audit.toml lists what each package is known
to be able to do, and why the gate has it: a new version that can do more is told, and `scripts/audit` ends with 1.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

MODULES = {
    "network": ("socket", "ssl", "http.client", "urllib.request", "ftplib", "smtplib", "socketserver"),
    "programs": ("subprocess", "multiprocessing", "pty", "webbrowser"),
    "memory": ("ctypes", "mmap"),
}
SYMBOLS = {
    "network": ("connect", "getaddrinfo", "gethostbyname", "bind"),
    "programs": ("execve", "execv", "execvp", "fork", "vfork", "posix_spawn", "posix_spawnp", "system", "popen"),
}
"""What lets code do it: "network": call or be called; "programs": start other programs or processes; "memory": foreign
memory by address (ctypes, mmap). "native": machine code at all, which no hook of Python's sees."""
_IMPORT = re.compile(rb"^\s*(?:import|from)\s+([A-Za-z0-9_.]+)", re.MULTILINE)
_NOT_RUN = ("tests", "test", "testing", "examples")
_WATCH = """
import json, os, sys
seen = {"connections": [], "programs": [], "threads": 0, "reads": [], "writes": []}
inside = tuple(os.path.realpath(one) for one in {sys.prefix, sys.base_prefix, *sys.path[1:]} if one)
def hook(event, args):
    if event in ("socket.connect", "socket.bind", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname"):
        seen["connections"].append(f"{event} {args[-1]!r}"[:100])
    elif event in ("subprocess.Popen", "os.exec", "os.posix_spawn", "os.system", "os.fork"):
        seen["programs"].append(str(args[0])[:100])
    elif event == "_thread.start_new_thread":
        seen["threads"] += 1
    elif event == "open" and isinstance(args[0], (str, bytes)):
        path = os.path.realpath(os.fsdecode(args[0]))
        writes = isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if writes or not path.startswith(inside):
            seen["writes" if writes else "reads"].append(path)
sys.addaudithook(hook)
import importlib
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
    except ImportError as error:
        print(f"{name}: {error}", file=sys.stderr)
print(json.dumps({key: sorted(set(one)) if isinstance(one, list) else one for key, one in seen.items()}))
"""


@dataclass(frozen=True, slots=True)
class Opens:
    """`at_import`: by kind, what it did. `could`: its abilities."""

    name: str
    at_import: Mapping[str, object]
    could: frozenset[str]

    @property
    def busy(self) -> list[str]:
        """Kinds of what it did as it was imported that no import should."""
        return [kind for kind in ("connections", "programs", "writes") if self.at_import.get(kind)]


def looked_at(name: str) -> Opens | None:
    """None where the package is not installed here."""
    try:
        found = distribution(name)
    except PackageNotFoundError:
        return None
    return Opens(name, _imported(_modules(found)), frozenset(_abilities(_files(found))))


def told(one: Opens) -> str:
    did = [f"{kind}: {', '.join(rows)}" for kind, rows in one.at_import.items() if isinstance(rows, list) and rows]
    did += [f"threads: {one.at_import['threads']}"] if one.at_import.get("threads") else []
    return (
        f"{one.name}: could {', '.join(sorted(one.could)) or 'nothing of it'}; at import {'; '.join(did) or 'nothing'}"
    )


def more_than(one: Opens, known: Mapping[str, Sequence[str]]) -> list[str]:
    """What it can do beyond what is known of it, and what it did at import that no package may."""
    return sorted(one.could - set(known.get(one.name, ()))) + [f"{kind} at import" for kind in one.busy]


def _modules(found: Distribution) -> list[str]:
    """Its top-level modules, by the files that it brought."""
    tops = set()
    for file in found.files or ():
        parts = file.parts
        if parts[0].endswith((".dist-info", ".data", ".libs")) or parts[0] in ("..", "bin", "__pycache__"):
            continue
        if len(parts) > 1 and parts[1] == "__init__.py":
            tops.add(parts[0])
        elif len(parts) == 1 and file.suffix in (".py", ".so"):
            tops.add(parts[0].partition(".")[0])
    return sorted(tops)


def _files(found: Distribution) -> Iterable[Path]:
    for file in found.files or ():
        if (file.suffix in (".py", ".so") or ".so." in file.name) and not set(file.parts[:-1]) & set(_NOT_RUN):
            path = Path(str(found.locate_file(file)))
            if path.is_file():
                yield path


def _abilities(files: Iterable[Path]) -> Iterable[str]:
    for path in files:
        data = path.read_bytes()
        if path.suffix == ".py":
            named = {one.decode("ascii", "replace") for one in _IMPORT.findall(data)}
            for ability, modules in MODULES.items():
                if any(one == each or one.startswith(f"{each}.") for one in named for each in modules):
                    yield ability
        else:
            yield "native"
            for ability, symbols in SYMBOLS.items():
                if any(b"\0" + symbol.encode() + b"\0" in data for symbol in symbols):
                    yield ability


def _imported(modules: Sequence[str]) -> dict[str, object]:
    with tempfile.TemporaryDirectory(prefix="barie-audit-") as home:
        environment = {**os.environ, "HOME": home, "PYTHONDONTWRITEBYTECODE": "1", "ORT_DISABLE_TELEMETRY": "1"}
        line = [sys.executable, "-c", _WATCH, *modules]
        ran = subprocess.run(line, capture_output=True, text=True, check=False, timeout=120, env=environment, cwd=home)
        left = [str(path.relative_to(home)) for path in Path(home).rglob("*") if path.is_file()]
    seen: dict[str, object] = (
        json.loads(ran.stdout.splitlines()[-1]) if ran.stdout else {"programs": [ran.stderr[-300:]]}
    )
    return {**seen, "writes": [*seen.get("writes", []), *left]}  # type: ignore[misc]
