"""What a request brings: counted as it comes, parsed by one parser that refuses by its own error."""

from __future__ import annotations

import json
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

LARGEST_BODY = 32 * 1024
Model = TypeVar("Model", bound=BaseModel)


async def body_of(request: Request) -> dict[str, Any]:
    """The JSON object that a request brings. Called after the sign-in was looked at, as bytes of strangers are none of
    ours. Raises HTTPException 400, 413, 415."""
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        raise HTTPException(415, "bad_request")
    given = await bytes_of(request, LARGEST_BODY)
    try:
        body = json.loads(given)
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, "bad_request") from error
    if not isinstance(body, dict):
        raise HTTPException(400, "bad_request")
    return body


async def bytes_of(request: Request, most: int) -> bytes:
    """The body, counted as it comes: what a sender says of its length is only believed where it is too much. Raises
    HTTPException 413, after which the connection ends."""
    said = request.headers.get("content-length", "0")
    if not said.isdecimal() or len(said) > 12 or int(said) > most:
        raise HTTPException(413, "bad_request", headers={"Connection": "close"})
    got = bytearray()
    try:
        async for part in request.stream():
            got += part
            if len(got) > most:
                raise HTTPException(413, "bad_request", headers={"Connection": "close"})
    except ClientDisconnect as error:
        raise HTTPException(400, "bad_request") from error  # nobody hears it
    return bytes(got)


def checked(model: type[Model], body: dict[str, Any]) -> Model:
    try:
        return model.model_validate(body)
    except ValidationError as error:
        raise HTTPException(400, "bad_request") from error
