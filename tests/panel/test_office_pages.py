"""The pages beside the lane's own over a fake office: who may open them, what is recorded first, what is printed."""

from __future__ import annotations

import asyncio
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from edge.core.alarm.alarms import Alarm
from edge.core.bodies import LookedAt
from edge.core.json_shape import object_of
from edge.core.record.day_figures import DayFigures, day_figures
from edge.core.record.dossier import Dossier, Mark, dossier
from edge.core.record.expected import Expected
from edge.core.record.handover import Handover, HandoverNote, Tip, Written
from edge.core.record.history import Found, PassageRow, Question
from edge.errors import StoreError
from edge.panel import pdf
from edge.panel.accounts import Accounts
from edge.panel.app import create_app
from edge.panel.history import midnight_ms
from edge.panel.messages import load_catalogue
from edge.panel.rights import load_rights
from edge.panel.sessions import COOKIE, AccountsDoor
from edge.panel.settings import PanelSettings
from edge.panel.sheet import Sheet, Words, make_sheet
from edge.ports import Person
from tests.panel.fakes import FakeDesk, FakeLane, picture

BASE, PIN = "http://127.0.0.1:8080", "502938"
ROW = PassageRow(
    "p-1", "b1-out", 1, 3, midnight_ms("2026-11-20") + 9 * 3_600_000, "boot", 0, "b1", "out_of_area",
    ("12C12345", "桂FA1234"), "exact", "await", "CKS-1", "through", "overridden", "ordered", True, 95_000,
    ("BP-0107", "BP-0001"),
)  # fmt: skip
VERDICT = {
    "verdict": "await",
    "step": "b1_out",
    "missing": [{"step": "b1_out", "authority": "GC|TX", "act": "fee", "article": "27/2025 Art. 4.2.đ"}],
    "reasons": [{"code": "watch", "text": "Xe bị theo dõi: 走私 / Watched: 走私", "article": ""}],
}


def event(seq: int, kind: str, **body: Any) -> dict[str, Any]:
    at = f"2026-11-20T09:00:0{seq}.000+07:00"
    return {
        "seq": seq, "kind": kind, "site": "demo", "captured_at": None, "recorded_at": at, "hash": f"{seq:064x}",
        "body": {"passage": "p-1", **body},
    }  # fmt: skip


PHOTO = {"id": "photo-1", "name": "photo"}
EVENTS = [
    event(1, "passage", stage="seen", verdict=VERDICT, plates=[{"text": "12C12345"}], evidence=[PHOTO]),
    event(2, "override", by="BP-0107", second="BP-0001", reason="ordered", words="theo lệnh chỉ huy", verdict=VERDICT),
    event(3, "barrier", stage="opened"),
]  # fmt: skip


EMPTY = HandoverNote((), (), (), (), (), (Tip("b1-out", 17, "ab" * 32),))


class FakeOffice:
    def __init__(self) -> None:
        self.looks: list[tuple[str, str, Mapping[str, Any]]] = []
        self.asked: list[Question] = []
        self.labels: list[tuple[str, str, Mark, str]] = []
        self.broken = False
        self.open: Written | None = None

    async def find(self, question: Question) -> Found:
        assert self.looks, "recorded before it is shown"
        self.asked.append(question)
        return Found((ROW,), more=True)

    async def dossier(self, passage: str) -> Dossier | None:
        assert self.looks[-1][2] == {"looked_at": passage}
        return dossier(ROW, EVENTS) if passage == "p-1" else None

    async def day(self, midnight_ms: int, lane: str) -> DayFigures:
        return day_figures([ROW], midnight_ms)

    async def people(self) -> Sequence[str]:
        return ["BP-0107"]

    async def looked(self, person: Person, what: str, about: LookedAt) -> None:
        if self.broken:
            raise StoreError("no room")
        self.looks.append((person.id, what, object_of(about)))

    def alarms(self) -> Sequence[Alarm]:
        at = "2026-11-20T09:00:00+07:00"
        return [Alarm("b1-out/camera/front", "camera_down", 2, "b1-out", "front", at, count=2)]

    def handover(self) -> Handover:
        return Handover(self.open, None, EMPTY)

    async def expected(self) -> Sequence[Expected]:
        here = Expected(
            "CKS-1", "EX-IN", ("12C12345",), "yard_out", "b1_out", "2026-11-20T09:00:00+07:00", 9.0, overstayed=True
        )
        return [Expected("CKS-2", "IM-IN", ("桂FA1234",), "b1_in", "yard_in", here.since, 99.0, overstayed=False), here]

    async def label(self, passage: str, photo: str, mark: Mark, by: Person) -> str:
        self.labels.append((passage, photo, mark, by.id))
        return "label.kept" if photo == "photo-1" else "label.no_photo"


class OfficeDesk(FakeDesk):
    def __init__(self) -> None:
        super().__init__(b1_out=FakeLane())
        self.office = FakeOffice()

    def evidence_jpeg(self, evidence_id: str) -> bytes | None:
        return picture("photo") if evidence_id.startswith("old-") else super().evidence_jpeg(evidence_id)


@pytest.fixture
def desk() -> OfficeDesk:
    return OfficeDesk()


@pytest.fixture
def client(desk: OfficeDesk, tmp_path: Path) -> Iterator[TestClient]:
    accounts = Accounts(tmp_path / "accounts.db")
    for id, name, role in (
        ("BP-1", "Lính Mẫu", "guard"),
        ("KT-1", "Kiểm Tra Mẫu", "auditor"),
        ("KY-1", "Kỹ Thuật", "technician"),
    ):
        accounts.add(id, name, role, PIN)
    app = create_app(desk, accounts, PanelSettings())
    with TestClient(app, base_url=BASE, client=("127.0.0.1", 50000)) as client:
        yield client
    accounts.close()


def enters(client: TestClient, id: str, role: str) -> None:
    door = client.app.state.panel.door  # type: ignore[attr-defined]
    assert isinstance(door, AccountsDoor)
    client.cookies.set(COOKIE, door.open(Person(id, id, role)))


PAGES = ("/alarms", "/history", "/figures", "/expected", "/handover", "/history/p-1", "/history/p-1/print.html")


@pytest.mark.parametrize("path", [*PAGES, "/history/p-1/passage.pdf"])
def test_nobody_sees_anything_without_signing_in(client: TestClient, desk: OfficeDesk, path: str) -> None:
    answer = client.get(path, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert desk.office.looks == []


@pytest.mark.parametrize(
    ("id", "role", "may"),
    [
        ("BP-1", "guard", set(PAGES)),
        ("KT-1", "auditor", {"/alarms", "/history", "/figures", "/history/p-1", "/history/p-1/print.html"}),
        ("KY-1", "technician", {"/alarms", "/history", "/figures", "/history/p-1", "/history/p-1/print.html"}),
    ],
)
def test_each_role_opens_what_the_table_gives_it(
    client: TestClient, desk: OfficeDesk, id: str, role: str, may: set[str]
) -> None:
    enters(client, id, role)
    assert {path for path in PAGES if client.get(path).status_code == 200} == may
    refused = next(iter(set(PAGES) - may), None)
    if refused:
        answer = client.get(refused)
        assert (answer.status_code, "Vai trò của bạn" in answer.text) == (403, True)
    assert all(look[0] == id for look in desk.office.looks)


def test_every_look_is_recorded_with_what_was_asked(client: TestClient, desk: OfficeDesk) -> None:
    enters(client, "KT-1", "auditor")
    client.get("/history?plate=12C123&since=2026-11-20&verdict=await")
    client.get("/history/p-1")
    client.get("/history/p-1/print.html")
    client.get("/figures?day=2026-11-20")
    assert desk.office.looks == [
        ("KT-1", "search", {"asked": {"plate": "12C123", "since": "2026-11-20", "verdict": "await"}}),
        ("KT-1", "passage", {"looked_at": "p-1"}),
        ("KT-1", "print", {"looked_at": "p-1"}),
        ("KT-1", "figures", {"asked": {"day": "2026-11-20", "lane": ""}}),
    ]
    assert desk.office.asked[0].since_ms == midnight_ms("2026-11-20")


def test_a_photo_of_the_past_is_a_look_on_record_before_it_is_shown(client: TestClient, desk: OfficeDesk) -> None:
    """Seen: shown by its id to anybody, with no trace. A page that is on record as a look shows its own photos."""
    enters(client, "KT-1", "auditor")
    for _ in range(2):
        assert client.get("/evidence/old-1.jpg").status_code == 200
    assert desk.office.looks == [("KT-1", "photo", {"looked_at": "old-1"})]
    client.get("/history/p-1")
    assert client.get("/evidence/photo-1.jpg").status_code == 200
    assert [look[1] for look in desk.office.looks] == ["photo", "passage"]
    enters(client, "BP-1", "guard")
    assert client.get("/evidence/old-1.jpg").status_code == 200
    assert desk.office.looks[-1] == ("BP-1", "photo", {"looked_at": "old-1"}), "another person's look is another look"
    desk.office.broken = True
    answer = client.get("/evidence/old-2.jpg")
    assert (answer.status_code, answer.json()["code"]) == (503, "store_failed"), "not on record, so not shown"


NUMBERS = (
    "9" * 5000, "9" * 30, "-1", "0", "1e309", "NaN", "\uff11\uff12", "9999-12-31", "0001-01-01", "2026-13-45",
    "9" * 16 + "_p-1", "9" * 400 + "_p", "_", "'", '"><script>', "../../etc/passwd", "a" * 5000, "\ud83d", "%00",
)  # fmt: skip
ASKED = (
    "/figures?day={}", "/figures?lane={}", "/history?before={}", "/history?since={}", "/history?until={}",
    "/history?plate={}", "/history?person={}", "/transfer/list.csv?since={}", "/transfer/list.html?since={}",
    "/transfer/list.csv?sent_by={}&since=2026-11-20", "/evidence/{}.jpg", "/history/{}", "/history/{}/print.html",
    "/lane/b1-out/live/{}.jpg", "/lane/{}", "/sign/{}", "/calibrate/{}", "/sign-in?next={}",
)  # fmt: skip


@pytest.mark.parametrize("path", ASKED)
def test_no_number_in_an_address_is_a_fault_of_ours(client: TestClient, path: str) -> None:
    """Seen: 500 for a day, a page or a count that no calendar and no database holds."""
    enters(client, "KT-1", "auditor")
    for text in NUMBERS:
        answer = client.get(path.format(quote(text, errors="surrogatepass")), follow_redirects=False)
        assert answer.status_code < 500, (path, text, answer.text[:200])


def says(client: TestClient, body: Mapping[str, Any], token: str | None = None) -> tuple[int, dict[str, Any]]:
    boot = re.search(r'"csrf":\s*"([^"]+)"', client.get("/history/p-1").text)
    assert boot is not None
    answer = client.post("/history/p-1/label", json=body, headers={"x-csrf-token": token or boot[1]})
    return answer.status_code, answer.json()


RIGHT = {"photo": "photo-1", "right": True}


@pytest.mark.parametrize(
    ("id", "role", "may"), [("KY-1", "technician", True), ("BP-1", "guard", False), ("KT-1", "auditor", False)]
)
def test_a_photo_is_marked_by_those_whom_the_table_lets(
    client: TestClient, desk: OfficeDesk, id: str, role: str, may: bool
) -> None:
    enters(client, id, role)
    assert ('data-mark="right"' in client.get("/history/p-1").text) == may
    kept, refused = (200, {"done": True, "code": "label.kept"}), (403, {"done": False, "code": "not_your_role"})
    assert says(client, RIGHT) == (kept if may else refused)
    assert desk.office.labels == ([("p-1", "photo-1", Mark(True), id)] if may else [])
    assert {role for role, held in load_rights().items() if "label" in held} == {"technician", "shift_leader"}


def test_a_mark_is_checked_before_it_is_taken(client: TestClient, desk: OfficeDesk) -> None:
    enters(client, "KY-1", "technician")
    assert says(client, RIGHT, "forged")[0] == 403
    for body in ({}, {**RIGHT, "right": "yes"}, {**RIGHT, "truth": "1" * 17}, {**RIGHT, "more": 1}):
        assert says(client, body)[0] == 400
    assert desk.office.labels == []
    assert says(client, {"photo": "photo-9", "right": False, "truth": " 12C12345 "}) == (
        200,
        {"done": False, "code": "label.no_photo"},
    )
    assert desk.office.labels == [("p-1", "photo-9", Mark(False, "12C12345"), "KY-1")]


def test_where_the_look_cannot_be_recorded_nothing_is_shown(client: TestClient, desk: OfficeDesk) -> None:
    enters(client, "KT-1", "auditor")
    desk.office.broken = True
    for path in ("/history?plate=12C123", "/history/p-1", "/history/p-1/print.html", "/history/p-1/passage.pdf"):
        answer = client.get(path)
        assert answer.status_code == 503
        assert "12C12345" not in answer.text


@pytest.mark.parametrize(("query", "why"), [("plate=12", "ít nhất 3"), ("since=20.11.2026", "Ngày không đúng")])
def test_a_question_that_cannot_be_asked_is_told_and_not_asked(
    client: TestClient, desk: OfficeDesk, query: str, why: str
) -> None:
    enters(client, "KT-1", "auditor")
    assert why in client.get(f"/history?{query}").text
    assert desk.office.asked == []


def test_the_next_page_begins_behind_the_last_row(client: TestClient, desk: OfficeDesk) -> None:
    enters(client, "KT-1", "auditor")
    found = re.search(r'id="older" href="([^"]+)"', client.get("/history?verdict=await").text)
    assert found is not None
    client.get(found[1].replace("&amp;", "&"))
    assert desk.office.asked[1].before == (ROW.began_ms, "p-1")
    assert desk.office.asked[1].verdict == "await"


def test_an_unknown_passage_or_day_is_told_in_words(client: TestClient) -> None:
    enters(client, "KT-1", "auditor")
    for path, status, words in (("/history/none", 404, "không (còn) giữ"), ("/figures?day=x", 400, "Ngày không đúng")):
        answer = client.get(path)
        assert (answer.status_code, words in answer.text) == (status, True)


@pytest.mark.parametrize("path", PAGES[:-1])
def test_an_open_page_is_sent_only_what_changed_and_not_the_catalogue_again(
    client: TestClient, desk: OfficeDesk, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The alarm list asks once a second: with the catalogue that is 80 kB each time."""
    enters(client, "BP-1", "guard")
    whole, part = client.get(path), client.get(path, headers={"X-Refresh": "1"})
    assert '"app.title"' in whole.text, "the catalogue"
    assert '"app.title"' not in part.text
    assert "<script" not in part.text
    assert len(part.content) < 8_000
    for element in (r"<header.*?</header>", r"<main.*?</main>", r'<section class="gone".*?</section>', r"<title>.*?<"):
        (there,) = re.findall(element, whole.text, re.DOTALL)
        assert there in part.text, "what the page swaps in is the same"
    tag = {"X-Refresh": "1", "If-None-Match": part.headers["ETag"]}
    same = client.get(path, headers=tag)
    assert (same.status_code, same.content) == (304, b"")
    client.cookies.set("barie_language", "en")
    assert client.get(path, headers=tag).status_code == 200, "changed: sent"


def test_no_page_has_inline_script_style_or_a_foreign_address(client: TestClient) -> None:
    enters(client, "BP-1", "guard")
    for path in PAGES[:-1]:
        answer = client.get(path)
        assert " style=" not in answer.text, path
        assert "<style" not in answer.text
        assert not re.search(r'(src|href)="(http|//)', answer.text)
        assert "unsafe" not in answer.headers["content-security-policy"]


def test_the_page_says_why_in_words_with_articles_and_who_agreed(client: TestClient) -> None:
    enters(client, "KT-1", "auditor")
    told = client.get("/history/p-1").text
    parts = (
        "Cho qua ngoại lệ",
        "BP-0107 + BP-0001",
        "Theo lệnh cấp trên",
        "theo lệnh chỉ huy",
        "điểm đ khoản 2 Điều 4, QĐ 27/2025",
        "1 phút 35 giây",
    )
    for part in (*parts, "Thuế", "走私", "/evidence/photo-1.jpg"):
        assert part in told, part
    client.cookies.set("barie_language", "en")
    told = client.get("/history/p-1").text
    for part in ("Override", "Ordered by a superior", "Art. 4.2.đ, 27/2025", "1 min 35 s", "Watched: 走私"):
        assert part in told, part


def test_the_printed_page_is_whole_in_itself_and_allows_nothing_else(client: TestClient) -> None:
    enters(client, "KT-1", "auditor")
    answer = client.get("/history/p-1/print.html")
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "script-src" not in policy
    assert "data:image/jpeg;base64," in answer.text
    assert not re.search(r'(src|href)="(?!data:)', answer.text)
    assert "<script" not in answer.text
    assert "KT-1" in answer.text, "who printed it"


def the_sheet(language: str = "vi") -> Sheet:
    words = Words(load_catalogue(), language)
    return make_sheet(
        dossier(ROW, EVENTS),
        words,
        "Barie 01 – chiều ra",
        ("2026-11-22T08:00:00+07:00", "KT-1"),
        lambda id: picture("photo"),
    )


def test_the_pdf_embeds_its_fonts_and_holds_every_letter() -> None:
    """Vietnamese with its marks and the other side's characters: each is drawn by a font inside the file."""
    from edge.panel import pdf_page

    made = asyncio.run(pdf.make_pdf(the_sheet()))
    assert made.startswith(b"%PDF-")
    assert made.count(b"/FontFile2") >= 3, "latin, latin-bold and han are embedded"
    assert b"/Image" in made
    said = b"".join(
        zlib.decompress(part) for part in re.findall(rb"stream\r?\n(.*?)endstream", made, re.S) if part[:1] == b"x"
    )
    mapped = set(re.findall(rb"<([0-9A-F]{4})>", said))
    for letter in "ờấđĐệ走私桂":
        assert f"{ord(letter):04X}".encode() in mapped, letter
    every = (
        "".join(chr(code) for code in range(0x1EA0, 0x1EFA))
        + "ăâđêôơưĂÂĐÊÔƠƯ京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼挂学警港澳领使"
    )
    pdf_page.set_page({**_as_row(the_sheet()), "photos": []})  # registers the fonts here
    assert [letter for letter in every if pdf_page._font(letter, pdf_page.LATIN) is None] == []


def _as_row(sheet: Sheet) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(sheet)


def test_a_letter_that_no_font_has_is_an_empty_box_and_the_foot_says_so() -> None:
    from edge.panel import pdf_page

    row = _as_row(the_sheet())
    row = {**row, "photos": [], "head": [["x", "ក"]]}
    assert pdf_page.set_page(row).startswith(b"%PDF-")
    assert pdf_page._lacks(row)
    assert not pdf_page._lacks({**row, "head": [["x", "Đường"]]})


def test_the_note_that_waits_is_shown_and_only_who_may_take_a_shift_may_sign(
    client: TestClient, desk: OfficeDesk
) -> None:
    at = "2026-11-20T09:00:00+07:00"
    desk.office.open = Written("BP-9", "x", "guard", at, "ca <b>yên</b>", EMPTY)
    enters(client, "BP-1", "guard")
    told = client.get("/handover").text
    assert "ca &lt;b&gt;yên&lt;/b&gt;" in told
    assert f"b1-out · 17 · <code>{'ab' * 32}</code>" in told, "the record's second anchor, for the print"
    assert 'value="BP-1"' in told
    assert 'value="KY-1"' not in told
    assert 'value="KT-1"' not in told


def test_expected_shows_this_gates_own_first(client: TestClient) -> None:
    enters(client, "BP-1", "guard")
    told = client.get("/expected").text
    assert re.findall(r'data-step="(\w+)"', told) == ["b1_out", "yard_in"]
    assert "QUÁ LÂU" in told


@pytest.mark.parametrize("path", ["/alarms", "/history", "/figures", "/expected", "/handover"])
def test_one_lane_that_cannot_be_looked_at_takes_no_page_with_it(
    client: TestClient, desk: OfficeDesk, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    enters(client, "BP-1", "guard")
    monkeypatch.setattr(desk.lanes["b1-out"], "view", dict)  # without anything that a view has
    assert client.get(path).status_code == 200


def test_the_sign_needs_nobody_and_says_nothing_of_anybody(client: TestClient, desk: OfficeDesk) -> None:
    told = client.get("/sign/b1-out").text
    for word in ("DỪNG LẠI", "停车", "MỜI ĐI", "请通行", "XIN CHỜ", "请等待", "请到岗亭"):
        assert word in told
    assert "12C" not in told
    assert client.get("/sign/none").status_code == 404


WHO = {
    "declaration": "CKS-1", "vehicle": ["12C12345", "12R00123"], "plate": "12C12345", "source": "camera", "by": "front",
    "frame": 7, "over": "", "whole": True, "asked": False, "beside": [{"plate": "29H12345", "standing": "none"}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({}, "12C12345 + 12R00123 (read 12C12345, front)"),
        ({"source": "typed", "by": "BP-0107"}, "12C12345 + 12R00123 (12C12345 typed by BP-0107)"),
        (
            {"source": "typed", "by": "BP-0107", "over": "12C12346"},
            "12C12345 + 12R00123 (12C12345 typed by BP-0107 over 12C12346 as read)",
        ),
        ({"source": "picked", "by": "BP-0107", "plate": None}, "12C12345 + 12R00123 (chosen by BP-0107)"),
        ({"source": "paper", "by": "BP-0107", "plate": None}, "12C12345 + 12R00123 (from paper, BP-0107)"),
    ],
)
def test_5_the_print_says_which_vehicle_it_was_by_which_plate_and_what_else_was_in_view(
    more: dict[str, Any], told: str
) -> None:
    unknown = {**WHO, "vehicle": [], "plate": None, "asked": True}
    events = [event(1, "passage", who=unknown), event(2, "confirmation", who={**WHO, **more}), event(3, "barrier")]
    sheet = make_sheet(
        dossier(ROW, events),
        Words(load_catalogue(), "en"),
        "B1",
        ("2026-11-20T10:00:00+07:00", "BP-0107"),
        lambda id: None,
    )
    said = dict(sheet.head)
    assert (said["Vehicle"], said["Other plates in view"]) == (told, "29H12345 (no declaration)")


def test_the_print_of_a_record_of_0_1_0_does_not_make_a_vehicle_up() -> None:
    sheet = make_sheet(
        dossier(ROW, EVENTS),
        Words(load_catalogue(), "vi"),
        "B1",
        ("2026-11-20T10:00:00+07:00", "BP-0107"),
        lambda id: None,
    )
    said = dict(sheet.head)
    assert said["Phương tiện"] == said["Biển khác trong ảnh"] == load_catalogue()["office.none"]["vi"]
