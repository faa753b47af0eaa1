"""Photos that are handed out show nobody's face: everything is coarse but the plate's own surroundings."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from starlette.testclient import TestClient

from edge.core.camera.privacy import CELLS_ACROSS, cell_px, kept, shares
from edge.core.record.dossier import Dossier, dossier
from edge.panel.accounts import Accounts
from edge.panel.app import create_app
from edge.panel.masked_photos import coarse
from edge.panel.settings import PanelSettings
from tests.panel.test_office_pages import BASE, EVENTS, PIN, ROW, FakeOffice, OfficeDesk, enters, event

SIZE = (1280, 720)
PLATE = (600.0, 560.0, 700.0, 590.0)
FACE = (640, 330)
"""Behind the windscreen: seven heights of the plate above it."""


def scene() -> Image.Image:
    """A cab with a driver and a plate, drawn with fine detail everywhere."""
    noise = np.random.default_rng(7).integers(90, 130, (SIZE[1], SIZE[0], 3), np.uint8)
    image = np.ascontiguousarray(noise)
    cv2.ellipse(image, FACE, (24, 32), 0, 0, 360, (150, 180, 220), -1)
    for x in (-9, 9):
        cv2.circle(image, (FACE[0] + x, FACE[1] - 8), 3, (20, 20, 20), -1)
    cv2.ellipse(image, (FACE[0], FACE[1] + 12), (10, 5), 0, 0, 180, (40, 40, 160), 2)
    x1, y1, x2, y2 = map(int, PLATE)
    cv2.rectangle(image, (x1, y1), (x2, y2), (250, 250, 250), -1)
    cv2.putText(image, "12C-123.45", (x1 + 3, y2 - 9), cv2.FONT_HERSHEY_SIMPLEX, 0.55, (10, 10, 10), 1, cv2.LINE_AA)
    return Image.fromarray(image[:, :, ::-1])


def jpeg_of(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=92)
    return out.getvalue()


def pixels(jpeg: bytes) -> Any:
    return np.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB"), np.float64)


def detail(image: Any, box: tuple[int, int, int, int]) -> float:
    """How much changes from one pixel to the next, in the median: nothing inside a cell, a lot in a photo."""
    x1, y1, x2, y2 = box
    part = image[y1:y2, x1:x2].mean(axis=2)
    return float(np.median(np.abs(np.diff(part, axis=1))))


def test_a_face_becomes_a_few_cells_and_the_plate_stays_as_it_was() -> None:
    before = jpeg_of(scene())
    made = coarse(before, shares(PLATE, SIZE))
    assert made is not None
    was, now = pixels(before), pixels(made)
    assert now.shape == was.shape
    x1, y1, x2, y2 = map(int, PLATE)
    assert np.abs(now[y1:y2, x1:x2] - was[y1:y2, x1:x2]).mean() < 4
    face = (FACE[0] - 24, FACE[1] - 32, FACE[0] + 24, FACE[1] + 32)
    assert detail(was, face) > 1.5
    assert detail(now, face) < 0.5
    eyes = now[FACE[1] - 8, FACE[0] - 9].mean() - now[FACE[1] - 8, FACE[0]].mean()
    assert abs(eyes) < 40, "eyes are no darker than the face any more"
    corners = [(0, 0, 200, 200), (1080, 0, 1280, 200), (0, 520, 200, 720), (1080, 520, 1280, 720)]
    assert all(detail(now, corner) < 0.5 < 3 < detail(was, corner) for corner in corners)


def test_where_nobody_knows_the_plates_place_all_of_it_is_coarse() -> None:
    made = coarse(jpeg_of(scene()), None)
    assert made is not None
    now = pixels(made)
    assert all(detail(now, (x, y, x + 160, y + 144)) < 0.5 for x in range(0, 1280, 160) for y in range(0, 720, 144))


@pytest.mark.parametrize("data", [b"", b"\xff\xd8photo\xff\xd9", b"GIF89a" + bytes(100), bytes(1_000)])
def test_what_cannot_be_decoded_is_left_out(data: bytes) -> None:
    assert coarse(data, None) is None


part = st.floats(0, 1, allow_nan=False)


@given(part, part, st.floats(0.005, 0.5), st.floats(0.005, 0.3), st.integers(64, 4_000), st.integers(64, 4_000))
def test_what_stays_has_the_plate_in_it_and_little_more(
    x: float, y: float, w: float, h: float, width: int, height: int
) -> None:
    plate = (x, y, min(1.0, x + w), min(1.0, y + h))
    x1, y1, x2, y2 = kept(plate)
    assert 0 <= x1 <= plate[0] <= plate[2] <= x2 <= 1
    assert 0 <= y1 <= plate[1] <= plate[3] <= y2 <= 1
    assert (x2 - x1) <= 2 * (plate[2] - plate[0]) + 1e-9
    assert plate[1] - y1 <= (plate[3] - plate[1]) + 1e-9, "never as far up as a windscreen"
    cell = cell_px(plate, (width, height))
    assert cell >= width / CELLS_ACROSS
    assert cell >= round((plate[3] - plate[1]) * height)


# ---------------------------------------------------------------- at the screen


class SceneDesk(OfficeDesk):
    def __init__(self) -> None:
        super().__init__()
        self.office = WithPlace()
        self.photo = jpeg_of(scene())

    def evidence_jpeg(self, evidence_id: str) -> bytes | None:
        return {"photo-1": self.photo, "photo-2": b"\xff\xd8broken\xff\xd9"}.get(evidence_id)


class WithPlace(FakeOffice):
    async def dossier(self, passage: str) -> Dossier | None:
        photos = [{"id": "photo-1", "name": "photo"}, {"id": "photo-2", "name": "photo"}]
        seen = event(1, "passage", stage="seen", plates=[{"text": "12C12345"}], evidence=photos)
        where: Mapping[str, Any] = {"box": list(PLATE), "frame_size": list(SIZE)}
        return dossier(ROW, [{**seen, "body": {**seen["body"], **where}}, *EVENTS[1:]])


@pytest.fixture
def desk() -> SceneDesk:
    return SceneDesk()


@pytest.fixture
def client(desk: SceneDesk, tmp_path: Path) -> Iterator[TestClient]:
    accounts = Accounts(tmp_path / "accounts.db")
    for id, role in (("BP-1", "guard"), ("KT-1", "auditor")):
        accounts.add(id, id, role, PIN)
    with TestClient(create_app(desk, accounts, PanelSettings()), base_url=BASE, client=("127.0.0.1", 50000)) as client:
        yield client
    accounts.close()


def photos_on(html: str) -> list[bytes]:
    return [base64.b64decode(data) for data in re.findall(r"data:image/jpeg;base64,([^\"]+)", html)]


def test_a_printed_passage_shows_no_face_and_says_so(client: TestClient, desk: SceneDesk) -> None:
    enters(client, "BP-1", "guard")
    html = client.get("/history/p-1/print.html").text
    (shown,) = photos_on(html)
    assert shown == coarse(desk.photo, shares(PLATE, SIZE)), "the broken one is left out"
    assert "không thấy mặt người" in html
    assert desk.office.looks == [("BP-1", "print", {"looked_at": "p-1"})]


@pytest.mark.parametrize("form", ["print.html", "passage.pdf"])
def test_photos_as_they_are_need_a_right(client: TestClient, desk: SceneDesk, form: str) -> None:
    enters(client, "BP-1", "guard")
    assert client.get(f"/history/p-1/{form}?photos=whole").status_code == 403
    assert desk.office.looks == [], "nothing was looked up either"


def test_who_may_gets_them_as_they_are_and_stands_in_the_record(client: TestClient, desk: SceneDesk) -> None:
    enters(client, "KT-1", "auditor")
    html = client.get("/history/p-1/print.html?photos=whole").text
    assert photos_on(html)[0] == desk.photo
    assert "không thấy mặt người" not in html
    assert desk.office.looks == [("KT-1", "print", {"looked_at": "p-1", "photos": "whole"})]
    assert "photos=whole" in client.get("/history/p-1").text
