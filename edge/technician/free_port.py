"""A free TCP port of the loopback: for the demo, the benches and the tests, two of which may run side by side."""

from __future__ import annotations

import secrets
import socket

FIRST, LAST = 10_000, 32_000
"""Below the range from which Linux draws the near end of outgoing connections (ip_local_port_range: 32768 on): a port
of that one may be taken by any connection between this look and the use."""
_given: set[int] = set()


def free_port() -> int:
    """Never the same one twice in a process."""
    while True:
        port = FIRST + secrets.randbelow(LAST - FIRST)
        if port in _given:
            continue
        _given.add(port)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
