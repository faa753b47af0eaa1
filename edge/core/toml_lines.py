"""Where in a TOML text a table, key or entry stands, because the standard reader gives values without lines. Pure.

Not a parser: it runs only over texts that the real one accepted, to say in which line a fault is.
"""

from __future__ import annotations

import re

_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"""|\'\'\'.*?\'\'\'|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|#[^\n]*|[\[\]{}\n]', re.DOTALL
)
_HEADER = re.compile(r"[ \t]*\[\[?[ \t]*([^\]\n]+?)[ \t]*\]\]?")
_KEY = re.compile(r"[ \t]*([\w.\"'-]+)[ \t]*=")


class TomlLines:
    """Line numbers (from 1) of a TOML text's tables, keys and the inline tables of its arrays."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._found: dict[tuple[str, ...], int] = {}
        self._path: tuple[str, ...] = ()
        self._scan()

    def of(self, *path: str) -> int:
        """The line of the deepest part of a path that the text has; an array's nth inline table is named by its
        index.
        """
        for length in range(len(path), 0, -1):
            line = self._found.get(path[:length])
            if line is not None:
                return line
        return 1

    def _scan(self) -> None:
        start, line, depth = 0, 1, 0
        key: tuple[str, ...] = ()
        entries = 0
        if (first := self._statement(0, 1)) is not None:
            key = first
        for token in _TOKEN.finditer(self._text):
            mark = token.group()
            if mark == "{":
                if depth == 1:
                    self._found.setdefault((*key, str(entries)), line)
                    entries += 1
                depth += 1
            elif mark == "[":
                depth += 1
            elif mark in "]}":
                depth -= 1
            line += mark.count("\n")
            if mark == "\n" and depth == 0:
                start, entries = token.end(), 0
                key = self._statement(start, line) or key

    def _statement(self, start: int, line: int) -> tuple[str, ...] | None:
        if header := _HEADER.match(self._text, start):
            self._path = tuple(part.strip("\"' ") for part in header.group(1).split("."))
            for length in range(1, len(self._path) + 1):
                self._found.setdefault(self._path[:length], line)
            return None
        if found := _KEY.match(self._text, start):
            key = (*self._path, *(part.strip("\"'") for part in found.group(1).split(".")))
            self._found.setdefault(key, line)
            return key
        return None
