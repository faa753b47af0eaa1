"""Badges at the sign-in page: kept as a slow hash, tied to one account; alone enough only for roles that the site
names."""

from __future__ import annotations

import getpass
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By

from edge.config import parse_config
from edge.errors import ConfigError, RefusedError
from edge.panel.accounts import BADGES_PER_MINUTE, HERE, Accounts
from edge.panel.app import create_app
from edge.panel.settings import PanelSettings
from edge.technician import account as console
from tests.panel.browser import PanelServer, browser, resize, until
from tests.panel.fakes import FakeDesk, FakeLane

__all__ = ["browser"]

PIN, BADGE, OTHER_BADGE = "280457", "0004417229", "0009990001"
ALONE = PanelSettings(badge_alone=frozenset({"yard_operator"}))


@pytest.fixture
def accounts(tmp_path: Path) -> Iterator[Accounts]:
    made = Accounts(tmp_path / "accounts.db", now_s=lambda: 100.0, boot="boot-1")
    made.add("BP-0412", "Mẫu Văn Gác", "guard", PIN)
    made.add("DH-0002", "Mẫu Thị Bãi", "yard_operator", PIN)
    made.set_badge("BP-0412", BADGE)
    yield made
    made.close()


def test_a_badge_is_kept_only_as_a_hash_and_finds_its_account(accounts: Accounts, tmp_path: Path) -> None:
    assert accounts.badge_owner(BADGE).id == "BP-0412"
    with sqlite3.connect(tmp_path / "accounts.db") as db:
        kept = repr(db.execute("SELECT * FROM badge").fetchall())
    assert BADGE not in kept
    with pytest.raises(RefusedError, match="wrong_badge"):
        accounts.badge_owner(OTHER_BADGE)


def test_a_badge_given_and_taken_is_told_with_who_did_it(accounts: Accounts) -> None:
    """Seen: a badge made no event."""
    accounts.recorded(10**6)
    accounts.set_badge("DH-0002", OTHER_BADGE, "console/root")
    accounts.set_badge("DH-0002", None, "console/root")
    told = [(one.what, one.account, one.by) for one in accounts.changes()]
    assert told == [("badge_set", "DH-0002", "console/root"), ("badge_removed", "DH-0002", "console/root")]


def test_a_badge_belongs_to_one_account_and_an_account_has_one(accounts: Accounts) -> None:
    with pytest.raises(ValueError, match="another account"):
        accounts.set_badge("DH-0002", BADGE)
    with pytest.raises(ValueError, match="no account XX-1"):
        accounts.set_badge("XX-1", OTHER_BADGE)
    accounts.set_badge("BP-0412", OTHER_BADGE)
    assert accounts.badge_owner(OTHER_BADGE).id == "BP-0412"
    with pytest.raises(RefusedError, match="wrong_badge"):
        accounts.badge_owner(BADGE)
    accounts.set_badge("BP-0412", None)
    with pytest.raises(RefusedError, match="wrong_badge"):
        accounts.badge_owner(OTHER_BADGE)


def test_a_locked_account_is_locked_for_its_badge_too(accounts: Accounts) -> None:
    for _ in range(5):
        with pytest.raises(RefusedError):
            accounts.check_pin("BP-0412", "111222")
    with pytest.raises(RefusedError, match="locked_out"):
        accounts.badge_owner(BADGE)


def test_trying_badge_numbers_is_slowed(accounts: Accounts) -> None:
    for _ in range(BADGES_PER_MINUTE[HERE]):
        with pytest.raises(RefusedError, match="wrong_badge"):
            accounts.badge_owner("!")
    with pytest.raises(RefusedError, match="too_many_tries"):
        accounts.badge_owner(BADGE)


@pytest.mark.parametrize("code", ["12345", "", "a" * 65, "có dấu cách"])
def test_what_no_reader_types_is_refused(accounts: Accounts, code: str) -> None:
    with pytest.raises(ValueError, match="hold the badge"):
        accounts.set_badge("BP-0412", code)


def test_the_console_reads_a_badge_twice_and_takes_one_away(
    tmp_path: Path, accounts: Accounts, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    read = iter([OTHER_BADGE, OTHER_BADGE, OTHER_BADGE, BADGE])
    monkeypatch.setattr(getpass, "getpass", lambda prompt: next(read))
    assert console.run_badge(tmp_path, "DH-0002") == 0
    assert accounts.badge_owner(OTHER_BADGE).id == "DH-0002"
    assert console.run_badge(tmp_path, "DH-0002") == 2
    assert "differ" in capsys.readouterr().err
    assert console.run_badge(tmp_path, "DH-0002", remove=True) == 0
    with pytest.raises(RefusedError, match="wrong_badge"):
        accounts.badge_owner(OTHER_BADGE)


def test_the_configuration_names_the_roles_and_no_other(tmp_path: Path) -> None:
    text = Path("config/gate.example.toml").read_text(encoding="utf-8")
    good = text.replace("# badge_alone = []", 'badge_alone = ["yard_operator"] #')
    assert parse_config(good, "gate.toml").panel.badge_alone == ["yard_operator"]
    with pytest.raises(ConfigError, match=r"panel\.badge_alone\.0"):
        parse_config(text.replace("# badge_alone = []", 'badge_alone = ["boss"] #'), "gate.toml")


@pytest.fixture
def page(browser: Chrome, accounts: Accounts) -> Iterator[Chrome]:
    accounts.set_badge("DH-0002", OTHER_BADGE)
    server = PanelServer(create_app(FakeDesk(b1_out=FakeLane()), accounts, ALONE))
    resize(browser, 1280, 800)
    browser.execute_cdp_cmd("Network.clearBrowserCookies", {})
    browser.get(f"{server.url}/sign-in?next=/lane/b1-out")
    yield browser
    browser.get("about:blank")
    server.stop()


def wedge(page: Chrome, code: str) -> None:
    """What a reader does: all its keys at once, then Enter."""
    ActionChains(page, duration=1).send_keys(code, "\ue007").perform()


@pytest.mark.browser
def test_a_badge_says_who_it_is_and_the_pin_proves_it(page: Chrome) -> None:
    page.find_element(By.ID, "pin").click()
    wedge(page, BADGE)
    until(page, lambda it: "Đã đọc thẻ" in it.find_element(By.ID, "badge-hint").text, "the PIN to be asked for")
    assert page.find_element(By.CSS_SELECTOR, "input[value='BP-0412']").is_selected()
    assert page.find_element(By.ID, "pin").get_attribute("value") == ""
    for digit in PIN:
        page.find_element(By.XPATH, f"//div[@id='keypad']/button[text()='{digit}']").click()
    page.find_element(By.ID, "enter").click()
    until(page, lambda it: it.current_url.endswith("/lane/b1-out"), "the lane's page")


@pytest.mark.browser
def test_a_badge_alone_is_enough_where_the_site_says_so(page: Chrome) -> None:
    wedge(page, OTHER_BADGE)
    until(page, lambda it: it.current_url.endswith("/lane/b1-out"), "the lane's page")
    assert "Mẫu Thị Bãi" in page.find_element(By.CSS_SELECTOR, ".who").text


@pytest.mark.browser
def test_an_unknown_badge_is_told(page: Chrome) -> None:
    wedge(page, "7777777777")
    until(page, lambda it: "chưa gắn" in it.find_element(By.CSS_SELECTOR, ".why").text, "the refusal")
