"""Where secrets stand: in files of their own, or in systemd's credentials; never in the config itself."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

from pydantic import AfterValidator

from edge.errors import ConfigError

CREDENTIALS = "/run/credentials/barie.service"
"""Where systemd puts the credentials of the unit (LoadCredential=, systemd.exec(5)) when it does not say so."""


def _resolved(value: str) -> str:
    """`credential:NAME` is a file that only the service sees, for example one that systemd-creds encrypted."""
    scheme, _, name = value.partition(":")
    if scheme != "credential":
        return value
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", name):
        raise ValueError("credential: needs the name of a credential of the service, as credential:mqtt-password")
    return str(Path(os.environ.get("CREDENTIALS_DIRECTORY", CREDENTIALS)) / name)


SecretPath = Annotated[str, AfterValidator(_resolved)]


def first_line(path: str) -> str:
    """The secret in a file: its first line, whatever editor wrote it (a byte order mark, CR LF).

    Raises ValueError where it is no UTF-8 or has no line, OSError where it cannot be read.
    """
    data = Path(path).read_bytes()
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ValueError(f"{path}: tệp dạng UTF-16; lưu lại dạng UTF-8 / UTF-16: save it as UTF-8")
    lines = data.decode("utf-8-sig").splitlines()
    if not lines or not lines[0]:
        raise ValueError(f"{path}: dòng đầu trống / its first line is empty")
    return lines[0]


def url_with_password(url: str, user: str | None, password_file: str | None, whose: str) -> str:
    """`url` with user and password in it: for the process that calls it, never for a log. Raises ConfigError."""
    if user is None:
        return url
    try:
        password = first_line(password_file) if password_file else ""
    except (OSError, ValueError) as error:
        raise ConfigError(whose, [f"password_file cannot be read: {error}"]) from error
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{quote(user, safe='')}:{quote(password, safe='')}@{rest}"


def names_a_user(url: str) -> bool:
    return "@" in url.partition("://")[2].partition("/")[0]
