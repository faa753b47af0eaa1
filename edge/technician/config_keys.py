# ruff: noqa: E501 - the head of a page
"""The keys of the configuration as data, read from `config/gate.example.toml`: the one place that explains them.

`docs/configuration.md` and the comments in what `barie setup` writes both come from here.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge import resources

EXAMPLE = "gate.example.toml"
_TABLE = re.compile(r"^(# )?\[{1,2}([a-z_.]+)\]{1,2}\s*(?:#\s*(.*))?$")
_KEY = re.compile(r"^(# )?([a-z][a-z0-9_]*) = (.*)$")
_VALUE = re.compile(
    r'\["[^\]]*\]|"[a-zA-Z0-9_.:{}-]*"|\b[a-z_.]+ = (?:true|false|"[^"]*")|\b(?:true|false|lcus|gpio)\b(?!\.)'
    r"|\b(?:[a-z]+\.)?[a-z]+(?:_[a-z]+)+\b|\bb[12]\b"
)
"""What in a comment is a value or a key, and no word."""
_OPEN, _SHUT = "[{", "]}"


@dataclass(frozen=True, slots=True)
class Key:
    """`value` as TOML. `is_default`: it stands there as a comment, and so is the default or, where there is none, an
    example."""

    table: str
    name: str
    value: str
    is_default: bool
    meaning: str


@dataclass(frozen=True, slots=True)
class Table:
    name: str
    is_list: bool
    meaning: str
    keys: tuple[Key, ...]


def tables(text: str | None = None) -> tuple[Table, ...]:
    """Every table with its keys, in the order of the example. Raises ConfigError where the example is missing."""
    lines = (text if text is not None else resources.config_text(EXAMPLE)[0]).splitlines()
    found: list[Table] = []
    for line in lines:
        if head := _TABLE.match(line):
            is_list = "[[" in line
            if all(table.name != head[2] for table in found):
                found.append(Table(head[2], is_list, head[3] or "", ()))
        elif found and (match := _KEY.match(line)):
            value, meaning = _split(match[3])
            key = Key(found[-1].name, match[2], value, match[1] is not None, meaning)
            if all(known.name != key.name for known in found[-1].keys):
                found[-1] = Table(found[-1].name, found[-1].is_list, found[-1].meaning, (*found[-1].keys, key))
    return tuple(found)


def _split(rest: str) -> tuple[str, str]:
    """The value and its comment: the first # outside a string."""
    quoted = False
    for at, letter in enumerate(rest):
        if letter == '"' and rest[at - 1 : at] != "\\":
            quoted = not quoted
        elif letter == "#" and not quoted:
            return rest[:at].strip(), rest[at + 1 :].strip()
    return rest.strip(), ""


# ---------------------------------------------------------------- writing a config


def written(answers: Mapping[str, Any], head: str) -> str:
    """A whole config with `answers` in it, every other key beside them as a comment with its default and meaning."""
    known = tables()
    lines = [f"# {line}".rstrip() for line in head.splitlines()]
    for table in known:
        if "." not in table.name:
            value = answers.get(table.name)
            if table.is_list:
                for one in value or ():
                    lines += _table_lines(known, table, one)
            elif value is not None or table.name in ("store", "vision", "law", "panel"):
                lines += _table_lines(known, table, value or {})
    return "\n".join(lines) + "\n"


def _table_lines(known: tuple[Table, ...], table: Table, values: Mapping[str, Any]) -> Iterator[str]:
    inner = [t for t in known if t.name.startswith(f"{table.name}.") and t.name.count(".") == table.name.count(".") + 1]
    names = {t.name.rpartition(".")[2] for t in inner}
    brackets = ("[[", "]]") if table.is_list else ("[", "]")
    yield ""
    yield f"{brackets[0]}{table.name}{brackets[1]}" + (f"  # {table.meaning}" if table.meaning else "")
    shown = {key.name for key in table.keys}
    for key in table.keys:
        if key.name in values:
            yield _line(f"{key.name} = {toml(values[key.name])}", key.meaning)
        else:
            yield _line(f"# {key.name} = {key.value}", key.meaning)
    for name in values:
        if name not in shown and name not in names:
            yield f"{name} = {toml(values[name])}"
    for below in inner:
        value = values.get(below.name.rpartition(".")[2])
        for one in value if isinstance(value, list) else [value] if value is not None else []:
            yield from _table_lines(known, below, one)


def _line(text: str, meaning: str) -> str:
    return f"{text:<40} # {meaning}" if meaning else text


def toml(value: Any) -> str:
    """A plain value as TOML."""
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case str():
            return '"' + "".join(_letter(letter) for letter in value) + '"'
        case Mapping():
            return "{ " + ", ".join(f"{name} = {toml(inner)}" for name, inner in value.items()) + " }"
        case list() | tuple():
            return "[" + ", ".join(toml(inner) for inner in value) + "]"
    raise TypeError(f"{type(value).__name__} has no TOML form here")


def _letter(letter: str) -> str:
    if letter in '"\\':
        return "\\" + letter
    return letter if letter >= " " and letter != "\x7f" else f"\\u{ord(letter):04x}"


# ---------------------------------------------------------------- the page


def page() -> str:
    """docs/configuration.md. Raises ConfigError where the example is missing."""
    parts = [_HEAD]
    for table in tables():
        name = f"[[{table.name}]]" if table.is_list else f"[{table.name}]"
        parts.append(f"\n## `{name}`\n" + (f"\n{_sentence(table.meaning)}\n" if table.meaning else ""))
        if table.keys:
            parts.append("\n| key | value | meaning |\n| --- | --- | --- |\n")
            parts += [_row(key) for key in table.keys]
    return "".join(parts)


def _row(key: Key) -> str:
    value = f"`{key.value}`" if key.value not in ('""', "{}") else ""
    meaning = key.meaning.replace("|", "\\|")
    return f"| `{key.name}`{'' if key.is_default else ' *'} | {value.replace('|', chr(92) + '|')} | {_sentence(meaning)} |\n"


def _sentence(text: str) -> str:
    """A comment as the page says it: values as code and as they are written, the first word of others capitalised."""
    told = _VALUE.sub(r"`\g<0>`", text)
    return told[:1].upper() + told[1:]


_HEAD = """\
# Configuration

<!-- Written by `scripts/config-page` from config/gate.example.toml: change it there. -->

One TOML file for one gate PC, `/etc/barie/gate.toml`. It is read strictly: an unknown key, a wrong type or a contradiction stops
the start, every fault at once, each with its key. `barie config check FILE` says the same beforehand; `barie setup` writes the
file; whole examples stand in `config/examples/`.

**Secrets** stand in files of their own, mode 0640 and group `barie`, or in systemd's credentials: a value `credential:NAME` is the credential NAME of
`barie.service` (`systemctl edit barie`: `LoadCredentialEncrypted=NAME:/etc/credstore.encrypted/NAME`, made by `systemd-creds encrypt`).

**Reload**: `systemctl reload barie` reads the file again. A faulty one is refused and the old one stays in force, as the log says; cameras and what
the store keeps change at once, and for every other changed key the log says that it waits for a restart.

A key with * has to be there; every other shows its default, or an example where it has none.
"""


def main(argv: list[str] | None = None) -> int:
    """`scripts/config-page`: the page written anew."""
    Path("docs/configuration.md").write_text(page(), encoding="utf-8")
    tomllib.loads(resources.config_text(EXAMPLE)[0])
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
