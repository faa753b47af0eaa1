"""People at the screen: PINs, lock-out, sessions, auto-lock, rights."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from edge.errors import RefusedError
from edge.panel.accounts import FREE_TRIES, NETWORK, Accounts, lock_s
from edge.panel.app import create_app
from edge.panel.sessions import AccountsDoor
from edge.panel.settings import PanelSettings
from tests.panel.fakes import FakeDesk, FakeLane, passage

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


def test_wrong_pins_for_others_keep_no_guard_out(accounts: Accounts) -> None:
    """Seen: twelve wrong PINs kept everybody out for a minute, the second person of an override too."""
    for n in range(30):
        assert refusal(lambda n=n: accounts.check_pin(f"guess-{n}", "000000")) == "wrong_pin"  # type: ignore[misc]
    someone = accounts.people()[0].id
    assert accounts.check_pin(someone, PIN).id == someone


def test_wrong_pins_from_the_network_lock_nobody_out_at_the_booth(accounts: Accounts) -> None:
    someone = accounts.people()[0].id
    codes = [refusal(lambda: accounts.check_pin(someone, "000000", NETWORK)) for _ in range(6)]
    assert codes == ["wrong_pin"] * 5 + ["locked_out"]
    assert accounts.check_pin(someone, PIN).id == someone


def test_tries_at_the_same_moment_are_as_many_tries(accounts: Accounts) -> None:
    """Seen: ten wrong PINs looked at where five are, as each was counted after its hash."""
    someone = accounts.people()[0].id
    with ThreadPoolExecutor(10) as pool:
        codes = list(pool.map(lambda _: refusal(lambda: accounts.check_pin(someone, "000000")), range(10)))
    assert sorted(codes) == ["locked_out"] * 5 + ["wrong_pin"] * 5


def test_an_id_that_nobody_has_is_refused_as_one_that_somebody_has(accounts: Accounts) -> None:
    someone = accounts.people()[0].id
    both = [[refusal(lambda id=id: accounts.check_pin(id, "000000")) for _ in range(7)] for id in (someone, "nobody-1")]  # type: ignore[misc]
    assert both[0] == both[1]


def test_an_account_is_locked_opened_changed_and_removed_and_each_is_told(accounts: Accounts) -> None:
    someone = accounts.people()[0].id
    accounts.recorded(10**6)
    AccountsDoor(accounts, 900.0, 43_200.0).open(accounts.check_pin(someone, PIN))
    accounts.lock_out(someone, by="console/root")
    assert accounts.db.execute("SELECT count(*) FROM session").fetchone() == (0,), "its sessions end at once"
    assert refusal(lambda: accounts.check_pin(someone, PIN)) == "shut"
    accounts.open_again(someone, by="console/root")
    accounts.set_pin(someone, "830417", by="console/root")
    assert refusal(lambda: accounts.check_pin(someone, PIN)) == "wrong_pin"
    accounts.set_role(someone, "auditor", by="console/root")
    assert accounts.check_pin(someone, "830417").role == "auditor"
    accounts.remove(someone, by="console/root")
    assert refusal(lambda: accounts.check_pin(someone, "830417")) == "wrong_pin"
    told = accounts.changes()
    assert [one.what for one in told] == ["locked", "unlocked", "pin", "role", "removed"]
    assert {(one.account, one.by) for one in told} == {(someone, "console/root")}
    with pytest.raises(ValueError, match="there is no account"):
        accounts.remove(someone, by="console/root")
