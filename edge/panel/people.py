"""Accounts at the screen: two people with this right change them together, neither of them their own. Each change is an
event of the signed record; sessions of the account end at once."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from edge.errors import RefusedError
from edge.panel import office
from edge.panel.accounts import BESIDE, Accounts
from edge.panel.actions import Second
from edge.panel.body import body_of, checked
from edge.panel.rights import ROLES
from edge.panel.sessions import Session, check_csrf, proven, signed_in
from edge.panel.settings import Panel
from edge.ports import Office

RIGHT = "people"
Text = Annotated[str, StringConstraints(max_length=80)]
What = Literal["add", "remove", "lock", "unlock", "pin", "role"]
CHANGES: tuple[What, ...] = ("lock", "unlock", "pin", "role", "remove", "add")


class Change(BaseModel):
    """The body of POST /people. `name`, `role` and `pin` where the change asks for them."""

    model_config = ConfigDict(extra="forbid", strict=True)
    what: What
    id: Annotated[str, StringConstraints(max_length=32)]
    name: Text = ""
    role: Text = ""
    pin: Annotated[str, StringConstraints(max_length=12)] = ""
    second: Second


async def overview(request: Request, session: Session, desk: Office) -> Response:
    """Every account, and what two people may do to one."""
    panel: Panel = request.app.state.panel
    accounts: Accounts = request.app.state.accounts
    people = accounts.people()
    may = [one for one in people if _holds(panel, one.role) and one.id != session.person.id]
    more = {"people": people, "locked": accounts.locked(), "seconds": may, "roles": ROLES, "changes": CHANGES}
    return office.page(request, "people.html", session, "people", more)


async def change(request: Request) -> Response:
    """Answers `{"done", "code", "detail"}`; the second person is proven for this one change."""
    session = signed_in(request)
    check_csrf(request, session)
    body = await body_of(request)
    panel: Panel = request.app.state.panel
    if not _holds(panel, session.person.role):
        raise HTTPException(403, "not_your_role")
    panel.door.touch(request)
    asked = checked(Change, body)
    try:
        by = await _both(request, session, asked)
        # A new PIN's hash is as slow as a proof: on the same thread, never on the loop that also drives the barrier.
        await panel.proofs.prove("here", _work(request.app.state.accounts, asked, by))
    except RefusedError as error:
        return JSONResponse({"done": False, "code": error.code, "detail": error.detail})
    except ValueError as error:
        part = str(error).partition(":")[0].lower()
        return JSONResponse({"done": False, "code": f"bad_{part}", "detail": ""})
    except sqlite3.OperationalError:
        return JSONResponse({"done": False, "code": "store_failed", "detail": ""})
    return JSONResponse({"done": True, "code": "changed", "detail": asked.id})


async def _both(request: Request, session: Session, asked: Change) -> str:
    """Who changes it, as the record has them. Raises RefusedError."""
    if asked.second.id == session.person.id:
        raise RefusedError("same_person")
    if asked.id in (session.person.id, asked.second.id):
        raise RefusedError("own_account")
    second = await proven(request, asked.second.id, asked.second.pin)
    if not _holds(request.app.state.panel, second.role):
        raise RefusedError("second_role")
    # The first may have been locked or removed while the second was proven.
    if (now := request.app.state.panel.door.session(request)) is None or now.person != session.person:
        raise HTTPException(401, "signed_out")
    return f"{session.person.id}{BESIDE}{second.id}"


def _work(accounts: Accounts, asked: Change, by: str) -> Callable[[], None]:
    return {
        "add": lambda: accounts.add(asked.id, asked.name, asked.role, asked.pin, by),
        "remove": lambda: accounts.remove(asked.id, by),
        "lock": lambda: accounts.lock_out(asked.id, by),
        "unlock": lambda: accounts.open_again(asked.id, by),
        "pin": lambda: accounts.set_pin(asked.id, asked.pin, by),
        "role": lambda: accounts.set_role(asked.id, asked.role, by),
    }[asked.what]


def _holds(panel: Panel, role: str) -> bool:
    return RIGHT in panel.rights.get(role, frozenset())
