"""Whether another machine uses this gate's id, from how connections end. Pure: time is an argument.

MQTT 5 has a name for it (reason 0x8E, Session taken over; 3.1.4-3). With 3.1.1, and with brokers that leave the reason
out (mosquitto 2.0.11 and iotcore do), the older connection is only closed; then it shows as connections that end soon
after they began, one after the other. That may also be a bad network, and the words say so.
"""

from __future__ import annotations

from collections import deque

TWIN = "another machine connected with this gate's id (a clone, or mqtt.client_id given twice)"
PERHAPS = "the connection was lost {n} times right after it was made: {twin}, or a bad network"
MANY = 4
"""So many short connections within STANDS_S are taken for a twin's."""
STANDS_S = 600.0
"""How long after the last sign it is said."""
SHORT_S = 45.0
"""A connection that lasted less is short: a twin's back-off is at most 15 s."""


class TwinWatch:
    def __init__(self) -> None:
        self._named_s = -STANDS_S
        self._short_s: deque[float] = deque(maxlen=MANY)

    def lost(self, why: str, lasted_s: float, now_s: float) -> None:
        """A connection that had stood has ended by the other side."""
        if TWIN in why:
            self._named_s = now_s
        if lasted_s < SHORT_S:
            self._short_s.append(now_s)
        else:
            self._short_s.clear()

    def word(self, now_s: float) -> str:
        """What to tell the guard, or ""."""
        if now_s - self._named_s < STANDS_S:
            return TWIN
        if len(self._short_s) == MANY and now_s - self._short_s[0] < STANDS_S:
            return PERHAPS.format(n=MANY, twin=TWIN)
        return ""
