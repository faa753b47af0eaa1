"""What is there: cameras that answer ONVIF's WS-Discovery on the local network, serial adapters, GPIO chips.

WS-Discovery is one question by UDP multicast; cameras answer with XML from the network, so nothing here parses XML: the
addresses are picked out of at most 64 KB by pattern, and each is only shown to a person.
"""

from __future__ import annotations

import re
import socket
import time
import uuid
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

MULTICAST = ("239.255.255.250", 3702)
WAIT_S = 2.0
ANSWERS_MOST = 64
_ADDRESSES = re.compile(rb"<(?:\w+:)?XAddrs[^>]*>([^<]{1,1000})</(?:\w+:)?XAddrs>")
_NAME = re.compile(rb"onvif://www\.onvif\.org/(?:name|hardware)/([A-Za-z0-9._%-]{1,60})")
_PROBE = (
    '<?xml version="1.0" encoding="UTF-8"?><e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" '
    'xmlns:w="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
    'xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" '
    'xmlns:n="http://www.onvif.org/ver10/network/wsdl"><e:Header><w:MessageID>uuid:{id}</w:MessageID>'
    "<w:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</w:To>"
    "<w:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</w:Action></e:Header>"
    "<e:Body><d:Probe><d:Types>n:NetworkVideoTransmitter</d:Types></d:Probe></e:Body></e:Envelope>"
)


class FoundCamera(NamedTuple):
    host: str
    name: str


def cameras(wait_s: float = WAIT_S, to: tuple[str, int] = MULTICAST) -> list[FoundCamera]:
    """Those that answer within `wait_s`, by address; empty where there is no network. Takes that long."""
    found: dict[str, FoundCamera] = {}
    until_s = time.monotonic() + wait_s
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
            line.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
            line.sendto(_PROBE.format(id=uuid.uuid4()).encode(), to)
            while len(found) < ANSWERS_MOST and (left_s := until_s - time.monotonic()) > 0:
                line.settimeout(left_s)
                answer = camera_in(line.recv(65_535))
                if answer is not None:
                    found[answer.host] = answer
    except OSError:
        pass
    return sorted(found.values())


def camera_in(answer: bytes) -> FoundCamera | None:
    """The camera that a ProbeMatch speaks of, or None where it names no usable address."""
    match = _ADDRESSES.search(answer)
    for address in match[1].split() if match else ():
        try:
            host = urlsplit(address.decode("ascii")).hostname
        except (UnicodeDecodeError, ValueError):
            continue
        if host and re.fullmatch(r"[0-9A-Za-z.:-]{1,80}", host):
            name = _NAME.search(answer)
            return FoundCamera(host, name[1].decode("ascii") if name else "")
    return None


def boards(dev: Path = Path("/dev")) -> list[tuple[str, str]]:
    """(kind, device) of what could be a board: serial adapters by their stable names, GPIO chips."""
    by_id = dev / "serial" / "by-id"
    serial = sorted(str(path) for path in by_id.iterdir()) if by_id.is_dir() else []
    chips = sorted(str(path) for path in dev.glob("gpiochip*"))
    return [("modbus_rtu", path) for path in serial] + [("gpio", path) for path in chips]
