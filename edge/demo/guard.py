"""The demo's view of the guard's screen over HTTP, and the guard who presses when nobody is there to."""

from __future__ import annotations

import asyncio
import json
import re
import urllib.error
import urllib.request
from http.cookiejar import CookieJar
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

POLL_S = 0.25


class Panel:
    """The screen's own routes, as a browser on this machine uses them."""

    def __init__(self, port: int) -> None:
        self._base = f"http://127.0.0.1:{port}"
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        self._token = ""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opener.close()

    async def view(self, lane: str) -> dict[str, Any]:
        """The lane as the screen shows it. Raises OSError while the screen is not up."""
        return json.loads(await asyncio.to_thread(self.fetch, f"/lane/{lane}/view.json"))  # type: ignore[no-any-return]

    async def press(self, lane: str, name: str, passage: str, **fields: str) -> dict[str, Any]:
        return await asyncio.to_thread(self.press_here, lane, name, passage, **fields)

    def press_here(self, lane: str, name: str, passage: str, **fields: str) -> dict[str, Any]:
        """`press` on the caller's own thread."""
        body = {"key": str(uuid4()), "name": name, "passage": passage, **fields}
        answer = self._post(lane, body)
        if answer.get("code") == "http_403":  # the page is of a screen that was started anew since
            self._token = ""
            answer = self._post(lane, body)
        return answer

    async def missing(self, lanes: list[str]) -> list[str]:
        """What is not up yet, in words."""
        missing = []
        for lane in lanes:
            try:
                view = await self.view(lane)
            except (OSError, ValueError):
                return ["the screen"]
            missing += [f"camera {camera['id']}" for camera in view["cameras"] if camera["state"] != "up"]
            missing += [] if view["boom"]["board_ok"] else [f"board of {lane}"]
        return missing

    async def wait_drained(self, lanes: list[str], within_s: float) -> bool:
        """Wait until the centre has acknowledged everything. False where it had not in time."""
        for _ in range(int(within_s / POLL_S)):
            views = [await self.view(lane) for lane in lanes]
            if all(view["link"]["unacknowledged"] == 0 for view in views):
                return True
            await asyncio.sleep(POLL_S)
        return False

    def fetch(self, path: str) -> bytes:
        """What the screen serves there. Raises OSError where it does not."""
        with self._opener.open(self._base + path, timeout=5) as answer:
            return bytes(answer.read())

    def _post(self, lane: str, body: dict[str, str]) -> dict[str, Any]:
        if not self._token:
            found = re.search(
                r'<script type="application/json" id="boot">(.*?)</script>',
                self.fetch(f"/lane/{lane}").decode("utf-8"),
                re.S,
            )
            self._token = json.loads(found.group(1))["csrf"] if found else ""
        request = urllib.request.Request(  # noqa: S310 - a fixed http address on loopback
            f"{self._base}/lane/{lane}/action",
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "X-CSRF-Token": self._token, "Origin": self._base},
        )
        try:
            with self._opener.open(request, timeout=10) as answer:
                return json.loads(answer.read())  # type: ignore[no-any-return]
        except urllib.error.HTTPError as error:
            return {
                "done": False,
                "code": f"http_{error.code}",
                "detail": error.read().decode("utf-8", "replace")[:200],
            }


class ScriptedGuard:
    """Looks at each passage for a moment, confirms what is ready, turns away what is undeclared; waits for a plate to
    be read."""

    def __init__(self, panel: Panel, look_s: float = 0.5) -> None:
        self._panel = panel
        self._look_s = look_s

    async def watch(self, lane: str) -> None:
        while True:
            await asyncio.sleep(POLL_S)
            if (passage := await self._waiting(lane)) is None:
                continue
            await asyncio.sleep(self._look_s)
            if "confirm" in passage["actions"]:
                await self._panel.press(lane, "confirm", passage["id"])
            else:
                await self._panel.press(lane, "turn_away", passage["id"], reason="no_declaration")

    async def _waiting(self, lane: str) -> dict[str, Any] | None:
        """The passage, where its vehicle stands on the loop, was read, and waits for a person."""
        view = await self._panel.view(lane)
        passage: dict[str, Any] | None = view["passage"]
        if (
            passage is None
            or passage["state"] != "waiting"
            or not view["boom"]["present"]
            or passage["verdict"] is None
        ):
            return None
        return passage if any(plate["decided"] for plate in passage["plates"]) else None
