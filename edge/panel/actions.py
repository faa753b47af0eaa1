"""Presses: checked, done under a person's name, and answered only after the desk's record is on disk."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from edge.actions import actions
from edge.errors import RefusedError
from edge.panel.body import body_of, checked
from edge.panel.feed import lane_of
from edge.panel.rights import held_at
from edge.panel.sessions import COOKIE, AccountsDoor, Session, check_csrf, proven, signed_in
from edge.panel.settings import Panel
from edge.ports import Action, ActionResult, Person

TAKES_OVER = "handover_sign"
"""The press whose second person takes the screen over."""
Key = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z-]{8,64}$")]


class Second(BaseModel):
    """The second person's number and PIN, given for this one press."""

    model_config = ConfigDict(extra="forbid", strict=True)
    id: Annotated[str, StringConstraints(max_length=32)]
    pin: Annotated[str, StringConstraints(max_length=12)]


class Press(BaseModel):
    """The body of POST /lane/{id}/action."""

    model_config = ConfigDict(extra="forbid", strict=True)
    key: Key
    name: str
    passage: Annotated[str, StringConstraints(max_length=100)] | None
    reason: Annotated[str, StringConstraints(max_length=100)] = ""
    words: Annotated[str, StringConstraints(max_length=500)] = ""
    value: Annotated[str, StringConstraints(max_length=24_000)] = ""
    second: Second | None = None


class Settle(BaseModel):
    """The body of POST /lane/{id}/settle: a key whose answer got lost, and the start of the screen it stems from."""

    model_config = ConfigDict(extra="forbid", strict=True)
    key: Key
    boot: Annotated[str, StringConstraints(max_length=64)]


async def act(request: Request) -> Response:
    """Answers `{"key", "done", "code", "seq", "detail"}`; 200 whether done or refused, 4xx where not even tried."""
    session = signed_in(request, even_locked=True)
    check_csrf(request, session)
    body = await body_of(request)
    # Stop is never the dangerous choice: a person whose session locked may still press it, under the same name.
    if session.locked and body.get("name") != "stop":
        raise HTTPException(401, "locked")
    press = checked(Press, body)
    panel: Panel = request.app.state.panel
    if press.name not in actions():
        raise HTTPException(400, "bad_request")
    if press.name not in panel.rights.get(session.person.role, frozenset()):
        raise HTTPException(403, "not_your_role")
    lane = lane_of(request)
    place = lane.where.place
    if press.name not in held_at(panel.rights, session.person.role, place):
        raise HTTPException(403, "not_your_place")
    panel.door.touch(request)
    try:
        second = await _second(request, press, session.person, place)
    except RefusedError as error:
        return _answer(press.key, ActionResult(False, error.code, None, error.detail))
    result = await panel.press_log.do(lane, _action(press, session, second))
    answer = _answer(press.key, result)
    if press.name == TAKES_OVER and result.done and second is not None and isinstance(panel.door, AccountsDoor):
        panel.door.end(request)  # who signed for the shift stands at the screen from now on
        answer.set_cookie(COOKIE, panel.door.open(second), httponly=True, samesite="strict", path="/")
    return answer


async def settle(request: Request) -> Response:
    """What became of a press whose answer was lost; after this a press that never arrived never will."""
    session = signed_in(request, even_locked=True)
    check_csrf(request, session)
    body = await body_of(request)
    asked = checked(Settle, body)
    panel: Panel = request.app.state.panel
    result = await panel.press_log.settle(lane_of(request), session.person, asked.key, asked.boot == panel.boot)
    return _answer(asked.key, result)


async def touch(request: Request) -> Response:
    """Somebody is at the screen: the auto-lock starts over."""
    check_csrf(request, signed_in(request))
    request.app.state.panel.door.touch(request)
    return Response(status_code=204)


async def _second(request: Request, press: Press, first: Person, place: str) -> Person | None:
    """The second person, proven here and now. Raises RefusedError: same_person, wrong_pin, locked_out,
    too_many_tries, second_role."""
    given = press.second
    if given is None:
        return None
    if given.id == first.id:
        raise RefusedError("same_person")
    person = await proven(request, given.id, given.pin)
    row = actions()[press.name]
    needed = press.name if "second" in row.needs else "second"  # who always needs two, needs two who both may
    held = request.app.state.panel.rights.get(person.role, frozenset())
    if needed not in held or not (row.anywhere or f"place:{place}" in held):
        raise RefusedError("second_role")
    return person


def _action(press: Press, session: Session, second: Person | None) -> Action:
    return Action(
        key=press.key,
        name=press.name,
        passage=press.passage,
        person=session.person,
        reason=press.reason,
        words=press.words,
        value=press.value,
        second=second,
    )


def _answer(key: str, result: ActionResult) -> Response:
    return JSONResponse(
        {"key": key, "done": result.done, "code": result.code, "seq": result.seq, "detail": result.detail}
    )
