"""The demo's declarations: invented vehicles, as the central platform would publish them. One fresh declaration per
visit."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from edge import clock

ConfirmationRow = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Visit:
    """What is declared of one sample clip's vehicle, and which confirmations stand when it comes."""

    procedure: str
    plate: str
    country: str
    declarant: str
    goods: str
    given: tuple[ConfirmationRow, ...]
    requires: tuple[tuple[str, bool], ...] = ()


def export_at_b1(plate: str) -> Visit:
    """Art. 4.2: everything up to customs and health at B1 is there; the border guard's own confirmation is not."""
    given = (
        ("b2_in", "CU", "pass"),
        ("b2_in", "BG", "pass"),
        ("b2_in", "SYS", "passed"),
        ("yard_in", "SYS", "auto"),
        ("in_yard", "CU", "storage"),
        ("in_yard", "CU", "goods_type"),
        ("in_yard", "BG", "weight_class"),
        ("in_yard", "HE", "quarantine"),
        ("in_yard", "PQ", "quarantine"),
        ("fee", "GC", "fee"),
        ("yard_out", "SYS", "auto"),
        ("b1_out", "CD", "permit"),
        ("b1_out", "CU", "pass"),
        ("b1_out", "HE", "pass"),
    )
    requires = (("plant_quarantine", True), ("fee", True))
    return Visit("EX-IN", plate, "VN", "Công ty TNHH Nông sản Mẫu (ví dụ)", "Thanh long tươi", given, requires)


def import_at_yard(plate: str) -> Visit:
    """Art. 5.2: through B1 already, now at the yard's entry, which confirms and opens by itself."""
    given = (
        ("b1_in", "CD", "permit"),
        ("b1_in", "CU", "pass"),
        ("b1_in", "HE", "pass"),
        ("b1_in", "BG", "pass"),
        ("b1_in", "SYS", "passed"),
    )
    return Visit("IM-IN", plate, "CN", "Công ty CP Nhập khẩu Mẫu (ví dụ)", "Linh kiện điện tử", given, (("fee", True),))


def declare(visit: Visit, folder: Path, number: int) -> Path:
    """Write the declaration for the `number`-th visit where `barie central` publishes it from."""
    now = datetime.now(clock.VIETNAM)
    stamps = (now - timedelta(minutes=10 * (len(visit.given) - index)) for index in range(len(visit.given)))
    people = {
        "CU": "HQ-0231",
        "BG": "BP-0107",
        "HE": "YT-0042",
        "PQ": "TV-0018",
        "CD": "XD-0009",
        "GC": "TT-0003",
        "SYS": "cks",
    }
    confirmations = [
        {
            "step": step,
            "authority": authority,
            "act": act,
            "at": at.isoformat(timespec="seconds"),
            "by": people[authority],
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
        "requires": dict(visit.requires),
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
