"""Frozen dataclasses as JSON: their text, their keys and their schema, all from the same fields. Pure.

A field's name is its key. A PART lies open in the object itself, and nothing of it stands there where it is None; what
is OPTIONAL is left out where it is None. Everything else always stands there, null where nothing is known.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from edge.core.law.declaration_json import confirmation_to_json
from edge.core.model import Confirmation

Json = str | int | float | bool | list["Json"] | dict[str, "Json"] | None
JsonObject = dict[str, Json]

PART, OPTIONAL = "part", "optional"
"""How a field stands in the JSON, where it is no plain key: `Annotated[X, PART]`."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key of an object: `required`, it always stands there."""

    name: str
    type: Any
    required: bool


def object_of(value: Any) -> JsonObject:
    """A dataclass's fields, in order: what a part says is said again by a later field."""
    row: JsonObject = {}
    for name, _, marks in _fields(type(value)):
        said = getattr(value, name)
        if PART in marks:
            row |= {} if said is None else object_of(said)
        elif said is not None or OPTIONAL not in marks:
            row[name] = to_json(said)
    return row


def to_json(value: Any) -> Json:
    """A value of the core as JSON. Raises TypeError for what has no shape there."""
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, Confirmation):
        return confirmation_to_json(value)
    if dataclasses.is_dataclass(value):
        return object_of(value)
    if isinstance(value, Mapping):
        return {str(key): to_json(one) for key, one in value.items()}
    if isinstance(value, frozenset):
        return [to_json(one) for one in sorted(value)]
    if isinstance(value, list | tuple):
        return [to_json(one) for one in value]
    raise TypeError(f"{type(value).__name__} has no JSON")


def keys_of(of: type, *, required: bool = True) -> Iterator[Key]:
    """Every key that its JSON may have, those of its parts among them; a later one of a name replaces it."""
    found: dict[str, Key] = {}
    for name, hint, marks in _fields(of):
        if PART in marks:
            inner, absent = _without_none(hint)
            found |= {key.name: key for key in keys_of(inner, required=required and not absent)}
        else:
            before = found.get(name)
            stands = required and (OPTIONAL not in marks or (before is not None and before.required))
            found[name] = Key(name, hint if before is None else before.type | hint, stands)
    yield from found.values()


# ---------------------------------------------------------------- its schema

PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean", NoneType: "null"}


def schema(hint: Any) -> JsonObject:
    """JSON Schema (2020-12) of a type of the core. Further keys are allowed: the contract may grow."""
    origin, args = get_origin(hint), get_args(hint)
    if hint in PLAIN:
        return {"type": PLAIN[hint]}
    if origin is Annotated:
        return schema(args[0])
    if origin is Literal:
        return {"enum": list(args)} if len(args) > 1 else {"const": args[0]}
    if origin in (Union, UnionType):
        return {"anyOf": [schema(one) for one in args]}
    if origin in (list, frozenset, Sequence) or (origin is tuple and args[-1:] == (Ellipsis,)):
        return {"type": "array", "items": schema(args[0])}
    if origin is tuple:
        return {
            "type": "array",
            "prefixItems": [schema(one) for one in args],
            "minItems": len(args),
            "maxItems": len(args),
        }
    if origin in (dict, Mapping):
        return {"type": "object", "additionalProperties": schema(args[1])}
    if hint is Confirmation:
        return _object_schema([Key(key.name, key.type, key.name != "plate") for key in keys_of(Confirmation)])
    if dataclasses.is_dataclass(hint):
        return _object_schema(keys_of(hint if isinstance(hint, type) else type(hint)))
    return {}  # any JSON


def _object_schema(keys: Iterator[Key] | Sequence[Key]) -> JsonObject:
    known = list(keys)
    return {
        "type": "object",
        "properties": {key.name: schema(key.type) for key in known},
        "required": [key.name for key in known if key.required],
    }


# ---------------------------------------------------------------- fields


def _fields(of: type[Any]) -> tuple[tuple[str, Any, tuple[str, ...]], ...]:
    """Name, type and marks of each field of a dataclass; worked out once, as the types are spelt as texts."""
    if of not in _KNOWN:
        hints = get_type_hints(of, include_extras=True)
        _KNOWN[of] = tuple((one.name, *_unmarked(hints[one.name])) for one in dataclasses.fields(of))
    return _KNOWN[of]


_KNOWN: dict[type[Any], tuple[tuple[str, Any, tuple[str, ...]], ...]] = {}


def _unmarked(hint: Any) -> tuple[Any, tuple[str, ...]]:
    if get_origin(hint) is Annotated:
        inner, *marks = get_args(hint)
        return inner, tuple(marks)
    return hint, ()


def _without_none(hint: Any) -> tuple[type, bool]:
    """The part's class, and whether it may be None."""
    if get_origin(hint) in (Union, UnionType):
        inner = [one for one in get_args(hint) if one is not NoneType]
        return inner[0], True
    return hint, False
