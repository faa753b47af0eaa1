"""What `barie doctor` and `barie setup` look at beside cameras and boards: whose record lies in the data folder, its
key, the accounts, the screen's port, and the broker by a real handshake.

Every look only reads.
"""

from __future__ import annotations

import contextlib
import json
import socket
import sqlite3
import ssl
import urllib.request
from contextlib import closing
from pathlib import Path

from edge.config import MqttConfig
from edge.errors import BarieError
from edge.store.db import NAME
from edge.store.keys import KEY, without_key
from edge.technician.account import ACCOUNTS_FILE
from edge.technician.board_check import Verdict

WITHIN_S = 3.0


def site_of(data_dir: Path) -> str | None:
    """The site whose record lies here; None where there is none. Raises BarieError where it cannot be read."""
    path = data_dir / NAME
    if not path.exists():
        return None
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=WITHIN_S)) as connection:
            row = connection.execute("SELECT site FROM site").fetchone()
    except sqlite3.Error as error:
        raise BarieError(f"{path}: cannot be read ({error})") from error
    return str(row[0]) if row else None


def check_record(data_dir: Path, site: str) -> Verdict:
    """A record belongs to one site and to one key, for ever."""
    try:
        here = site_of(data_dir)
    except BarieError as error:
        return Verdict("FAIL", str(error))
    if here is None:
        return (
            Verdict("ok", f"none yet in {data_dir}")
            if (data_dir / KEY).exists()
            else Verdict("warn", f"no key yet: {data_dir / KEY}; barie setup makes it")
        )
    if here != site:
        return Verdict(
            "FAIL",
            f"{data_dir} holds the record of site {here!r}, this config is of {site!r}: "
            "give site.data_dir a folder of its own",
        )
    if why := without_key(data_dir):
        return Verdict("FAIL", why)
    return Verdict("ok", f"of site {here}, with its key")


def check_accounts(data_dir: Path, sign_in: str) -> Verdict:
    path = data_dir / ACCOUNTS_FILE
    if sign_in == "demo":
        return Verdict("warn", 'panel.sign_in = "demo": anybody at the screen may press')
    if not path.exists():
        return Verdict("warn", "none: nobody can sign in; barie account add ID --config FILE --name NAME --role guard")
    return Verdict("ok", f"in {path}")


def check_port(host: str, port: int) -> Verdict:
    """Free, or taken by this gate's own screen."""
    try:
        socket.create_server((host, port)).close()
    except OSError as error:
        if _is_barie(port):
            return Verdict("ok", f"{host}:{port} is the screen of the agent that runs")
        return Verdict("FAIL", f"panel.port: {host}:{port} cannot be used ({error.strerror}): another program has it")
    return Verdict("ok", f"{host}:{port} is free")


def _is_barie(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=WITHIN_S) as answer:
            return "version" in json.load(answer)
    except (OSError, ValueError):
        return False


def check_broker(mqtt: MqttConfig | None) -> Verdict:
    """A connection, and with TLS the agent's own handshake: authority, name, dates, our certificate."""
    if mqtt is None:
        return Verdict("warn", "none in the config: this gate stands alone")
    at = f"{mqtt.host}:{mqtt.port}"
    try:
        with socket.create_connection((mqtt.host, mqtt.port), timeout=WITHIN_S) as plain:
            if not mqtt.tls:
                return Verdict("ok", f"{at} accepts connections")
            return Verdict("ok", f"{at} {_handshake(mqtt, plain)}, certificate good")
    except ssl.SSLCertVerificationError as error:
        return Verdict(
            "FAIL", f"{at}: its certificate is refused: {error.verify_message} (mqtt.ca_file, the clock, mqtt.host)"
        )
    except ssl.SSLError as error:
        return Verdict("FAIL", f"{at}: no TLS: {error.reason or error} (does the broker take our mqtt.cert_file?)")
    except OSError as error:
        return Verdict("FAIL", f"{at}: {error}")


def _handshake(mqtt: MqttConfig, plain: socket.socket) -> str:
    context = ssl.create_default_context(cafile=mqtt.ca_file)
    if mqtt.cert_file:
        context.load_cert_chain(mqtt.cert_file, mqtt.key_file)
    with context.wrap_socket(plain, server_hostname=mqtt.host) as line:
        line.settimeout(0.5)
        with contextlib.suppress(TimeoutError):
            line.recv(1)  # a TLS 1.3 server refuses our certificate only after its own handshake
        return str(line.version())
