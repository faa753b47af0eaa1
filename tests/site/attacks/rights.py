"""Every address of the screen, asked by everybody: routes by roles by places against one table, then with junk.

    python -m tests.site.attacks.rights

Starts an agent of its own on loopback with a barrier and a yard gate and an account of each role, asks each address as
a stranger, as a locked screen, as each role, without the page's token, from another site and with junk in its address
and body, and prints one JSON line: how many it asked, and every answer that was not as the table says. Ends with 1
where there was one.
"""

from __future__ import annotations

import http.client
import json
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from edge.actions import actions
from edge.panel.app import ROUTES
from tests.site.attacks.gate import PEOPLE, Caller, Gate

ANYBODY, SIGNED_IN = "anybody", "signed in"
TABLE: dict[tuple[str, str], str] = {
    ("GET", "/"): SIGNED_IN,
    ("GET", "/lanes.json"): SIGNED_IN,
    ("GET", "/people.json"): SIGNED_IN,
    ("GET", "/transfer"): "transfer_list",
    ("GET", "/transfer/list.csv"): "transfer_list",
    ("GET", "/transfer/list.html"): "transfer_list",
    ("GET", "/lane/{lane}"): SIGNED_IN,
    ("GET", "/lane/{lane}/view.json"): SIGNED_IN,
    ("GET", "/lane/{lane}/events"): SIGNED_IN,
    ("GET", "/lane/{lane}/live/{camera}.jpg"): SIGNED_IN,
    ("POST", "/lane/{lane}/action"): "by press",
    ("POST", "/lane/{lane}/settle"): SIGNED_IN,
    ("GET", "/evidence/{id}.jpg"): "history",
    ("POST", "/touch"): SIGNED_IN,
    ("GET", "/sign-in"): ANYBODY,
    ("POST", "/sign-in"): ANYBODY,
    ("POST", "/sign-out"): SIGNED_IN,
    ("GET", "/alarms"): SIGNED_IN,
    ("GET", "/history"): "history",
    ("GET", "/history/{id}"): "history",
    ("POST", "/history/{id}/label"): "label",
    ("GET", "/history/{id}/print.html"): "history",
    ("GET", "/history/{id}/passage.pdf"): "history",
    ("GET", "/figures"): "history",
    ("GET", "/expected"): "expected",
    ("GET", "/handover"): "handover",
    ("GET", "/people"): "people",
    ("POST", "/people"): "people",
    ("GET", "/calibrate"): "calibrate",
    ("POST", "/calibrate/undo"): "calibrate",
    ("GET", "/calibrate/{camera}"): "calibrate",
    ("GET", "/calibrate/{camera}/sights.json"): "calibrate",
    ("POST", "/calibrate/{camera}/save"): "calibrate",
    ("GET", "/sign/{lane}"): ANYBODY,
    ("GET", "/sign/{lane}/events"): ANYBODY,
    ("GET", "/healthz"): ANYBODY,
}
"""Written by hand: what opens each address, whatever the program says of itself."""
HELD: dict[str, set[str]] = {
    "guard": {"history", "expected", "handover"},
    "shift_leader": {"transfer_list", "history", "expected", "handover", "label", "people"},
    "customs": {"transfer_list", "history", "expected"},
    "yard_operator": {"expected", "handover"},
    "technician": {"calibrate", "history", "label"},
    "auditor": {"transfer_list", "history"},
}
ROAD = {
    "confirm", "override", "turn_away", "pick_declaration", "pick_vehicle", "type_plate", "paper_form", "stop", "hold",
    "release_hold", "close", "reset", "emergency_open", "paper_mode", "paper_settle", "seals",
}  # fmt: skip
GATE = {"alarm_ack", "alarm_shelve", "alarm_unshelve"}
SHIFT = {"handover_write", "handover_sign"}
PRESSES: dict[tuple[str, str], set[str]] = {
    ("guard", "road"): ROAD | GATE | SHIFT,
    ("guard", "yard"): ROAD | GATE | SHIFT,
    ("shift_leader", "road"): ROAD | GATE | SHIFT | {"list_mark"},
    ("shift_leader", "yard"): ROAD | GATE | SHIFT | {"list_mark"},
    ("customs", "road"): {"stop", "seals", "list_mark"},
    ("customs", "yard"): {"stop", "seals", "list_mark"},
    ("yard_operator", "road"): {"stop"} | GATE | SHIFT,
    ("yard_operator", "yard"): (ROAD - {"confirm", "override", "seals"}) | GATE | SHIFT | {"yard_count", "yard_entry"},
    ("technician", "road"): {"stop", "reset"} | GATE,
    ("technician", "yard"): {"stop", "reset"} | GATE,
    ("auditor", "road"): set(),
    ("auditor", "yard"): set(),
}
"""Role and place to the presses that it may ask for there (27/2025 Art. 24)."""
NUMBERS = (
    "9" * 3000, "9" * 30, "-1", "0", "1e309", "NaN", "\uff11\uff12", "9999-12-31", "0001-01-01", "2026-13-45",
    "9" * 16 + "_p-1", "9" * 400 + "_p", "_", "'", '"><script>', "..%2f..%2fetc%2fpasswd", "%00", "\ud83d",
)  # fmt: skip
QUERIES = {
    "/figures": ("day", "lane"),
    "/history": ("before", "since", "until", "plate", "person", "verdict", "lane"),
    "/transfer/list.csv": ("since", "sent_by"),
    "/transfer/list.html": ("since", "sent_by"),
    "/sign-in": ("next",),
}
BODIES = (
    b"", b"null", b"[]", b"{}", b"{", b"\xff", b"[" * 5000, b'{"key": 1e999}', b'{"key": NaN}',
    b'{"what": "add", "id": null}', b'{"region": [[NaN, 1], [2, 3], [1e400, 0]], "line": null}',
    b'{"photo": "x", "right": "yes"}', b'{"key": ' + b"9" * 6000 + b"}",
)  # fmt: skip


class Attack:
    """`asked` requests, and what was `wrong` with their answers."""

    def __init__(self, gate: Gate) -> None:
        self.gate, self.asked = gate, 0
        self.wrong: list[str] = []
        self.lanes = {"road": gate.worlds[0].show.lane, "yard": gate.worlds[1].show.lane}
        self.people: dict[str, Caller] = {}
        for id, role in PEOPLE.items():
            self.people[role] = Caller(gate.port)
            assert self.people[role].sign_in(id, lane=self.lanes["road"]) == 303, role

    def run(self) -> list[str]:
        routes = {(method, route.path) for route in ROUTES for method in route.methods or () if method != "HEAD"}
        self.wrong += [f"{route}: not in the table" for route in sorted(routes ^ TABLE.keys())]
        for method, path in sorted(routes & TABLE.keys()):
            self.by_role(method, path)
            self.by_strangers(method, path)
            self.with_junk(method, path)
        self.presses()
        self.locked()
        if not self.gate.alive():
            self.wrong.append("the agent ended")
        if "Traceback" in self.gate.log():
            self.wrong.append("a traceback in the log")
        return self.wrong

    # ------------------------------------------------------------ asking

    def ask(self, caller: Caller, method: str, path: str, body: bytes | None = None, **headers: str) -> int:
        """The status alone; a stream is not read to its end."""
        self.asked += 1
        told = {
            "Cookie": "; ".join(f"{name}={value}" for name, value in caller.cookies.items()),
            "X-CSRF-Token": caller.csrf,
        }
        told |= {"Content-Type": "application/json"} if body is not None else {}
        told |= {name.replace("_", "-"): text for name, text in headers.items()}
        connection = http.client.HTTPConnection("127.0.0.1", self.gate.port, timeout=30)
        try:
            connection.request(method, path, body, told)
            return connection.getresponse().status
        except (http.client.HTTPException, ConnectionError):
            return 400  # hung up on: no answer is no right
        finally:
            connection.close()

    def filled(self, path: str, lane: str, other: str = "x") -> str:
        camera = f"{lane}-front" if "calibrate" in path or "live" in path else other
        return path.replace("{lane}", lane).replace("{camera}", camera).replace("{id}", other)

    def judge(self, right: bool, status: int, what: str) -> None:
        """Allowed: whatever the answer, not for want of a right. Refused: 401, 403, or led to the sign-in."""
        refused = status in (401, 403)
        if right == refused or status >= 500:
            self.wrong.append(f"{what}: {status}, {'may' if right else 'may not'}")

    # ------------------------------------------------------------ the three kinds

    def by_role(self, method: str, path: str) -> None:
        right = TABLE[method, path]
        if right == "by press" or path == "/sign-out":
            return
        for role, caller in self.people.items():
            may = right in (ANYBODY, SIGNED_IN) or right in HELD[role]
            if (method, path) == ("POST", "/sign-in"):
                continue
            for lane in self.lanes.values() if "{lane}" in path else [self.lanes["road"]]:
                body = b"{}" if method == "POST" else None
                status = self.ask(caller, method, self.filled(path, lane), body)
                if path == "/evidence/{id}.jpg" and may:
                    may = status != 403
                self.judge(may, status, f"{method} {path} at {lane} by {role}")

    def by_strangers(self, method: str, path: str) -> None:
        right, lane = TABLE[method, path], self.lanes["road"]
        if right == ANYBODY:
            return
        address, body = self.filled(path, lane), b"{}" if method == "POST" else None
        stranger, known = Caller(self.gate.port), self.people["shift_leader"]
        if (status := self.ask(stranger, method, address, body)) not in (401, 303):
            self.wrong.append(f"{method} {path} by a stranger: {status}")
        forged = Caller(self.gate.port)
        forged.cookies = {"barie_session": "x" * 43}
        if (status := self.ask(forged, method, address, body)) not in (401, 303):
            self.wrong.append(f"{method} {path} with a forged session: {status}")
        if (status := self.ask(known, method, address, body, Host="evil.example")) < 400:
            self.wrong.append(f"{method} {path} under another name: {status}")
        if method == "POST":
            for why, headers in {
                "without the token": {"X_CSRF_Token": ""},
                "with another's token": {"X_CSRF_Token": self.people["guard"].csrf},
                "from another site": {"Origin": "http://evil.example"},
            }.items():
                if (status := self.ask(known, method, address, body, **headers)) < 400:
                    self.wrong.append(f"{method} {path} {why}: {status}")
        other = "GET" if method == "POST" else "POST"
        if (other, path) not in TABLE and (status := self.ask(known, other, address, b"{}")) < 400:
            self.wrong.append(f"{other} {path}: {status}")

    def with_junk(self, method: str, path: str) -> None:
        role = next((role for role, held in HELD.items() if TABLE[method, path] in held), "shift_leader")
        caller, lane = self.people[role], self.lanes["road"]
        if path == "/sign-out":
            return
        for address in self.junk(path, lane):
            status = self.ask(caller, method, address, b"{}" if method == "POST" else None)
            if status >= 500:
                self.wrong.append(f"{method} {address[:80]}: {status}")
        for body in BODIES if method == "POST" else ():
            status = self.ask(caller, method, self.filled(path, lane), body)
            if status >= 500:
                self.wrong.append(f"{method} {path} with {body[:30]!r}: {status}")

    def junk(self, path: str, lane: str) -> Iterator[str]:
        for text in NUMBERS:
            odd = quote(text, safe="%", errors="surrogatepass")
            for place in ("{lane}", "{camera}", "{id}"):
                if place in path:
                    yield self.filled(path.replace(place, odd), lane)
            for name in QUERIES.get(path, ()):
                also = "&since=2026-11-20" if name == "sent_by" else ""
                yield f"{path}?{name}={odd}{also}"

    def presses(self) -> None:
        """Each press by each role at each place: refused by its right or place where the table says so, and no event of
        it on record."""
        for (role, where), may in PRESSES.items():
            caller, lane = self.people[role], self.lanes[where]
            for name in actions():
                body: dict[str, Any] = {"key": str(uuid4()), "name": name, "passage": "none"}
                before = self.events(PERSON[role])
                status = self.ask(caller, "POST", f"/lane/{lane}/action", json.dumps(body).encode())
                self.judge(name in may, status, f"{name} at {where} by {role}")
                if name not in may and self.events(PERSON[role]) != before:
                    self.wrong.append(f"{name} at {where} by {role}: on record")

    def locked(self) -> None:
        """A screen that nobody touched for too long: nothing but stop, and what became of a press."""
        with closing(sqlite3.connect(self.gate.data / "accounts.db", timeout=10)) as db:
            db.execute("UPDATE session SET seen_s = seen_s - 1e6 WHERE account = ?", (PERSON["shift_leader"],))
            db.commit()
        caller, lane = self.people["shift_leader"], self.lanes["road"]
        for (method, path), right in TABLE.items():
            if right == ANYBODY or path in ("/lane/{lane}/settle", "/sign-out"):
                continue
            status = self.ask(caller, method, self.filled(path, lane), b"{}" if method == "POST" else None)
            if status not in (401, 303):
                self.wrong.append(f"{method} {path} on a locked screen: {status}")
        for name in actions():
            body = {"key": str(uuid4()), "name": name, "passage": "none"}
            status = self.ask(caller, "POST", f"/lane/{lane}/action", json.dumps(body).encode())
            if (status == 200) != (name == "stop"):
                self.wrong.append(f"{name} on a locked screen: {status}")

    def events(self, person: str) -> int:
        with closing(sqlite3.connect(f"file:{self.gate.data / 'barie.db'}?mode=ro", uri=True)) as db:
            rows = db.execute("SELECT payload FROM event").fetchall()
        bodies = [json.loads(row[0]) for row in rows]
        return sum(one["kind"] != "login" and one["body"].get("by") == person for one in bodies)


PERSON = {role: id for id, role in PEOPLE.items()}


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="barie-rights-") as name, Gate(Path(name), lanes=2) as gate:
        attack = Attack(gate)
        wrong = attack.run()
    print(json.dumps({"asked": attack.asked, "wrong": wrong}, ensure_ascii=False))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
