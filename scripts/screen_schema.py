"""Write docs/screen.schema.json: the lane's view as JSON Schema, made from its class."""

from __future__ import annotations

import json
from pathlib import Path

from edge.core.json_shape import schema
from edge.core.view import LaneView

FILE = Path(__file__).resolve().parent.parent / "docs" / "screen.schema.json"


def text() -> str:
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "LaneView"}
    return json.dumps({**head, **schema(LaneView)}, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
    print(FILE)
