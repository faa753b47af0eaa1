"""Frozen dataclasses as JSON: their text, their keys and their schema, all from the same fields. Pure.

A field's name is its key. A PART lies open in the object itself, and nothing of it stands there where it is None; what
is OPTIONAL is left out where it is None. Everything else always stands there, null where nothing is known.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, replace
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NoReturn, Union, get_args, get_origin, get_type_hints

from edge.core.law.declaration_json import confirmation_to_json, declaration_to_json
from edge.core.model import Confirmation, Declaration, Name, Reason

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
    if isinstance(value, Declaration):
        return declaration_to_json(value)
    if isinstance(value, Reason):  # the contract's (docs/protocol.md): one line for all readers
        return {"code": value.code, "text": value.text.both, "article": value.article}
    if isinstance(value, Name):
        return {"vi": value.vi, "en": value.en, **({"zh": value.zh} if value.zh else {})}
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


# ---------------------------------------------------------------- read again


def read(hint: Any, value: Any, made: Mapping[type, Callable[[Any], Any]] | None = None, at: str = "") -> Any:
    """What `to_json` of a value of this type gave, as that value again. `made`: types that are read otherwise. Raises
    ValueError naming the key that is wrong; what is not known is ignored."""
    origin, args = get_origin(hint), get_args(hint)
    if made and hint in made:
        return made[hint](value)
    if origin is Annotated:
        return read(args[0], value, made, at)
    if origin in (Union, UnionType):
        return _read_one_of(args, value, made, at)
    if origin is Literal:
        return value if value in args else _wrong(at, f"one of {args}")
    if origin in (list, tuple, frozenset, Sequence):
        return _read_row(origin, args, value, made, at)
    if origin in (dict, Mapping):
        rows = value if isinstance(value, Mapping) else _wrong(at, "an object")
        return {str(key): read(args[1], one, made, f"{at}.{key}") for key, one in rows.items()}
    if hint in PLAIN:
        fits = value is None if hint is NoneType else isinstance(value, (int, float) if hint is float else hint)
        return value if fits and (hint is bool or not isinstance(value, bool)) else _wrong(at, PLAIN[hint])
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return _read_object(hint, value if isinstance(value, Mapping) else _wrong(at, "an object"), made, at)
    return value


def _read_object(hint: type, row: Mapping[str, Any], made: Mapping[type, Callable[[Any], Any]] | None, at: str) -> Any:
    needed = {one.name for one in dataclasses.fields(hint) if one.default is MISSING and one.default_factory is MISSING}
    said: dict[str, Any] = {}
    for name, inner, marks in _fields(hint):
        if PART in marks:
            part, absent = _without_none(inner)
            if absent and not any(key.name in row for key in keys_of(part)):
                said[name] = None
            else:
                said[name] = read(part, row, made, at)
        elif name in row:
            said[name] = read(inner, row[name], made, f"{at}.{name}")
        elif name in needed:
            _wrong(f"{at}.{name}", "there")
    return hint(**said)


def _read_one_of(args: tuple[Any, ...], value: Any, made: Mapping[type, Callable[[Any], Any]] | None, at: str) -> Any:
    if value is None and NoneType in args:
        return None
    fault: ValueError | None = None
    for one in args:
        try:
            return read(one, value, made, at)
        except ValueError as error:
            fault = fault or error
    raise fault or ValueError(at)


def _read_row(
    kind: Any, args: tuple[Any, ...], value: Any, made: Mapping[type, Callable[[Any], Any]] | None, at: str
) -> Any:
    if not isinstance(value, list | tuple):
        _wrong(at, "an array")
    if kind is tuple and args[-1:] != (Ellipsis,):
        if len(value) != len(args):
            _wrong(at, f"{len(args)} values")
        return tuple(read(one, part, made, f"{at}.{n}") for n, (one, part) in enumerate(zip(args, value, strict=True)))
    rows = [read(args[0], one, made, f"{at}.{n}") for n, one in enumerate(value)]
    return rows if kind is list else tuple(rows) if kind in (tuple, Sequence) else frozenset(rows)


def _wrong(at: str, what: str) -> NoReturn:
    raise ValueError(f"{at.lstrip('.')}: must be {what}")


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
    if hint in (Confirmation, Name):
        return _object_schema([replace(key, required=key.name not in ("plate", "zh")) for key in keys_of(hint)])
    if hint is Reason:
        return _object_schema([replace(key, type=str) for key in keys_of(Reason)])
    if hint is Declaration:
        return {"type": "object"}  # docs/schemas/declaration.schema.json
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
