"""A small desk at the screen's port: one lane whose view a test writes, and which remembers what was pressed."""

from __future__ import annotations

import asyncio
import copy
import io
import threading
from collections.abc import Mapping
from typing import Any

from PIL import Image, ImageDraw

from edge.core.model import Name
from edge.core.view import LaneView
from edge.ports import Action, ActionResult, LanePlace
from tests.panel.views import lane_view_of

BOOM = {"state": "closed", "faults": [], "held": False, "board_ok": True, "present": False}
PLATE = {
    "text": "12C12345",
    "raw": "12C1Z345",
    "country": "VN",
    "kind": "vn_vehicle",
    "layout": "two_line",
    "confidence": 0.97,
    "decided": True,
    "candidates": ["12C12345"],
}


def names(vi: str, en: str) -> dict[str, str]:
    return {"vi": vi, "en": en}


def need(authority: str, act: str, article: str, state: str, at: str | None = None) -> dict[str, Any]:
    acts = {"pass": names("cho qua", "pass"), "permit": names("giấy phép vận tải", "transport permit")}
    who = {
        "BG": names("Biên phòng", "Border guard"),
        "CU": names("Hải quan", "Customs"),
        "HE": names("Kiểm dịch y tế", "Health quarantine"),
        "CD": names("Sở Xây dựng", "Construction dept."),
    }
    by = {"CU": "HQ-0231", "HE": "YT-0077", "CD": "XD-0012"}.get(authority)
    return {
        "authority": authority,
        "authority_name": who.get(authority, names(authority, authority)),
        "act": act,
        "act_name": acts.get(act, names(act, act)),
        "article": article,
        "state": state,
        "by": by if at else None,
        "at": at,
    }


def steps(health: str = "given") -> list[dict[str, Any]]:
    """EX-IN at B1 out; `health` is the state of the health quarantine's confirmation there."""
    day = "2026-11-20T"
    yard = [
        need("CU", act, "27/2025 Art. 4.2.c", "given", f"{day}10:0{n}:00+07:00")
        for n, act in enumerate(("storage", "goods_type"))
    ]

    def step(id: str, vi: str, en: str, state: str, needs: list[dict[str, Any]]) -> dict[str, Any]:
        return {"step": id, "name": names(vi, en), "state": state, "article": "27/2025 Art. 4.2", "needs": needs}

    pair = [need("CU", "pass", "27/2025 Art. 4.2.a", "given", f"{day}09:10:00+07:00")]
    return [
        step("b2_in", "Barie 02 vào", "Barrier 2 in", "done", pair),
        step("yard_in", "Vào bãi", "Yard in", "done", []),
        step("in_yard", "Trong bãi", "In the yard", "done", yard),
        step(
            "fee", "Thu phí", "Fee", "done", [need("GC", "fee", "27/2025 Art. 4.2.đ", "given", f"{day}11:00:00+07:00")]
        ),
        step("yard_out", "Ra bãi", "Yard out", "done", []),
        step(
            "b1_out",
            "Barie 01 ra",
            "Barrier 1 out",
            "here",
            [
                need("CD", "permit", "27/2025 Art. 4.2.g", "given", f"{day}11:20:00+07:00"),
                need("CU", "pass", "27/2025 Art. 4.2.g", "given", f"{day}11:31:00+07:00"),
                need("HE", "pass", "27/2025 Art. 4.2.g", health, f"{day}11:40:00+07:00" if health == "given" else None),
                need("BG", "pass", "27/2025 Art. 4.2.g", "missing"),
            ],
        ),
    ]


DECLARATION = {
    "id": "CKS-2026-000123",
    "version": 7,
    "state": "active",
    "procedure": "EX-IN",
    "declared_at": "2026-11-20T08:00:00+07:00",
    "vehicles": [
        {
            "role": "tractor",
            "plate": "12C12345",
            "country": "VN",
            "class": "from_18t",
            "container": "MSKU1234565",
            "seal": "VN0012345",
            "driver": {"name": "Nông Văn Mẫu", "phone": "0900 000 000"},
        },
        {"role": "trailer", "plate": "12R01234", "country": "VN"},
    ],
    "goods": [{"name": "Sầu riêng tươi", "quantity": 18500, "unit": "kg"}],
    "declarant": {"name": "Công ty TNHH Mẫu Xuất Khẩu", "tax_code": "0100000000"},
}


def passage(verdict: str = "ready", **more: Any) -> dict[str, Any]:
    """A passage at B1 out that waits with this verdict."""
    missing = {"step": "b1_out", "authority": "HE", "act": "pass", "article": "27/2025 Art. 4.2.g"}
    last = {"step": "b1_out", "authority": "BG", "act": "pass", "article": "27/2025 Art. 4.2.g"}
    ways = ["override", "turn_away", "type_plate", "stop", "hold"]
    return {
        "id": "p-1",
        "state": "waiting",
        "began_at": "2026-11-20T11:42:07+07:00",
        "plate": dict(PLATE),
        "plates": [dict(PLATE)],
        "photo": "photo-1",
        "crop": "crop-1",
        "box": [560, 430, 720, 540],
        "frame_size": [1280, 720],
        "captured_at": "2026-11-20T11:42:09.120+07:00",
        "declaration": None if verdict == "unknown" else copy.deepcopy(DECLARATION),
        "others": [],
        "procedure": {
            "id": "EX-IN",
            "name": names("Xuất khẩu, bãi trong cửa khẩu", "Export, yard inside the gate area"),
        },
        "steps": [] if verdict == "unknown" else steps("missing" if verdict == "await" else "given"),
        "verdict": {
            "verdict": verdict,
            "step": "b1_out",
            "missing": {"ready": [last], "await": [missing, last]}.get(verdict, []),
            "reasons": [{"code": "watch_listed", "text": "Xe trong danh sách theo dõi", "article": ""}]
            if verdict == "refuse"
            else [],
        },
        "actions": ["confirm", *ways] if verdict == "ready" else ways,
        "result": None,
        **more,
    }


def lane_view(**more: Any) -> dict[str, Any]:
    return {
        "lane": "b1-out",
        "name": names("B1 chiều ra", "B1 outbound"),
        "place": "b1",
        "direction": "out_of_area",
        "mode": "guard",
        "number": 1,
        "boom": dict(BOOM),
        "cameras": [{"id": "front", "state": "up", "detail": "", "age_ms": 80}],
        "link": {"state": "up", "detail": "", "unacknowledged": 0, "oldest_s": None},
        "clock": "synced",
        "store": {"state": "ok", "detail": ""},
        "copy_age_s": 12.0,
        "passage": None,
        "last": [
            {"plate": "桂F12345", "at": "2026-11-20T11:38:20+07:00", "outcome": "through", "verdict": "ready"},
            {"plate": "12H00123", "at": "2026-11-20T11:31:02+07:00", "outcome": "turned_away", "verdict": "unknown"},
        ],
        **more,
    }


class FakeLane:
    """One lane. `acts` holds every action that was really done; `answer` is given to each. Set from any thread."""

    def __init__(self, **view: Any) -> None:
        self.shown = lane_view(**view)
        self.acts: list[Action] = []
        self.answer = ActionResult(done=True, code="recorded", seq=41)
        self.gate = threading.Event()
        self.gate.set()
        self.jpeg: bytes | None = picture("live")

    @property
    def where(self) -> LanePlace:
        return LanePlace(Name(**self.shown["name"]), self.shown["place"], self.shown["direction"])

    def view(self) -> LaneView:
        """As a desk says it: while the lane is held, the end of the hold stands in place of the hold."""
        if not self.shown["boom"].get("held"):
            return lane_view_of(self.shown)
        return lane_view_of({**self.shown, "actions": [*self.shown.get("actions", ()), "release_hold"]})

    def show(self, **more: Any) -> None:
        self.shown = {**self.shown, **more, "number": self.shown["number"] + 1}

    async def act(self, action: Action) -> ActionResult:
        self.acts.append(action)
        while not self.gate.is_set():
            await asyncio.sleep(0.01)
        if action.name == "confirm":
            going = {**self.shown["passage"], "state": "opening", "actions": ["stop"]}
            self.show(passage=going, boom={**BOOM, "state": "opening"})
        return self.answer

    async def changed(self, since: int) -> int:
        while self.shown["number"] <= since:
            await asyncio.sleep(0.01)
        return int(self.shown["number"])

    def live_jpeg(self, camera: str) -> bytes | None:
        return self.jpeg


class FakeDesk:
    def __init__(self, **lanes: FakeLane) -> None:
        self.by_name = {id.replace("_", "-"): lane for id, lane in lanes.items()}

    @property
    def lanes(self) -> Mapping[str, FakeLane]:
        return self.by_name

    def evidence_jpeg(self, evidence_id: str) -> bytes | None:
        return {"photo-1": picture("photo"), "crop-1": picture("crop")}.get(evidence_id)


def picture(what: str) -> bytes:
    """A drawn stand-in: a grey lane with a truck's front and an invented plate, or that plate alone."""
    image = Image.new("RGB", (1280, 720), (96, 104, 110))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 470, 1280, 720), fill=(70, 72, 74))
    if what != "live":
        draw.rectangle((420, 90, 860, 560), fill=(150, 152, 150))
        draw.rectangle((460, 130, 820, 300), fill=(40, 52, 60))
    draw.rectangle((560, 430, 720, 540), fill=(245, 245, 240), outline=(20, 20, 20), width=3)
    draw.text((600, 440), "12C", fill=(10, 10, 10), font_size=42)
    draw.text((575, 488), "123.45", fill=(10, 10, 10), font_size=42)
    if what == "crop":
        image = image.crop((552, 422, 728, 548))
    data = io.BytesIO()
    image.save(data, "JPEG", quality=80)
    return data.getvalue()
