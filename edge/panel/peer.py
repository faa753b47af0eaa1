"""Whose program asks: the kernel says which user of this machine owns the other end of a loopback connection.

So the booth's own screen is told from every other program here without a secret that could be read from a command line.
"""

from __future__ import annotations

import asyncio
import ipaddress
import os
import pwd
import socket
import sys
from pathlib import Path

from starlette.requests import Request

TABLES = {4: Path("/proc/self/net/tcp"), 6: Path("/proc/self/net/tcp6")}
ESTABLISHED = b"01"
NETWORK_6 = 64
"""One household of IPv6 is one peer, or an address of its own for each guess would be none."""


def from_loopback(request: Request) -> bool:
    return request.client is not None and _loopback(request.client.host)


async def at_screen(request: Request) -> bool:
    """Whether a program of the screen's own user asks, or one of this process's own, which could read the accounts'
    file anyway. False for the network, and for every other user of this machine."""
    uids: frozenset[int] = request.app.state.panel.settings.screen_uids
    return await asked_by(request) in uids


async def asked_by(request: Request) -> int | None:
    """The user of this machine whose program asks; None for the network, or where the kernel does not know."""
    client, server = request.client, request.scope.get("server")
    if client is None or not server or not _loopback(client.host):
        return None
    # The table has a row for each connection of the machine: not on the loop that also drives the barrier.
    return await asyncio.to_thread(owner, (client.host, client.port), (str(server[0]), int(server[1])))


async def peer_of(request: Request) -> str:
    """One peer for the counts of wrong PINs: a user of this machine, or an address of the network."""
    if from_loopback(request):
        return f"uid {await asked_by(request)}"
    host = request.client.host if request.client is not None else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host[:64]
    if address.version == 6 and address.ipv4_mapped is None:
        return str(ipaddress.ip_network((address, NETWORK_6), strict=False))
    return str(address)


def owner(client: tuple[str, int], server: tuple[str, int]) -> int | None:
    """The user id of the process that holds the client's end of a connection within this machine (proc_pid_net(5))."""
    ends = [_hex(*client), _hex(*server)]
    if len(ends[0]) != len(ends[1]):
        return None
    try:
        table = TABLES[4 if len(ends[0]) == 13 else 6].read_bytes()
    except OSError:
        return None
    at = table.find(f": {ends[0]} {ends[1]} ".encode())
    # sl, local, remote, state, queues, timer, retransmits, uid; one that nobody holds any more has root's.
    columns = table[at : at + 400].split(b"\n", 1)[0].split() if at >= 0 else []
    return int(columns[7]) if len(columns) > 7 and columns[3] == ESTABLISHED else None


def screen_uids(user: str) -> frozenset[int]:
    """The screen's user, where this machine has it, and the user of this process."""
    try:
        return frozenset((os.getuid(), pwd.getpwnam(user).pw_uid))
    except KeyError:
        return frozenset((os.getuid(),))


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _hex(host: str, port: int) -> str:
    """As the table writes an end: 32-bit words of the address in this machine's order, and the port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    packed = socket.inet_pton(family, host)
    words = (int.from_bytes(packed[i : i + 4], sys.byteorder) for i in range(0, len(packed), 4))
    return "".join(f"{word:08X}" for word in words) + f":{port:04X}"
