"""Who may do what, where: every route and press by every role at every place, against one table."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from starlette.testclient import TestClient

from edge.actions import actions
from edge.core.model import Place
from edge.panel.accounts import Accounts
from edge.panel.app import ROUTES, create_app
from edge.panel.rights import ROLES
from edge.panel.sessions import Session
from edge.panel.settings import PanelSettings
from edge.ports import Person
from tests.panel.fakes import FakeDesk, FakeLane, passage

BASE = "http://127.0.0.1:8080"
PLACES = get_args(Place)
TABLE = tomllib.loads(Path("edge/panel/rights.toml").read_text(encoding="utf-8"))
GATES_OWN = {"stop", "alarm_ack", "alarm_shelve", "alarm_unshelve", "handover_write", "handover_sign"}
"""Of the whole gate, or never the dangerous choice."""
FREE = {"/sign-in", "/sign/{lane}", "/sign/{lane}/events", "/healthz", "/static"}
"""What a stranger may ask for."""


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    accounts = Accounts(tmp_path_factory.mktemp("rights") / "accounts.db")
    lanes = {}
    for place in PLACES:
        lane = FakeLane(passage=passage("ready"))
        lane.show(place=place)
        lanes[place] = lane
    app = create_app(FakeDesk(**lanes), accounts, PanelSettings(sign_in="demo"))
    with TestClient(app, base_url=BASE, client=("127.0.0.1", 50000)) as one:
        yield one
    accounts.close()


def be(client: TestClient, role: str) -> None:
    client.app.state.panel.door._session = Session(Person(f"p-{role}", "Ví Dụ", role), "token")  # type: ignore[attr-defined]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("place", PLACES)
def test_no_press_beyond_the_table(client: TestClient, role: str, place: str) -> None:
    be(client, role)
    row = TABLE[role]
    url, lane = f"/lane/{place.replace('_', '-')}", client.app.state.panel.desk.by_name[place.replace("_", "-")]  # type: ignore[attr-defined]
    can = set(client.get(f"{url}/view.json").json()["can"])
    for number, name in enumerate(sorted(actions())):
        may = role in actions()[name].roles and (place in row["places"] or name in GATES_OWN)
        before = len(lane.acts)
        body = {"key": f"key-{role}-{place}-{number:02}".replace("_", "-"), "name": name, "passage": "p-1"}
        answer = client.post(f"{url}/action", json=body, headers={"x-csrf-token": "token"})
        assert (answer.status_code != 403) == may, (name, answer.text)
        assert len(lane.acts) == before + may, name
        assert may or name not in can, name


def test_the_yards_operator_opens_no_barrier_of_the_road(client: TestClient) -> None:
    """Seen: barrier 1 opened by the emergency key."""
    be(client, "yard_operator")
    body = {"key": "key-emergency", "name": "emergency_open", "passage": None, "reason": "ambulance"}
    answer = client.post("/lane/b1/action", json=body, headers={"x-csrf-token": "token"})
    assert (answer.status_code, answer.json()["code"]) == (403, "not_your_place")
    body["key"] = "key-emergency-yard"
    assert client.post("/lane/yard-in/action", json=body, headers={"x-csrf-token": "token"}).json()["done"]


def test_a_photo_of_the_past_is_history(client: TestClient) -> None:
    be(client, "yard_operator")
    assert client.get("/evidence/older-photo.jpg").status_code == 403
    be(client, "guard")
    assert client.get("/evidence/older-photo.jpg").status_code != 403


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{sorted(route.methods)[-1]} {route.path}")
def test_a_stranger_gets_nothing(client: TestClient, route: object) -> None:
    path = route.path  # type: ignore[attr-defined]
    method = "POST" if "POST" in route.methods else "GET"  # type: ignore[attr-defined]
    if path in FREE:
        return
    client.app.state.panel.door.session, kept = (lambda _: None), client.app.state.panel.door.session  # type: ignore[attr-defined]
    try:
        filled = path.replace("{lane}", "b1").replace("{camera}", "front").replace("{id}", "x")
        answer = client.request(method, filled, json={} if method == "POST" else None, follow_redirects=False)
    finally:
        client.app.state.panel.door.session = kept  # type: ignore[attr-defined]
    assert answer.status_code in (401, 303), answer.text
    assert answer.headers.get("location", "/sign-in").startswith("/sign-in")
