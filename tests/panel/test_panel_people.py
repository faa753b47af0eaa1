"""Accounts changed by two at the screen: who may, over whom, what ends at once, and what is on record."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from starlette.testclient import TestClient

from edge.errors import RefusedError
from edge.panel.accounts import Accounts
from edge.panel.app import create_app
from edge.panel.sessions import COOKIE
from edge.panel.settings import PanelSettings
from edge.ports import Person
from tests.panel.browser import PanelServer, browser, resize, until
from tests.panel.test_office_pages import OfficeDesk

__all__ = ["browser"]

BASE, PIN, NEW = "http://127.0.0.1:8080", "280457", "640281"
FIRST, OTHER, GUARD, AUDITOR = "TC-0001", "TC-0002", "BP-0412", "KT-0001"
PEOPLE = ((FIRST, "shift_leader"), (OTHER, "shift_leader"), (GUARD, "guard"), (AUDITOR, "auditor"))


@pytest.fixture
def accounts(tmp_path: Path) -> Iterator[Accounts]:
    made = Accounts(tmp_path / "accounts.db")
    for id, role in PEOPLE:
        made.add(id, f"Mẫu {id}", role, PIN)
    made.recorded(10**6)
    yield made
    made.close()


@pytest.fixture
def client(accounts: Accounts) -> Iterator[TestClient]:
    app = create_app(OfficeDesk(), accounts, PanelSettings())
    with TestClient(app, base_url=BASE, client=("127.0.0.1", 50000), follow_redirects=False) as one:
        yield one


def enter(client: TestClient, id: str) -> str:
    """Signed in; the page's own token."""
    role = dict(PEOPLE)[id]
    client.cookies.set(COOKIE, client.app.state.panel.door.open(Person(id, id, role)))  # type: ignore[attr-defined]
    found = re.search(r'"csrf":\s*"([^"]+)"', client.get("/alarms").text)
    assert found is not None
    return found[1]


def change(client: TestClient, token: str, what: str, id: str = GUARD, **more: Any) -> tuple[int, str]:
    body = {"what": what, "id": id, "second": {"id": OTHER, "pin": PIN}, **more}
    answer = client.post("/people", json=body, headers={"x-csrf-token": token})
    return answer.status_code, answer.json()["code"]


def test_two_lock_open_change_add_and_remove_and_each_is_told_with_both(client: TestClient, accounts: Accounts) -> None:
    token = enter(client, FIRST)
    guards = client.app.state.panel.door.open(Person(GUARD, GUARD, "guard"))  # type: ignore[attr-defined]
    assert change(client, token, "lock") == (200, "changed")
    with TestClient(client.app, base_url=BASE, cookies={COOKIE: guards}) as theirs:
        assert theirs.get("/lane/b1-out/view.json").status_code == 401, "their session ended at once"
    with pytest.raises(RefusedError, match="shut"):
        accounts.check_pin(GUARD, PIN)
    assert change(client, token, "unlock") == (200, "changed")
    assert change(client, token, "pin", pin=NEW) == (200, "changed")
    assert change(client, token, "role", role="auditor") == (200, "changed")
    assert accounts.check_pin(GUARD, NEW).role == "auditor"
    assert change(client, token, "add", "BP-0999", name="Mẫu Mới", role="guard", pin=NEW) == (200, "changed")
    assert change(client, token, "remove") == (200, "changed")
    assert GUARD not in client.get("/people").text
    told = accounts.changes()
    assert [one.what for one in told] == ["locked", "unlocked", "pin", "role", "added", "removed"]
    assert {one.by for one in told} == {f"{FIRST}+{OTHER}"}


@pytest.mark.parametrize(
    ("id", "second", "pin", "code"),
    [
        (GUARD, FIRST, PIN, "same_person"),
        (FIRST, OTHER, PIN, "own_account"),
        (OTHER, OTHER, PIN, "own_account"),
        (GUARD, OTHER, "111222", "wrong_pin"),
        (GUARD, AUDITOR, PIN, "second_role"),
        (OTHER, GUARD, PIN, "second_role"),
        (GUARD, "nobody", PIN, "wrong_pin"),
        ("nobody", OTHER, PIN, "bad_id"),
    ],
)
def test_one_alone_or_the_wrong_two_change_nothing(
    client: TestClient, accounts: Accounts, id: str, second: str, pin: str, code: str
) -> None:
    token = enter(client, FIRST)
    for what, more in (("remove", {}), ("pin", {"pin": NEW}), ("role", {"role": "shift_leader"})):
        said = change(client, token, what, id, second={"id": second, "pin": pin}, **more)
        assert said == (200, code)
    assert (accounts.changes(), accounts.check_pin(GUARD, PIN).role) == ([], "guard")


@pytest.mark.parametrize("id", [GUARD, AUDITOR])
def test_no_other_role_sees_or_changes_accounts(client: TestClient, accounts: Accounts, id: str) -> None:
    token = enter(client, id)
    page = client.get("/people")
    assert (page.status_code, OTHER in page.text) == (403, False)
    assert change(client, token, "lock", AUDITOR if id == GUARD else GUARD) == (403, "not_your_role")
    assert accounts.changes() == []


def test_neither_a_stranger_nor_another_sites_page_changes_accounts(client: TestClient, accounts: Accounts) -> None:
    assert change(client, "x", "lock") == (401, "signed_out")
    enter(client, FIRST)
    assert change(client, "x", "lock") == (403, "csrf")
    assert accounts.changes() == []


@pytest.mark.parametrize(
    ("what", "more", "code"),
    [
        ("pin", {"pin": "123456"}, "bad_pin"),
        ("pin", {}, "bad_pin"),
        ("role", {"role": "boss"}, "bad_role"),
        ("add", {"id": "ĐÂY", "name": "x", "role": "guard", "pin": NEW}, "bad_id"),
        ("add", {"id": OTHER + "x", "name": " ", "role": "guard", "pin": NEW}, "bad_name"),
        ("add", {"id": "a+b", "name": "x", "role": "guard", "pin": NEW}, "bad_id"),
    ],
)
def test_what_cannot_be_is_refused_by_its_part(
    client: TestClient, accounts: Accounts, what: str, more: dict[str, str], code: str
) -> None:
    token = enter(client, FIRST)
    assert change(client, token, what, **more) == (200, code)
    assert accounts.changes() == []


@pytest.mark.browser
def test_two_lock_a_guard_at_the_touchscreen(browser: Chrome, accounts: Accounts) -> None:
    app = create_app(OfficeDesk(), accounts, PanelSettings())
    server = PanelServer(app)
    resize(browser, 1280, 800)
    browser.get(f"{server.url}/sign-in")
    browser.add_cookie({"name": COOKIE, "value": app.state.panel.door.open(Person(FIRST, FIRST, "shift_leader"))})
    browser.get(f"{server.url}/people")
    for css in (
        f"input[name=account][value='{GUARD}']",
        "input[name=what][value=lock]",
        f"input[name=second][value='{OTHER}']",
    ):
        browser.find_element(By.CSS_SELECTOR, css).find_element(By.XPATH, "..").click()
    for digit in PIN:
        browser.find_element(By.XPATH, f"//div[@data-keys-for='second-pin']//button[text()='{digit}']").click()
    browser.find_element(By.ID, "change-account").click()
    until(browser, lambda it: "đã khóa bởi" in it.find_element(By.ID, "accounts").text, "the account shown as locked")
    browser.get("about:blank")
    server.stop()
    assert [(one.what, one.account) for one in accounts.changes()] == [("locked", GUARD)]
