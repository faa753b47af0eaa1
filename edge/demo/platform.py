"""The demo's declarations: invented vehicles, as the central platform would publish them. One fresh declaration per
visit."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from edge import clock, resources
from edge.errors import ConfigError

PERSON = "{authority}-0001"
"""Who confirms for an authority."""


@dataclass(frozen=True, slots=True)
class Visit:
    """What is declared of one sample clip's vehicle, and which confirmations (step, authority, act) stand when it
    comes."""

    procedure: str
    country: str
    declarant: str
    goods: str
    requires: dict[str, bool]
    given: list[list[str]]
    plate: str


def visit(clip: str) -> Visit | None:
    """What sample_videos/declared.toml and the clip's own expectation say; None: nothing is declared. Raises
    ConfigError."""
    videos = resources.sample_videos()
    path = videos / "declared.toml"
    try:
        declared = tomllib.loads(path.read_text(encoding="utf-8")).get(clip)
        expected = json.loads((videos / f"{clip}.expected.json").read_text(encoding="utf-8"))
        return Visit(**declared, plate=str(expected["passages"][0]["plate"])) if declared else None
    except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
        raise ConfigError(str(path), [f"{clip}: {error!r}"]) from error


def declare(visit: Visit, folder: Path, number: int) -> Path:
    """Write the declaration for the `number`-th visit where `barie central` publishes it from."""
    now = datetime.now(clock.VIETNAM)
    stamps = (now - timedelta(minutes=10 * (len(visit.given) - index)) for index in range(len(visit.given)))
    confirmations = [
        {
            "step": step,
            "authority": authority,
            "act": act,
            "at": at.isoformat(timespec="seconds"),
            "by": PERSON.format(authority=authority),
            "via": "platform",
        }
        for (step, authority, act), at in zip(visit.given, stamps, strict=True)
    ]
    declaration: dict[str, Any] = {
        "id": f"CKS-DEMO-{visit.procedure}-{number:06d}",
        "version": 1,
        "state": "active",
        "procedure": visit.procedure,
        "declared_at": (now - timedelta(hours=6)).isoformat(timespec="seconds"),
        "vehicles": [
            {
                "role": "vehicle",
                "plate": visit.plate,
                "country": visit.country,
                "class": "from_18t",
                "container": "MSKU1234565",
                "seal": "VN0012345",
                "driver": {"name": "Người lái Ví Dụ", "phone": "0000000000"},
            }
        ],
        "requires": visit.requires,
        "goods": [{"name": visit.goods, "quantity": 18, "unit": "tấn"}],
        "declarant": {"name": visit.declarant, "tax_code": "0000000000"},
        "customs_declaration": {"number": "000000000000", "date": now.date().isoformat()},
        "transfer": None,
        "confirmations": confirmations,
    }
    path = folder / f"{declaration['id']}.json"
    part = path.with_suffix(".part")
    part.write_text(json.dumps(declaration, ensure_ascii=False, indent=1), encoding="utf-8")
    part.replace(path)
    return path
