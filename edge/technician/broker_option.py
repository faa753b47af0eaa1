"""Where a broker is and who we are to it, from a command's options: as docs/broker sets one up, or an open one here."""

from __future__ import annotations

import argparse
import ssl
from pathlib import Path

from edge.errors import BarieError
from edge.uplink.connection import LinkSettings, read_password


def settings(args: argparse.Namespace, option: str, where: str, client_id: str) -> LinkSettings:
    """Raises BarieError that names the option."""
    host, _, port = where.rpartition(":")
    if not host or not port.isdigit():
        raise BarieError(f"{option}: {where!r} is not HOST:PORT")
    if (args.cert is None) != (args.key is None):
        raise BarieError("--cert and --key: one is of no use without the other")
    if args.cert is not None and args.ca is None:
        raise BarieError("--cert: --ca is missing: whom to trust as the broker")
    _readable(args)
    return LinkSettings(
        host,
        int(port),
        client_id,
        username=args.user,
        password=read_password(args.password_file),
        tls=args.ca is not None,
        ca_file=_text(args.ca),
        cert_file=_text(args.cert),
        key_file=_text(args.key),
    )


def _readable(args: argparse.Namespace) -> None:
    """Told at once and by the option's name: later it would only be a broker that cannot be reached."""
    context = ssl.create_default_context()
    try:
        option = "--ca"
        if args.ca is not None:
            context.load_verify_locations(args.ca)
        option = "--cert, --key"
        if args.cert is not None:
            context.load_cert_chain(args.cert, args.key)
    except (OSError, ssl.SSLError) as error:
        raise BarieError(f"{option}: cannot be used: {error}") from error


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
