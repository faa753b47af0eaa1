"""Was a photo read right? Said on the page of one passage, and kept as a test of the site's own."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from edge.core.record.dossier import Mark
from edge.panel.body import body_of, checked
from edge.panel.sessions import check_csrf, signed_in
from edge.panel.settings import Panel
from edge.ports import HasOffice

RIGHT = "label"


class Said(BaseModel):
    """The body of POST /history/{id}/label. `truth`: what the plate says where it was read wrong, "" where nobody can
    read it."""

    model_config = ConfigDict(extra="forbid", strict=True)
    photo: Annotated[str, StringConstraints(max_length=64)]
    right: bool
    truth: Annotated[str, StringConstraints(max_length=16)] = ""


async def label(request: Request) -> Response:
    """Answers `{"done", "code"}`, a code of the message catalogue."""
    session = signed_in(request)
    check_csrf(request, session)
    body = await body_of(request)
    panel: Panel = request.app.state.panel
    if RIGHT not in panel.rights.get(session.person.role, frozenset()):
        raise HTTPException(403, "not_your_role")
    if not isinstance(panel.desk, HasOffice):
        raise HTTPException(404, "no_office")
    panel.door.touch(request)
    said = checked(Said, body)
    mark = Mark(said.right, said.truth.strip())
    code = await panel.desk.office.label(request.path_params["id"], said.photo, mark, session.person)
    return JSONResponse({"done": code == "label.kept", "code": code})
