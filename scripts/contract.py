"""The contract as machines read it: one JSON Schema and one invented example for each kind and stage of an event, from
the classes that the gate writes them with (edge/core/bodies.py). `scripts/contract` writes them, the tests hold them.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from edge.core.bodies import BODIES, Body
from edge.core.json_shape import JsonObject, keys_of, schema
from edge.core.model import Confirmation, Reason

DOCS = Path(__file__).resolve().parent.parent / "docs"
SCHEMAS, EXAMPLES = DOCS / "schemas" / "bodies.schema.json", DOCS / "examples" / "bodies.jsonl"
AT, ID = "2026-11-20T09:10:00.123+07:00", "019a9f3e-1c00-7a3b-8c4d-5e6f708192a3"
TEXTS: Mapping[str, str] = {
    "passage": ID, "by": "BP-0107", "role": "guard", "second": "BP-0001", "second_role": "shift_leader",
    "declaration": "CKS-2026-000123", "picked": "CKS-2026-000123", "plate": "12C12345", "text": "12C12345",
    "raw": "12C-123.45", "country": "VN", "kind": "vn_vehicle", "layout": "two_line", "step": "b1_out",
    "place": "b1", "direction": "out_of_area", "authority": "BG", "act": "pass", "at": AT, "since": AT,
    "article": "27/2025 Art. 4.2.g",
    "rules": "0" * 64, "table_sha256": "0" * 64, "sha256": "0" * 64, "centre_hash": "0" * 64, "own_hash": "1" * 64,
    "software": "0.2.0", "table": "27-2025", "id": ID, "event_id": ID, "camera": "b1-out-front",
    "photo_of": "12C12345", "outcome": "through", "reason": "ordered", "words": "theo lệnh", "command": "c-0001",
    "action": "open", "code": "guard_opens", "detail": "", "typed": "12C12345", "read": "12C12846",
    "account": "BP-0108", "day": "2026-11-19", "yard": "yard-1", "sent_by": "Chi cục Ví Dụ", "record_no": "BB-17",
    "name": "Lính gác Ví Dụ", "form": "PAPER-0001", "alarm": "gate/link", "labelled": ID, "photo": ID,
}  # fmt: skip
"""Invented values by key; any other text is a word of no meaning."""
RAW: Mapping[str, Any] = {"was": {"event_id": ID, "seq": 41, "kind": "passage", "body": {"stage": "ended"}}}


def stages(body: type[Body]) -> list[str]:
    """The stages that a class stands for; "" for the one of a kind without stages."""
    hint = next((key.type for key in keys_of(body) if key.name == "stage"), None)
    return [str(one) for one in _choices(hint)] if hint is not None else [""]


def _choices(hint: Any) -> Sequence[Any]:
    """The values of a Literal, however wrapped."""
    origin = get_origin(hint)
    if origin is Literal:
        return get_args(hint)
    return [value for one in get_args(hint) for value in _choices(one)]


def names() -> dict[str, list[tuple[type[Body], str]]]:
    """ "kind" or "kind.stage", and the classes that it may be."""
    found: dict[str, list[tuple[type[Body], str]]] = {}
    for body in BODIES:
        for stage in stages(body):
            found.setdefault(f"{body.KIND}.{stage}" if stage else body.KIND, []).append((body, stage))
    return dict(sorted(found.items()))


def _schema(body: type[Body], stage: str) -> JsonObject:
    one = schema(body)
    described = (body.__doc__ or "").split("\n\n")[0].strip()
    row: dict[str, Any] = {"title": body.__name__}
    if not described.startswith(f"{body.__name__}("):  # what dataclass writes by itself says nothing
        row["description"] = " ".join(described.split())
    properties = dict(one["properties"])  # type: ignore[arg-type]
    if stage:
        properties["stage"] = {"const": stage}
    properties["evidence"] = {"type": "array", "items": {"$ref": "#/$defs/photo"}}
    return {**row, **one, "properties": properties}


def schemas() -> str:
    """Every kind and stage under `$defs`."""
    photo = {
        "type": "object",
        "description": "A photo of this event, as `{lane}/evidence/{event_id}` brings it",
        "properties": {"id": {"type": "string"}, "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
                       "name": {"type": "string"}},
        "required": ["id", "sha256", "name"],
    }  # fmt: skip
    found: dict[str, Any] = {"photo": photo}
    for name, classes in names().items():
        each = [_schema(body, stage) for body, stage in classes]
        found[name] = each[0] if len(each) == 1 else {"anyOf": each}
    whole = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "bodies.schema.json",
        "title": "What an event's body says, by its kind and its stage",
        "description": "Written by scripts/contract from the classes that the gate writes them with. Further keys may "
        "come; a consumer ignores those that it does not know.",
        "$defs": found,
    }
    return json.dumps(whole, ensure_ascii=False, indent=1) + "\n"


def examples() -> str:
    """One line for each class at each of its stages: `{"name", "kind", "body"}`."""
    return "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in _examples())


def _examples() -> Iterator[dict[str, Any]]:
    for name, classes in names().items():
        for body, stage in classes:
            yield {"name": name, "kind": body.KIND, "body": _object(body) | ({"stage": stage} if stage else {})}


def _object(of: type) -> dict[str, Any]:
    return {key.name: invented(key.type, key.name) for key in keys_of(of)}


def invented(hint: Any, name: str) -> Any:
    """A value of this type that means nothing: invented plates, names and numbers."""
    origin, args = get_origin(hint), get_args(hint)
    if name in RAW and origin is dict:
        return RAW[name]
    if origin is Annotated:
        return invented(args[0], name)
    if origin is Literal:
        return args[0]
    if origin in (Union, UnionType):
        return invented(next(one for one in args if one is not NoneType), name)
    if origin is tuple and args[-1:] != (Ellipsis,):
        return [invented(one, name) for one in args]
    if origin in (list, tuple, frozenset, Sequence):
        return [invented(args[0], name)]
    if origin in (dict, Mapping):
        return {"room" if args[1] is int else "reader": invented(args[1], name)}
    if hint is Reason:  # as core.json_shape writes it
        return {"code": TEXTS["code"], "text": "x / x", "article": TEXTS["article"]}
    if dataclasses.is_dataclass(hint):
        row = _object(hint if isinstance(hint, type) else type(hint))
        return {key: value for key, value in row.items() if hint is not Confirmation or key != "plate"}
    return {str: TEXTS.get(name, "x"), int: 1, float: 1.0, bool: False}.get(hint)


def main() -> int:
    EXAMPLES.parent.mkdir(exist_ok=True)
    SCHEMAS.write_text(schemas(), encoding="utf-8")
    EXAMPLES.write_text(examples(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
