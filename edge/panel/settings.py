"""What the screen is told by the configuration, and what its handlers share."""

from __future__ import annotations

import asyncio
import os
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from edge.panel.proof import Proofs

if TYPE_CHECKING:
    from starlette.templating import Jinja2Templates

    from edge.panel.messages import Catalogue
    from edge.panel.press_log import PressLog
    from edge.panel.rights import Rights
    from edge.panel.sessions import Door
    from edge.ports import Desk


@dataclass(frozen=True, slots=True)
class PanelSettings:
    """`sign_in`: "accounts" asks for a PIN; "demo" takes every loopback browser as a demo guard and says so.

    `hosts` are the names under which the page may be asked for (against DNS rebinding), without a port.
    """

    sign_in: Literal["accounts", "demo"] = "accounts"
    hosts: tuple[str, ...] = ("127.0.0.1", "localhost", "[::1]")
    language: Literal["vi", "en"] = "vi"
    badge_alone: frozenset[str] = frozenset()
    """Roles that sign in by their badge without a PIN; for all others a badge only says who they are."""
    auto_lock_s: float = 900.0
    shift_s: float = 12 * 3600.0
    beat_s: float = 0.5
    screen_uids: frozenset[int] = field(default_factory=lambda: frozenset((os.getuid(),)))
    """Users of this machine whose programs are the booth's own screen (edge.panel.peer)."""
    blank_s: float = 600.0
    """The glass goes dark after so long without a vehicle, a touch or anything wrong."""


@dataclass(slots=True)
class Panel:
    """One running screen. `boot` tells one start of it from the next, so that an open page notices a restart."""

    desk: Desk
    door: Door
    settings: PanelSettings
    catalogue: Catalogue
    rights: Rights
    press_log: PressLog
    templates: Jinja2Templates
    boot: str
    proofs: Proofs = field(default_factory=Proofs)
    looked: OrderedDict[tuple[str, str], None] = field(default_factory=OrderedDict)
    """Person and photo of what somebody looks at now, on record already."""
    page_at_s: float | None = None
    """When a page of this machine's own screen last asked whether the gate is well (monotonic)."""
    closing: asyncio.Event = field(default_factory=asyncio.Event)
