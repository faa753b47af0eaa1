"""`barie central --store postgresql://…`: workers, the read API, and the registry of keys, as one command."""

from __future__ import annotations

import argparse
import json
import re
import signal
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg
import uvicorn

from central import database, registry, worker
from central.api import make
from edge import clock
from edge.errors import BarieError
from edge.uplink.connection import LinkSettings

LOCAL = ("127.0.0.1", "::1", "localhost")


def run(args: argparse.Namespace, settings: LinkSettings) -> int:
    """Until Ctrl-C, or at once where only the registry is asked. Raises BarieError."""
    try:
        with database.connect(args.store) as connection:
            database.prepare(connection, worker.today())
            if args.key_add or args.key_revoke or args.keys:
                return _keys(args, connection)
    except psycopg.Error as error:
        raise BarieError(f"--store: {str(error).strip()}") from error
    if not args.site and not args.api:
        raise BarieError("--site or --api: one of them, at least")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    threads = [
        threading.Thread(target=worker.run, args=(_plan(args, site, settings), _say, stop), name=site)
        for site in args.site or ()
        for _ in range(args.workers)
    ]
    server = _server(args) if args.api else None
    if server is not None:
        threads.append(threading.Thread(target=server.run, name="api"))
    for thread in threads:
        thread.start()
    stop.wait()
    if server is not None:
        server.should_exit = True
    for thread in threads:
        thread.join()
    return 0


def _plan(args: argparse.Namespace, site: str, settings: LinkSettings) -> worker.Plan:
    return worker.Plan(args.store, site, settings, args.photos, args.keep_months)


def _say(what: Mapping[str, Any]) -> None:
    print(json.dumps({"at": clock.wall_iso(), **what}, ensure_ascii=False), flush=True)


def _keys(args: argparse.Namespace, connection: database.Connection) -> int:
    for text in args.key_add or ():
        found = re.fullmatch(r"([^=/]+)/([^=/]+)=([0-9a-f]{64})(?:@([1-9][0-9]*))?", text)
        if found is None:
            raise BarieError(f"--key-add: {text!r} is not SITE/LANE=HEX or SITE/LANE=HEX@FIRST_NUMBER")
        registry.add(connection, found[1], found[2], found[3], int(found[4] or 1))
    for public in args.key_revoke or ():
        if registry.revoke(connection, public) == 0:
            raise BarieError(f"--key-revoke: {public}: no lane has this key, or it is revoked already")
    print(registry.as_json(connection))
    return 0


def _server(args: argparse.Namespace) -> uvicorn.Server:
    host, _, port = args.api.rpartition(":")
    if not host or not port.isdigit():
        raise BarieError(f"--api: {args.api!r} is not HOST:PORT")
    password = _password(args.api_password_file)
    if password is None and host not in LOCAL:
        raise BarieError(f"--api: {host} is not this machine alone: give --api-password-file, and TLS before it")
    app = make(lambda: database.connect(args.store), args.photos, password)
    return uvicorn.Server(uvicorn.Config(app, host=host, port=int(port), log_level="warning", server_header=False))


def _password(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise BarieError(f"--api-password-file: {error}") from error
    if not lines or len(lines[0]) < 12:
        raise BarieError(f"--api-password-file: {path}: its first line must have 12 letters at least")
    return lines[0]
