"""The rarer ways on the screen: a second person, the list of hand-over records, and who may what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from edge import clock
from edge.core.law.transfer import FiveDays, ListMark, Received, five_days
from edge.core.model import Transfer
from edge.panel.accounts import Accounts
from edge.panel.app import create_app
from edge.panel.settings import PanelSettings
from tests.law.tools import declared
from tests.panel.fakes import FakeDesk, FakeLane, passage

PIN, PIN_2 = "394857", "502938"
PEOPLE = [("BP-0412", "guard", PIN), ("BP-0001", "shift_leader", PIN_2), ("KT-0001", "technician", PIN_2)]


class ListingDesk(FakeDesk):
    """A desk that keeps hand-over records."""

    records: Sequence[Received] = ()
    handed: Sequence[Received] = ()
    marked: Sequence[FiveDays] = ()

    async def received(self) -> Sequence[Received]:
        return self.records

    async def lists(self) -> Sequence[FiveDays]:
        marks = {one.key: ListMark("HQ-1", "2026-11-20T08:00:00+07:00") for one in self.marked}
        return five_days(self.records, self.handed, marks)


@pytest.fixture
def lane() -> FakeLane:
    return FakeLane(passage=passage("refuse"))


@pytest.fixture
def app(lane: FakeLane, tmp_path: Path) -> Iterator[Starlette]:
    accounts = Accounts(tmp_path / "accounts.db")
    for id, role, pin in PEOPLE:
        accounts.add(id, f"{role} Ví Dụ", role, pin)
    yield create_app(ListingDesk(b1_out=lane), accounts, PanelSettings())
    accounts.close()


def signed_in(app: Starlette, id: str, pin: str) -> TestClient:
    client = TestClient(app, base_url="http://127.0.0.1:8080", client=("127.0.0.1", 50000))
    token = client.get("/sign-in").text.partition('name="token" value="')[2].partition('"')[0]
    client.post("/sign-in", data={"id": id, "pin": pin, "token": token}, follow_redirects=False)
    return client


@pytest.fixture
def guard(app: Starlette) -> TestClient:
    return signed_in(app, "BP-0412", PIN)


@pytest.fixture
def leader(app: Starlette) -> TestClient:
    return signed_in(app, "BP-0001", PIN_2)


def press(client: TestClient, **more: Any) -> dict[str, Any]:
    csrf = client.get("/lane/b1-out").text.partition('"csrf": "')[2].partition('"')[0]
    body = {"key": clock.new_id(), "name": "override", "passage": "p-1", "reason": "ordered", **more}
    answer: dict[str, Any] = client.post("/lane/b1-out/action", json=body, headers={"x-csrf-token": csrf}).json()
    return answer


# ---------------------------------------------------------------- the second person


def test_the_desk_is_told_of_the_second_person_by_their_account(guard: TestClient, lane: FakeLane) -> None:
    assert press(guard, second={"id": "BP-0001", "pin": PIN_2})["done"]
    (action,) = lane.acts
    assert (action.person.id, action.second and action.second.id) == ("BP-0412", "BP-0001")
    assert PIN_2 not in repr(action)


@pytest.mark.parametrize(
    ("second", "code"),
    [
        ({"id": "BP-0412", "pin": PIN}, "same_person"),
        ({"id": "BP-0001", "pin": "111222"}, "wrong_pin"),
        ({"id": "nobody", "pin": "111222"}, "wrong_pin"),
        ({"id": "KT-0001", "pin": PIN_2}, "second_role"),
    ],
)
def test_a_second_person_who_is_none_ends_the_press(
    guard: TestClient, lane: FakeLane, second: dict[str, str], code: str
) -> None:
    answer = press(guard, second=second)
    assert (answer["done"], answer["code"]) == (False, code)
    assert lane.acts == []


def test_guessing_the_second_persons_pin_locks_their_account(guard: TestClient, lane: FakeLane) -> None:
    codes = [press(guard, second={"id": "BP-0001", "pin": "111222"})["code"] for _ in range(6)]
    assert codes[-1] == "locked_out"
    assert press(guard, second={"id": "BP-0001", "pin": PIN_2})["code"] == "locked_out"
    assert lane.acts == []


def test_only_others_whose_role_may_are_offered_as_second(guard: TestClient, app: Starlette) -> None:
    assert [one["id"] for one in guard.get("/people.json").json()["people"]] == ["BP-0001"]
    stranger = TestClient(app, base_url="http://127.0.0.1:8080", client=("127.0.0.1", 50000))
    assert stranger.get("/people.json").status_code == 401


# ---------------------------------------------------------------- the list of hand-over records


def keep(app: Starlette, sent_by: str = "Chi cục Hải Phòng", on: str = "2026-11-20", no: str = "BB-17") -> None:
    transfer = Transfer(no, "2026-11-18", sent_by, "Chi cục Hữu Nghị", ("HQ001",))
    one = Received(declared("EX-IN", transfer=transfer), date.fromisoformat(on), "=nguyên vẹn")
    desk = app.state.panel.desk
    desk.records = (*desk.records, one)


QUERY = {"sent_by": "Chi cục Hải Phòng", "since": "2026-11-20"}


def test_the_five_days_list_comes_as_csv_that_a_spreadsheet_reads(leader: TestClient, app: Starlette) -> None:
    keep(app)
    keep(app, no="BB-18")
    keep(app, "Chi cục Khác", no="BB-19")
    keep(app, on="2026-11-01", no="BB-02")
    answer = leader.get("/transfer/list.csv", params=QUERY)
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.text.startswith("\ufeffSTT,")
    assert [line.split(",")[:2] for line in answer.text.splitlines()[1:]] == [["1", "BB-17"], ["2", "BB-18"]]
    assert "'=nguyên vẹn" in answer.text, "no cell starts a formula"


def test_the_page_to_print_allows_its_own_style_and_nothing_else(leader: TestClient, app: Starlette) -> None:
    keep(app)
    answer = leader.get("/transfer/list.html", params=QUERY)
    assert "BB-17" in answer.text
    policy = answer.headers["content-security-policy"]
    assert "sha256-" in policy
    assert "unsafe" not in policy
    assert "script" not in policy


def test_the_overview_names_every_unit_that_is_owed_a_list(leader: TestClient, app: Starlette) -> None:
    assert "Chưa nhận" in leader.get("/transfer").text
    keep(app, on=clock.wall_iso()[:10])
    page = leader.get("/transfer").text
    assert "Chi cục Hải Phòng" in page
    assert "/transfer/list.csv?sent_by=Chi+c" in page


def test_what_other_units_owe_stands_there_until_somebody_writes_that_it_came(
    leader: TestClient, app: Starlette
) -> None:
    keep(app, on="2026-11-01")
    desk = app.state.panel.desk
    desk.records, desk.handed = (), desk.records
    page = leader.get("/transfer").text
    assert "Chi cục Hữu Nghị" in page
    assert "! quá hạn" in page
    assert 'data-press="list_mark"' in page
    (desk.marked,) = [five_days((), desk.handed, {})]
    page = leader.get("/transfer").text
    assert ("đã nhận" in page, "! quá hạn" in page, 'data-press="list_mark"' in page) == (True, False, False)


def test_the_list_is_not_every_roles(guard: TestClient, leader: TestClient, app: Starlette) -> None:
    assert guard.get("/transfer/list.csv", params=QUERY).status_code == 403
    assert leader.get("/transfer/list.csv", params={"since": "x"}).status_code == 400
    stranger = TestClient(app, base_url="http://127.0.0.1:8080", client=("127.0.0.1", 50000))
    assert stranger.get("/transfer/list.csv", params=QUERY).status_code == 401
