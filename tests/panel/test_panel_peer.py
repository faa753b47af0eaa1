"""Who asks: the booth's own screen is told from every other program of this machine, and from the network."""

from __future__ import annotations

import asyncio
import http.client
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.core.csv_cell import plain
from edge.errors import RefusedError
from edge.panel.accounts import HERE, NETWORK, PEER_FREE_TRIES, Accounts
from edge.panel.app import create_app
from edge.panel.asked import cursor_of, day_of
from edge.panel.peer import owner
from edge.panel.proof import WAITING_MOST, Proofs
from edge.panel.settings import PanelSettings
from tests.panel.browser import PanelServer
from tests.panel.fakes import FakeDesk, FakeLane

PIN, WRONG = "280457", "111222"
NAME = "Mẫu Văn Gác"


@pytest.fixture
def accounts(tmp_path: Path) -> Iterator[Accounts]:
    made = Accounts(tmp_path / "accounts.db")
    made.add("BP-0412", NAME, "guard", PIN)
    made.add("BP-0413", "Mẫu Thị Ca", "shift_leader", PIN)
    yield made
    made.close()


def serve(accounts: Accounts, *, ours: bool) -> PanelServer:
    """`ours`: whether this test's own programs are the booth's screen, or somebody else's on the same machine."""
    uids = frozenset((os.getuid() if ours else os.getuid() + 1,))
    return PanelServer(create_app(FakeDesk(b1_out=FakeLane()), accounts, PanelSettings(screen_uids=uids)))


def get(server: PanelServer, path: str) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("GET", path)
    text = connection.getresponse().read().decode()
    connection.close()
    return text


def test_names_are_listed_to_the_booths_own_screen_and_to_no_other_program_here(accounts: Accounts) -> None:
    for ours in (True, False):
        server = serve(accounts, ours=ours)
        page = get(server, "/sign-in")
        server.stop()
        assert (NAME in page, "BP-0412" in page) == (ours, ours)
        assert ('type="text" name="id"' in page) != ours, "who is not listed types the number"


def test_only_the_booths_own_page_gives_a_sign_of_life(accounts: Accounts) -> None:
    """Seen: anybody who asked `/healthz?page` kept a dead page's watchdog quiet."""
    for ours in (True, False):
        server = serve(accounts, ours=ours)
        get(server, "/healthz?page")
        said = get(server, "/healthz")
        server.stop()
        assert ('"page_s":null' in said) != ours


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_the_kernel_says_whose_connection_it_is_while_it_is_held(host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        server = socket.create_server((host, 0), family=family)
    except OSError:
        pytest.skip(f"no {host} here")
    client = socket.create_connection(server.getsockname()[:2])
    taken, _ = server.accept()
    ends = (client.getsockname()[:2], server.getsockname()[:2])
    assert owner(*ends) == os.getuid()
    client.close()  # an end that nobody holds any more has no user, and would be root's in the table
    assert owner(*ends) is None
    assert owner((host, 1), ends[1]) is None
    taken.close()
    server.close()


def test_another_program_of_this_machine_locks_nobody_out_at_the_booth(accounts: Accounts) -> None:
    server = serve(accounts, ours=False)
    for _ in range(6):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        head = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": "barie_form=x"}
        connection.request("POST", "/sign-in", f"token=x&id=BP-0412&pin={WRONG}", head)
        connection.getresponse().read()
        connection.close()
    server.stop()
    assert refused(accounts, "BP-0412", NETWORK, "192.0.2.7") == "locked_out"
    assert accounts.check_pin("BP-0412", PIN, HERE).id == "BP-0412"


def refused(accounts: Accounts, id: str, place: str, peer: str) -> str:
    with pytest.raises(RefusedError) as told:
        accounts.check_pin(id, WRONG, place, peer)
    return told.value.code


def test_who_tries_a_pin_at_each_of_many_accounts_is_one_who_tries_many(accounts: Accounts) -> None:
    peer = "192.0.2.7"
    for n in range(PEER_FREE_TRIES + 1):
        assert refused(accounts, f"guess-{n}", NETWORK, peer) == "wrong_pin"
    assert refused(accounts, "guess-new", NETWORK, peer) == "locked_out"
    assert accounts.check_pin("BP-0412", PIN, NETWORK, "192.0.2.8").id == "BP-0412", "another peer may"
    assert accounts.check_pin("BP-0412", PIN, HERE).id == "BP-0412", "the booth may"


def test_an_account_of_ones_own_clears_nobodys_tries(accounts: Accounts) -> None:
    """Between guesses the attacker signs in rightly: the peer's count does not go back."""
    peer, codes = "192.0.2.7", []
    for n in range(PEER_FREE_TRIES):
        try:
            accounts.check_pin("BP-0413", PIN, NETWORK, peer)
        except RefusedError as error:
            codes.append(error.code)
            continue
        codes.append(refused(accounts, f"guess-{n}", NETWORK, peer))
    assert codes[-1] == "locked_out"


def test_a_crowd_that_guesses_holds_none_of_the_threads_that_write_the_record() -> None:
    async def scene() -> tuple[list[str], str]:
        proofs, hold = Proofs(), threading.Event()
        many = [asyncio.ensure_future(proofs.prove(NETWORK, hold.wait)) for _ in range(40)]
        await asyncio.sleep(0)
        # the record's own threads are free, and the booth waits behind a few tries at most
        record = await asyncio.wait_for(asyncio.to_thread(lambda: "written"), 10)
        booth = asyncio.ensure_future(proofs.prove(HERE, lambda: "proven"))
        hold.set()
        await booth
        return [str(one) for one in await asyncio.gather(*many, return_exceptions=True)], record

    told, record = asyncio.run(scene())
    assert record == "written"
    assert told.count("True") == WAITING_MOST[NETWORK]
    assert sum("too_many_tries" in one for one in told) == 40 - WAITING_MOST[NETWORK]


@pytest.mark.parametrize(
    "cell",
    ["=1+1", "＝1+1", "＋1", "－1", "＠SUM(1)", "\t=1", " =1", "\u00a0=1", "\ufeff=1", "\u200b＝1", '"=1', "\u22121"],
)
def test_no_cell_begins_a_formula(cell: str) -> None:
    """The full-width ones too, which an Asian spreadsheet takes for their ASCII twins; the true minus is none."""
    assert plain(cell) == (cell if cell.startswith("\u2212") else f"'{cell}")


@pytest.mark.parametrize("cell", ["12C12345", "Nguyễn Văn Mẫu", "", "京A12345", '{"a": 1}', "2026-11-29", "  đã xem"])
def test_what_is_no_formula_stays_as_it_is(cell: str) -> None:
    assert plain(cell) == cell


@pytest.mark.parametrize(
    "day", ["9999-12-31", "0001-01-01", "1999-12-31", "2026-02-30", "２０２６-01-01", "20260101", "x", ""]
)
def test_a_day_that_no_gate_has_is_refused(day: str) -> None:
    with pytest.raises(ValueError, match="day"):
        day_of(day)


@pytest.mark.parametrize("text", ["9" * 16 + "_p", "9" * 5000 + "_p", "-1_p", "１_p", "1_", "1", "_", "1_" + "p" * 65])
def test_a_place_in_a_list_that_no_list_has_is_none(text: str) -> None:
    assert cursor_of(text) is None
