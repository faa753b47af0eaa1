"""Commands come over a connection of their own: on the uplink's they would stand behind every declaration that the
broker still has to hand out, and a `hold` is worth nothing after a second.

The uplink's session subscribes to them too and takes them as long as this connection is not there.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable
from typing import Any

from edge import clock
from edge.errors import BadMessageError, StoreError
from edge.uplink.connection import Link, LinkError
from edge.uplink.mailbox import Arrived, Connected, Lost, Mailbox, Subscribed
from edge.uplink.parts import Parts
from edge.uplink.refusals import Refusals

log = logging.getLogger(__name__)

LOOK_S = 0.1
"""How often a thread without a connection looks whether the uplink has one."""


class CommandLine:
    """`open_link` gives a link that is being made, or None while the uplink itself has no connection."""

    def __init__(self, parts: Parts, lanes: list[str], open_link: Callable[[Mailbox], Link | None]) -> None:
        self._parts, self._lanes, self._open_link = parts, lanes, open_link
        self._mailbox = Mailbox()
        self._refusals = Refusals(parts.topics, lanes)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="commands", daemon=True)
        self._told = ""

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._mailbox.wake()
        if self._thread.is_alive():
            self._thread.join(0.9)

    def _run(self) -> None:
        pace = self._parts.pace
        while not self._stopping.is_set():
            wait_s = LOOK_S
            if self._connect_once():
                wait_s = secrets.SystemRandom().uniform(pace.backoff_min_s / 2, pace.backoff_max_s)
            self._stopping.wait(wait_s)

    def _connect_once(self) -> bool:
        """False where there was nothing to connect to."""
        link: Link | None = None
        try:
            link = self._open_link(self._mailbox)
            if link is None:
                return False
            self._start(link)
            self._parts.commands_apart = True
            self._told = ""
            while not self._stopping.is_set():
                self._take(link, self._mailbox.take(1.0))
        except LinkError as error:
            self._tell(str(error))
        finally:
            self._parts.commands_apart = False
            if link is not None:
                link.close()
            self._mailbox.clear()
        return True

    def _tell(self, why: str) -> None:
        if why != self._told:
            log.warning("commands have no connection of their own, they come with everything else: %s", why)
        self._told = why

    def _start(self, link: Link) -> None:
        refused = self._await(link, Connected).refused
        if refused:
            raise LinkError(f"broker refused: {refused}", refused=True)
        link.subscribe([(self._parts.topics.command(lane), True) for lane in self._lanes])
        if any(self._await(link, Subscribed).refused):
            raise LinkError("broker refused the subscription; check its ACL", refused=True)

    def _await(self, link: Link, kind: type[Any]) -> Any:
        until_s = clock.mono_s() + self._parts.pace.answer_s
        while not self._stopping.is_set() and (left_s := until_s - clock.mono_s()) > 0:
            letter = self._mailbox.take(left_s)
            if isinstance(letter, kind):
                return letter
            self._take(link, letter)
        raise LinkError("stopped" if self._stopping.is_set() else "broker did not answer")

    def _take(self, link: Link, letter: Any) -> None:
        if isinstance(letter, Lost):
            raise LinkError(f"connection lost: {letter.why}")
        if not isinstance(letter, Arrived):
            return
        try:
            _, lane = self._parts.topics.parse(letter.topic)
            if lane not in self._lanes:
                raise BadMessageError("no such topic")
            self._parts.inbox.command(lane, letter.payload, letter.retained)
        except BadMessageError as error:
            self._refuse(link, letter, str(error))
        link.done(letter)

    def _refuse(self, link: Link, letter: Arrived, why: str) -> None:
        log.warning("message on %s set aside: %s", letter.topic[:200], why)
        self._parts.counts.set_aside += 1
        try:
            self._parts.inbox.set_aside(letter.topic, letter.payload, why)
        except StoreError as error:
            log.error("a bad command could not be set aside: %s", error)
        if (answer := self._refusals.answer(letter.topic, why, ())) is not None:
            link.publish(*answer)
