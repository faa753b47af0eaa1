"""The screen's routes over a fake desk: what is asked for, refused and done."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from edge.core.json_shape import to_json
from edge.core.view import PaperSince
from edge.errors import RefusedError, StoreFullError
from edge.panel.accounts import Accounts
from edge.panel.app import create_app
from edge.panel.sessions import COOKIE
from edge.panel.settings import PanelSettings
from edge.ports import Action, ActionResult
from tests.panel.fakes import FakeDesk, FakeLane, passage

BASE = "http://127.0.0.1:8080"


@pytest.fixture
def lane() -> FakeLane:
    return FakeLane(passage=passage("ready"))


@pytest.fixture
def app(lane: FakeLane, tmp_path: Path) -> Iterator[Starlette]:
    accounts = Accounts(tmp_path / "accounts.db")
    yield create_app(FakeDesk(b1_out=lane), accounts, PanelSettings(sign_in="demo", beat_s=0.05))
    accounts.close()


@pytest.fixture
def client(app: Starlette) -> Iterator[TestClient]:
    with TestClient(app, base_url=BASE, client=("127.0.0.1", 50000)) as client:
        yield client


def csrf(client: TestClient) -> str:
    session = client.app.state.panel.door._session  # type: ignore[attr-defined]
    return str(session.csrf)


def press(client: TestClient, token: str | None = None, **more: Any) -> httpx.Response:
    body = {"key": "key-00000001", "name": "confirm", "passage": "p-1", "reason": "", "words": "", "value": "", **more}
    headers = {"x-csrf-token": csrf(client) if token is None else token}
    answer: httpx.Response = client.post("/lane/b1-out/action", json=body, headers=headers)
    return answer


def test_every_answer_carries_a_policy_that_allows_no_foreign_or_inline_code(client: TestClient) -> None:
    for path in ("/lane/b1-out", "/static/panel.js", "/healthz", "/nothing-here"):
        policy = client.get(path).headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy


def test_the_page_holds_no_inline_script_or_style_and_no_foreign_address(client: TestClient) -> None:
    page = client.get("/lane/b1-out").text
    assert "<style" not in page
    assert " style=" not in page
    assert " onclick=" not in page
    assert page.count("<script") == 2  # the module, and the block of data
    assert 'src="http' not in page
    assert 'href="http' not in page


def test_what_stands_in_the_data_block_cannot_end_it(client: TestClient, lane: FakeLane) -> None:
    lane.show(passage=passage("ready", plate={**passage()["plate"], "raw": "</script><script>x()"}))
    page = client.get("/lane/b1-out").text
    assert "</script><script>x()" not in page
    assert page.count("<script") == 2


def test_a_single_lane_is_gone_to_straight(client: TestClient) -> None:
    answer = client.get("/", follow_redirects=False)
    assert answer.headers["location"] == "/lane/b1-out"


def test_several_lanes_have_a_page_of_their_own(tmp_path: Path) -> None:
    app = create_app(
        FakeDesk(b1_out=FakeLane(), yard_in=FakeLane()), Accounts(tmp_path / "a.db"), PanelSettings("demo")
    )
    client = TestClient(app, base_url=BASE, client=("127.0.0.1", 50000))
    page = client.get("/").text
    assert 'href="/lane/b1-out"' in page
    assert 'href="/lane/yard-in"' in page
    assert set(client.get("/lanes.json").json()["lanes"]) == {"b1-out", "yard-in"}


@pytest.mark.parametrize("fault", ["fails", "cannot_be_sent"])
def test_one_lanes_fault_never_takes_the_overview_down(tmp_path: Path, fault: str) -> None:
    class Broken(FakeLane):
        def view(self) -> Any:
            if fault == "fails":
                raise KeyError("boom")
            return replace(super().view(), paper=PaperSince("\ud800", "", ""))

    app = create_app(FakeDesk(b1_out=Broken(), yard_in=FakeLane()), Accounts(tmp_path / "a.db"), PanelSettings("demo"))
    with TestClient(app, base_url=BASE, client=("127.0.0.1", 50000)) as client:
        lanes = client.get("/lanes.json").json()["lanes"]
        assert lanes["b1-out"] == {"unknown": True, "name": to_json(FakeLane().where.name)}, "unknown, not empty"
        assert lanes["yard-in"]["boom"]["state"]
        page = client.get("/")
        assert page.status_code == 200
        assert 'href="/lane/b1-out"' in page.text
        assert 'href="/lane/yard-in"' in page.text
        assert client.get("/healthz").json()["lanes"] == ["b1-out", "yard-in"]
        if fault == "fails":
            assert client.get("/healthz").json()["waiting"], "somebody may stand there"
        assert client.get("/lane/yard-in/view.json").status_code == 200
        if fault == "fails":
            assert press(client, name="stop").json()["done"], "what nobody can see can still be stopped"


def test_the_view_says_what_this_person_may_press_and_how_plates_look(client: TestClient) -> None:
    view = client.get("/lane/b1-out/view.json").json()
    assert view["passage"]["plate"]["look"] == {"ground": "white", "lines": ["12C", "123.45"]}
    assert set(view["can"]) == {"confirm", "override", "turn_away", "type_plate", "stop", "hold"}


def test_hold_turns_into_its_release_and_stop_stays_when_no_vehicle_stands(client: TestClient, lane: FakeLane) -> None:
    lane.show(passage=None, boom={**lane.shown["boom"], "held": True})
    assert client.get("/lane/b1-out/view.json").json()["can"] == ["release_hold", "stop"]


def test_an_unknown_lane_camera_or_photo_is_named_as_such(client: TestClient) -> None:
    for path, code in (
        ("/lane/none/view.json", "no_such_lane"),
        ("/lane/b1-out/live/none.jpg", "no_such_camera"),
        ("/evidence/none.jpg", "no_such_photo"),
    ):
        answer = client.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, code)


def test_the_live_picture_comes_with_its_age_and_only_when_it_is_new(client: TestClient, lane: FakeLane) -> None:
    first = client.get("/lane/b1-out/live/front.jpg")
    assert first.content == lane.jpeg
    assert first.headers["x-frame-age-ms"] == "80"
    again = client.get("/lane/b1-out/live/front.jpg", headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304
    assert again.headers["x-frame-age-ms"] == "80"
    lane.jpeg = None
    assert client.get("/lane/b1-out/live/front.jpg").status_code == 204


def test_a_press_reaches_the_desk_once_under_the_persons_name(client: TestClient, lane: FakeLane) -> None:
    answer = press(client).json()
    assert (answer["done"], answer["seq"]) == (True, 41)
    (action,) = lane.acts
    assert (action.name, action.passage, action.person.id, action.key) == ("confirm", "p-1", "demo", "key-00000001")


def test_the_same_key_again_gives_the_first_answer_and_does_nothing(client: TestClient, lane: FakeLane) -> None:
    first = press(client).json()
    assert press(client).json() == first
    assert len(lane.acts) == 1


def test_a_key_used_again_for_something_else_is_refused(client: TestClient, lane: FakeLane) -> None:
    press(client)
    other = press(client, name="override", reason="ordered").json()
    assert (other["done"], other["code"]) == (False, "key_reused")
    assert len(lane.acts) == 1


@pytest.mark.parametrize("token", ["", "wrong"])
def test_a_press_without_the_pages_token_does_nothing(client: TestClient, lane: FakeLane, token: str) -> None:
    answer = press(client, token=token)
    assert (answer.status_code, answer.json()["code"]) == (403, "csrf")
    assert lane.acts == []


def test_a_press_from_another_site_does_nothing(client: TestClient, lane: FakeLane) -> None:
    headers = {"x-csrf-token": csrf(client), "origin": "http://evil.example"}
    body = {"key": "key-00000001", "name": "stop", "passage": None}
    assert client.post("/lane/b1-out/action", json=body, headers=headers).status_code == 403
    assert lane.acts == []


def test_a_forms_post_keeps_its_origin(client: TestClient) -> None:
    """Under "no-referrer" a browser's form would come with `Origin: null`, and nobody could sign in."""
    assert client.get("/healthz").headers["referrer-policy"] == "same-origin"


def test_a_foreign_host_name_is_not_served(client: TestClient) -> None:
    assert client.get("/lane/b1-out", headers={"host": "evil.example"}).status_code == 421
    assert client.get("/healthz", headers={"host": "localhost:8080"}).status_code == 200


@pytest.mark.parametrize(
    "more",
    [
        {"name": "explode"},
        {"key": "short"},
        {"passage": 7},
        {"unheard": 1},
        {"words": "x" * 501},
        {"key": "käy-00000001"},
    ],
)
def test_a_malformed_press_is_refused_and_does_nothing(
    client: TestClient, lane: FakeLane, more: dict[str, Any]
) -> None:
    assert press(client, **more).status_code == 400
    assert lane.acts == []


def test_a_huge_or_foreign_body_is_refused(client: TestClient, lane: FakeLane) -> None:
    headers = {"x-csrf-token": csrf(client)}
    huge = client.post("/lane/b1-out/action", json={"value": "x" * 40_000}, headers=headers)
    form = client.post("/lane/b1-out/action", data={"name": "confirm"}, headers=headers)
    assert (huge.status_code, form.status_code) == (413, 415)
    assert lane.acts == []


@pytest.mark.parametrize(
    ("error", "code"),
    [(RefusedError("not_ready", "HE"), "not_ready"), (StoreFullError("no room"), "store_full")],
)
def test_a_refusal_of_the_desk_is_an_answer(client: TestClient, lane: FakeLane, error: Exception, code: str) -> None:
    async def refuse(action: Action) -> ActionResult:
        raise error

    lane.act = refuse  # type: ignore[method-assign]
    answer = press(client).json()
    assert (answer["done"], answer["code"]) == (False, code)


def test_the_demo_is_for_this_machine_only(app: Starlette) -> None:
    stranger = TestClient(app, base_url=BASE, client=("192.0.2.7", 50000))
    assert stranger.get("/lane/b1-out/view.json").status_code == 401
    assert "DEMO" in TestClient(app, base_url=BASE, client=("::1", 50000)).get("/lane/b1-out").text


def test_events_begin_with_the_view_go_on_with_beats_and_bring_each_change(app: Starlette, lane: FakeLane) -> None:
    async def follow() -> list[tuple[str, Any]]:
        heard: list[tuple[str, Any]] = []
        done = asyncio.Event()

        async def receive() -> dict[str, Any]:
            await done.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            for block in message.get("body", b"").decode().split("\n\n"):
                lines = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
                if "event" in lines:
                    heard.append((lines["event"], json.loads(lines["data"])))
            if sum(name == "beat" for name, _ in heard) == 3:
                lane.show(clock="holdover")
            if sum(name == "view" for name, _ in heard) == 2:
                app.state.panel.closing.set()

        scope: dict[str, Any] = {
            "type": "http",
            "method": "GET",
            "path": "/lane/b1-out/events",
            "headers": [(b"host", b"127.0.0.1")],
        }
        scope |= {"query_string": b"", "client": ("127.0.0.1", 1), "scheme": "http", "http_version": "1.1"}
        await asyncio.wait_for(app(scope, receive, send), 10)
        done.set()
        return heard

    heard = asyncio.run(follow())
    assert [name for name, _ in heard[:3]] == ["hello", "view", "beat"]
    views = [data for name, data in heard if name == "view"]
    assert [view["clock"] for view in views] == ["synced", "holdover"]
    assert {"now", "number", "cameras", "link", "copy_age_s"} <= set(
        next(data for name, data in heard if name == "beat")
    )


def test_no_cookie_is_needed_in_the_demo_and_none_is_set(client: TestClient) -> None:
    assert COOKIE not in client.get("/lane/b1-out").cookies
