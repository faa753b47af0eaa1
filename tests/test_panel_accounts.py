"""People at the screen: PINs, lock-out, sessions, auto-lock, rights."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from edge.errors import ConfigError, RefusedError
from edge.panel.accounts import FREE_TRIES, Accounts, add_account, lock_s
from edge.panel.app import create_app
from edge.panel.door import COOKIE
from edge.panel.pages import safe_next
from edge.panel.rights import ROLES, load_rights
from edge.panel.settings import PanelSettings
from edge.technician import account as console
from tests.panel_fakes import FakeDesk, FakeLane, passage

PIN = "280457"
BASE = "http://127.0.0.1:8080"


class Clock:
    """Monotonic seconds that only a test moves."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def accounts(tmp_path: Path, clock: Clock) -> Iterator[Accounts]:
    made = Accounts(tmp_path / "accounts.db", now_s=clock, boot="boot-1")
    made.add("BP-0412", "Mẫu Văn Gác", "guard", PIN)
    made.add("KT-0001", "Mẫu Thị Tra", "auditor", PIN)
    yield made
    made.close()


@pytest.fixture
def lane() -> FakeLane:
    return FakeLane(passage=passage("ready"))


@pytest.fixture
def client(accounts: Accounts, lane: FakeLane) -> Iterator[TestClient]:
    app = create_app(FakeDesk(b1_out=lane), accounts, PanelSettings(auto_lock_s=600))
    with TestClient(app, base_url=BASE, client=("127.0.0.1", 50000), follow_redirects=False) as client:
        yield client


def sign_in(client: TestClient, id: str = "BP-0412", pin: str = PIN, next: str = "/") -> int:
    page = client.get("/sign-in").text
    match = re.search(r'name="token" value="([^"]+)"', page)
    assert match is not None
    form = {"id": id, "pin": pin, "token": match[1], "next": next}
    return int(client.post("/sign-in", data=form).status_code)


def token(client: TestClient) -> str:
    match = re.search(r'"csrf": "([^"]+)"', client.get("/lane/b1-out").text)
    assert match is not None
    return match[1]


def press(client: TestClient, csrf: str, name: str, key: str = "key-00000001") -> tuple[int, str]:
    body = {"key": key, "name": name, "passage": "p-1"}
    answer = client.post("/lane/b1-out/action", json=body, headers={"x-csrf-token": csrf})
    return answer.status_code, answer.json()["code"]


def refusal(check: Callable[[], object]) -> str:
    with pytest.raises(RefusedError) as caught:
        check()
    return caught.value.code


def test_no_account_exists_by_default_and_the_page_says_what_to_do(tmp_path: Path) -> None:
    app = create_app(FakeDesk(b1_out=FakeLane()), Accounts(tmp_path / "a.db"), PanelSettings())
    assert "barie account add" in TestClient(app, base_url=BASE).get("/sign-in").text


def test_a_pin_is_kept_only_as_argon2id_in_a_file_for_its_owner_alone(accounts: Accounts, tmp_path: Path) -> None:
    (kept,) = sqlite3.connect(tmp_path / "accounts.db").execute("SELECT pin_hash FROM account LIMIT 1").fetchone()
    assert kept.startswith("$argon2id$")
    assert (tmp_path / "accounts.db").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("pin", ["12345", "000000", "123456", "987654", "12a456", "1234567890123"])
def test_a_weak_or_malformed_pin_is_refused(accounts: Accounts, pin: str) -> None:
    with pytest.raises(ValueError, match="PIN"):
        accounts.add("BP-0001", "Mẫu", "guard", pin)


def test_a_taken_id_and_an_unknown_role_are_named(accounts: Accounts) -> None:
    with pytest.raises(ValueError, match="BP-0412 is taken"):
        accounts.add("BP-0412", "Mẫu", "guard", PIN)
    with pytest.raises(ValueError, match="role: one of guard"):
        accounts.add("BP-0001", "Mẫu", "boss", PIN)


def test_the_right_pin_gives_the_person_and_a_wrong_one_or_nobody_gives_the_same_refusal(accounts: Accounts) -> None:
    assert accounts.check_pin("BP-0412", PIN).name == "Mẫu Văn Gác"
    assert refusal(lambda: accounts.check_pin("BP-0412", "111222")) == "wrong_pin"
    assert refusal(lambda: accounts.check_pin("nobody", PIN)) == "wrong_pin"


def test_wrong_pins_in_a_row_lock_the_account_even_for_the_right_one(accounts: Accounts, clock: Clock) -> None:
    for _ in range(FREE_TRIES + 1):
        assert refusal(lambda: accounts.check_pin("BP-0412", "111222")) == "wrong_pin"
    assert refusal(lambda: accounts.check_pin("BP-0412", PIN)) == "locked_out"
    clock.now_s += lock_s(FREE_TRIES + 1) + 60
    assert accounts.check_pin("BP-0412", PIN).id == "BP-0412"


def test_a_reboot_does_not_shorten_a_lock_out(accounts: Accounts, tmp_path: Path, clock: Clock) -> None:
    for _ in range(FREE_TRIES + 1):
        refusal(lambda: accounts.check_pin("BP-0412", "111222"))
    rebooted = Accounts(tmp_path / "accounts.db", now_s=clock, boot="boot-2")
    clock.now_s = 5.0
    assert refusal(lambda: rebooted.check_pin("BP-0412", PIN)) == "locked_out"
    clock.now_s += lock_s(FREE_TRIES + 1) + 1
    assert rebooted.check_pin("BP-0412", PIN).id == "BP-0412"
    rebooted.close()


def test_each_more_wrong_pin_locks_for_longer_up_to_a_limit() -> None:
    times = [lock_s(n) for n in range(30)]
    assert times[FREE_TRIES] == 0 < times[FREE_TRIES + 1]
    assert times == sorted(times)
    assert times[-1] == 900.0


def test_too_many_tries_at_one_screen_are_slowed_whoever_they_are_for(accounts: Accounts) -> None:
    codes = [refusal(lambda n=n: accounts.check_pin(f"guess-{n}", PIN)) for n in range(13)]  # type: ignore[misc]
    assert codes == ["wrong_pin"] * 12 + ["too_many_tries"]


def test_a_stranger_sees_no_lane_and_presses_nothing(client: TestClient, lane: FakeLane) -> None:
    assert client.get("/lane/b1-out").headers["location"] == "/sign-in?next=/lane/b1-out"
    for path in (
        "/lane/b1-out/view.json",
        "/lane/b1-out/events",
        "/lane/b1-out/live/front.jpg",
        "/evidence/photo-1.jpg",
    ):
        assert client.get(path).status_code == 401, path
    assert press(client, "x", "stop") == (401, "signed_out")
    assert lane.acts == []


def test_signing_in_gives_a_cookie_that_scripts_and_other_sites_cannot_use(client: TestClient) -> None:
    page = client.get("/sign-in").text
    match = re.search(r'name="token" value="([^"]+)"', page)
    assert match is not None
    form = {"id": "BP-0412", "pin": PIN, "token": match[1], "next": "/lane/b1-out"}
    answer = client.post("/sign-in", data=form)
    cookie = next(each for each in answer.headers.get_list("set-cookie") if each.startswith(COOKIE))
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert answer.headers["location"] == "/lane/b1-out"


def test_sign_in_without_the_forms_token_or_with_a_wrong_pin_gives_no_session(client: TestClient) -> None:
    assert client.post("/sign-in", data={"id": "BP-0412", "pin": PIN, "token": "", "next": "/"}).status_code == 403
    assert sign_in(client, pin="111222") == 403
    assert client.get("/lane/b1-out/view.json").status_code == 401


def test_after_sign_in_a_press_is_done_under_that_name(client: TestClient, lane: FakeLane) -> None:
    assert sign_in(client) == 303
    assert press(client, token(client), "confirm") == (200, "recorded")
    assert lane.acts[0].person.id == "BP-0412"


def test_a_role_does_only_what_the_table_of_rights_allows(client: TestClient, lane: FakeLane) -> None:
    sign_in(client, id="KT-0001")
    assert client.get("/lane/b1-out/view.json").json()["can"] == []
    assert press(client, token(client), "confirm") == (403, "not_your_role")
    assert lane.acts == []


def test_an_idle_screen_locks_and_still_stops_the_boom(client: TestClient, lane: FakeLane, clock: Clock) -> None:
    sign_in(client)
    csrf = token(client)
    clock.now_s += 601
    assert client.get("/lane/b1-out/view.json").status_code == 401
    assert press(client, csrf, "confirm") == (401, "locked")
    assert press(client, csrf, "stop", key="key-00000002") == (200, "recorded")
    assert [action.name for action in lane.acts] == ["stop"]
    assert client.get("/lane/b1-out/view.json").status_code == 401, "a stop must not unlock the screen"


def test_touches_keep_the_screen_awake_and_its_own_traffic_does_not(client: TestClient, clock: Clock) -> None:
    sign_in(client)
    csrf = token(client)
    for _ in range(4):
        clock.now_s += 400
        assert client.post("/touch", headers={"x-csrf-token": csrf}).status_code == 204
    clock.now_s += 400
    assert client.get("/lane/b1-out/view.json").status_code == 200
    clock.now_s += 201
    assert client.get("/lane/b1-out/view.json").status_code == 401


def test_a_restart_of_the_gate_process_keeps_the_session_and_a_reboot_ends_it(
    client: TestClient, tmp_path: Path, clock: Clock
) -> None:
    sign_in(client)
    cookie = {COOKIE: client.cookies[COOKIE]}
    for boot, status in (("boot-1", 200), ("boot-2", 401)):
        again = create_app(
            FakeDesk(b1_out=FakeLane()), Accounts(tmp_path / "accounts.db", clock, boot), PanelSettings()
        )
        restarted = TestClient(again, base_url=BASE, cookies=cookie)
        assert restarted.get("/lane/b1-out/view.json").status_code == status


def test_signing_out_ends_the_session_for_good(client: TestClient) -> None:
    sign_in(client)
    cookie, csrf = client.cookies[COOKIE], token(client)
    assert client.post("/sign-out", headers={"x-csrf-token": csrf}).status_code == 204
    client.cookies.set(COOKIE, cookie)
    assert client.get("/lane/b1-out/view.json").status_code == 401


@pytest.mark.parametrize(
    "path", ["//evil.example", "/lane/../x", "https://evil.example", "/lane//evil", "/sign-out", ""]
)
def test_a_sign_in_leads_nowhere_but_to_a_lane(path: str) -> None:
    assert safe_next(path) == "/"
    assert safe_next("/lane/b1-out") == "/lane/b1-out"


def test_the_table_of_rights_knows_every_role_and_only_guards_confirm() -> None:
    rights = load_rights()
    assert set(rights) == set(ROLES)
    assert {role for role in rights if "confirm" in rights[role]} == {"guard", "shift_leader"}


def test_a_wrong_table_of_rights_names_its_faults(tmp_path: Path) -> None:
    wrong = tmp_path / "rights.toml"
    wrong.write_text('[guard]\nactions = ["fly"]\n[king]\nactions = []\n', encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_rights(wrong)
    assert "guard.actions: no such action: fly" in caught.value.faults
    assert "king: no such role" in caught.value.faults


def test_the_console_asks_for_the_pin_twice_and_adds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([PIN, "111222", PIN, PIN])
    monkeypatch.setattr("getpass.getpass", lambda _: next(answers))
    assert console.run(tmp_path, "BP-0001", "Mẫu", "guard") == 2
    assert console.run(tmp_path, "BP-0001", "Mẫu", "guard") == 0
    assert Accounts(tmp_path / "accounts.db").check_pin("BP-0001", PIN).role == "guard"


def test_the_console_refuses_a_bad_role_before_it_asks_for_a_pin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("getpass.getpass", lambda _: pytest.fail("asked for a PIN"))
    assert console.run(tmp_path, "BP-0001", "Mẫu", "boss") == 2
    assert "role: one of guard" in capsys.readouterr().err


def test_add_account_makes_the_file(tmp_path: Path) -> None:
    add_account(tmp_path / "new" / "accounts.db", "BP-0001", "Mẫu", "guard", PIN)
    assert [person.id for person in Accounts(tmp_path / "new" / "accounts.db").people()] == ["BP-0001"]
