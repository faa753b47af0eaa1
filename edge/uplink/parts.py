"""What the uplink works with: its waiting times, its counts, its neighbours."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from edge.ports import Inbox, Outbox
from edge.uplink.liveness import GONE_S, CentreWatch
from edge.uplink.mailbox import Mailbox
from edge.uplink.topics import Topics

HEADER_BYTES = 64
"""Beside topic and payload, in a PUBLISH packet of ours: header, packet id, properties."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Every waiting time of the uplink, in seconds."""

    answer_s: float = 10.0
    quiet_s: float = 1.0
    """How long no retained message may have come before the copy counts as complete."""
    status_s: float = 30.0
    poll_s: float = 5.0
    """How often the store is asked although nobody called `wake`."""
    settle_s: float = 1.0
    ack_s: float = 0.2
    """How long acknowledgements of the centre are gathered before the store is told."""
    torn_s: float = 60.0
    """How long after a message that could not be stored everything is asked for again."""
    backoff_min_s: float = 1.0
    backoff_max_s: float = 15.0
    steady_s: float = 30.0
    """A connection that lasted this long starts the back-off anew."""
    gone_s: float = GONE_S
    """How long after the centre's last word it counts as gone."""
    fresh_s: float = 30.0
    """How often the store is told that the copy is as new as the centre."""


@dataclass(slots=True)
class Counts:
    """Since the start of the process."""

    connects: int = 0
    published: int = 0
    resent: int = 0
    acknowledged: int = 0
    photos: int = 0
    """That the broker took."""
    photos_acknowledged: int = 0
    set_aside: int = 0
    copies: int = 0
    broker_refused: int = 0


@dataclass(slots=True)
class Parts:
    """What a session works with."""

    topics: Topics
    outbox: Outbox
    inbox: Inbox
    status: Callable[[str], Mapping[str, Any]]
    mailbox: Mailbox
    pace: Pace
    in_flight: int
    resend_s: float
    centre: CentreWatch
    photo_losses: dict[str, int] = field(default_factory=dict)
    """How often in a row the connection was lost while this photo went up."""
    photos_retry_s: float = 0.0
    counts: Counts = field(default_factory=Counts)
    commands_apart: bool = False
    """Commands come over a connection of their own (command_line.py): the same on this one are left to it."""


def status_payload(lanes: list[str], online: bool, body: Mapping[str, Any]) -> bytes:
    """`lanes` are all that this gate's one session speaks for: the last will can only stand on the first one's
    topic."""
    return json.dumps({**body, "online": online, "lanes": lanes}, ensure_ascii=False).encode("utf-8")
