"""Every press that a screen may send: the table in actions.toml, strictly read. Rights, buttons, reasons, holds, what
may be done now and who does it all come from it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

from edge.errors import ConfigError

Scope = Literal["passage", "lane", "gate"]
Asked = Literal["reason", "hold", "second", "second_if_asked", "sheet"]
Condition = Literal[
    "released",
    "stands",
    "judged_and_free",
    "choice",
    "vehicles",
    "transfer",
    "on_paper",
    "always",
    "held",
    "not_held",
    "not_down",
    "fault",
    "link_not_up",
    "paper_tasks",
    "yard",
]
"""What `offered` may name: see `passage_conditions` in edge/agent/lane/view.py and `lane_conditions` in
edge/agent/actions/desk.py."""
FILE = Path(__file__).with_name("actions.toml")


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, slots=True)
class ActionRow:
    """One row of the table; its file says what each key means."""

    scope: Scope
    roles: frozenset[str]
    handler: str
    needs: frozenset[Asked] = frozenset()
    offered: frozenset[Condition] = field(default_factory=frozenset)
    shown: Literal["others", "more", "own"] = "own"
    title: str = ""
    anywhere: bool = False
    newest: bool = False
    unrecorded: str = ""

    @property
    def group(self) -> str:
        return self.handler.partition(".")[0]

    @property
    def method(self) -> str:
        return self.handler.partition(".")[2]


ActionTable = Mapping[str, ActionRow]
"""name -> its row, in the file's order, which is the order of buttons."""


def load_actions(path: Path = FILE) -> ActionTable:
    """Raises ConfigError naming every row and key that is wrong."""
    try:
        return TypeAdapter(dict[str, ActionRow]).validate_python(tomllib.loads(path.read_text(encoding="utf-8")))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(path.name, [str(error)]) from error
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()]
        raise ConfigError(path.name, faults) from error


@cache
def actions() -> ActionTable:
    """The product's own table."""
    return load_actions()


def offered(scope: Scope, holds: Iterable[Condition]) -> list[str]:
    """The presses of this scope that may be done where these conditions hold."""
    return [name for name, row in actions().items() if row.scope == scope and row.offered & set(holds)]
