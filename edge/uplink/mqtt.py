"""The way to the centre: one thread, one MQTT session for the whole gate, nothing local ever waits for it.

The gate's store is the queue (ports.Outbox): an event leaves it only when the centre's own `ack` covers it, so broker
and client may lose whatever they like. A session has one last will, so it stands on the first lane's status topic and
names every lane that it speaks for.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, Literal

from edge import clock
from edge.config import MqttConfig
from edge.errors import StoreError
from edge.ports import Inbox, Outbox
from edge.uplink.command_line import CommandLine
from edge.uplink.connection import Link, LinkError, LinkSettings, Protocol, Will, read_password
from edge.uplink.liveness import CentreWatch, Reach
from edge.uplink.mailbox import Mailbox
from edge.uplink.parts import Pace, Parts, status_payload
from edge.uplink.session import Session
from edge.uplink.topics import Topics
from edge.uplink.twin import TwinWatch

log = logging.getLogger(__name__)

State = Literal["up", "broker", "down", "refused"]
GOODBYE_S = 0.4


class Uplink:
    """`status(lane)` gives the body of the retained status and `on_state()` is called when `state()` changed or the
    copy was completed; both are called on the uplink's thread."""

    def __init__(
        self,
        site: str,
        config: MqttConfig,
        outbox: Outbox,
        inbox: Inbox,
        status: Callable[[str], Mapping[str, Any]],
        *,
        on_state: Callable[[], None] = lambda: None,
        pace: Pace | None = None,
    ) -> None:
        self._config, self._on_state = config, on_state
        self._lanes = list(outbox.lanes())
        # No + in it: brokers refuse that, and rumqttd even dies of it.
        self._client_id = config.client_id or f"barie-{site}-{'-'.join(self._lanes)}"
        self._parts = Parts(
            topics=Topics(site),
            outbox=outbox,
            inbox=inbox,
            status=status,
            mailbox=Mailbox(),
            pace=pace or Pace(),
            in_flight=config.in_flight,
            resend_s=config.resend_s,
            centre=CentreWatch(tells=inbox.centre_tells(), gone_s=(pace or Pace()).gone_s),
        )
        self._protocol: Protocol = config.protocol
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="uplink", daemon=True)
        self._state: tuple[State, str] = ("down", "not connected yet")
        self._copied = False
        self._twin = TwinWatch()
        self._connected_by: Protocol | None = None
        self._commands = CommandLine(self._parts, self._lanes, self._open_commands)

    def start(self) -> None:
        self._thread.start()
        self._commands.start()

    def wake(self) -> None:
        """A new event is stored. Returns at once, from any thread."""
        self._parts.mailbox.wake()

    def stop(self) -> None:
        """Say goodbye and end, within about a second even where the network hangs."""
        self._stopping.set()
        self._parts.mailbox.wake()
        self._commands.stop()
        if self._thread.is_alive():
            self._thread.join(0.9)

    def state(self) -> tuple[State, str]:
        """ "up" (the centre is reached, or is one that does not tell), "broker" (only the broker answers), "down" (it
        will come back by itself) or "refused" (a person must change something), and one line that says why. A twin of
        this gate's id is said for a while after its last sign: the two of them connect in turn."""
        state, why = self._state
        if state == "up" and self.reach() == "gone":
            state = "broker"
        twin = self._twin.word(clock.mono_s())
        return (state, twin if not why or twin in why else f"{twin}; {why}") if twin else (state, why)

    def reach(self) -> Reach:
        """What the centre says of itself, or that it does not tell."""
        return self._parts.centre.reach(clock.mono_s())

    def heard_s(self) -> float | None:
        """When the centre gave its last sign of life (monotonic); None: it does not tell, or none yet."""
        watch = self._parts.centre
        return watch.last_s if watch.tells else None

    def copied(self) -> bool:
        """The local copy is as new as the centre: it is reached, and all retained messages were seen over the link."""
        return self._copied and self.reach() != "gone"

    def counters(self) -> dict[str, int]:
        return asdict(self._parts.counts)

    # ------------------------------------------------------------ the uplink's thread

    def _run(self) -> None:
        delay_s = 0.0
        try:
            while not self._stopping.is_set():
                began_s = clock.mono_s()
                self._connect_once()
                steady = clock.mono_s() - began_s >= self._parts.pace.steady_s
                delay_s = self._next_delay_s(0.0 if steady else delay_s)
                self._stopping.wait(delay_s)
        finally:
            self._set_state("down", "stopped" if self._stopping.is_set() else "the uplink died of a fault: see the log")

    def _next_delay_s(self, before_s: float) -> float:
        """Doubles up to the limit; the jitter keeps a site's gates from coming back all at once."""
        pace = self._parts.pace
        full_s = min(pace.backoff_max_s, max(pace.backoff_min_s, before_s * 2))
        return secrets.SystemRandom().uniform(full_s / 2, full_s)

    def _connect_once(self) -> None:
        link: Link | None = None
        session: Session | None = None
        up_s: float | None = None
        try:
            link = self._open()
            session = Session(link, self._parts, lambda why: self._set_state("up", why))
            session.start(self._stopping.is_set)
            used, self._protocol = self._protocol, self._config.protocol
            self._connected_by = used
            log.info("connected to the broker with MQTT %s", used)
            self._parts.counts.connects += 1
            up_s = clock.mono_s()
            self._set_state("up", "")
            self._serve(session)
        except LinkError as error:
            if up_s is not None:
                now_s = clock.mono_s()
                self._twin.lost(str(error), now_s - up_s, now_s)
            if error.unanswered and self._config.protocol == "5":
                self._protocol = "3.1.1" if self._protocol == "5" else "5"
            self._set_state("refused" if error.refused else "down", str(error))
        except StoreError as error:
            self._set_state("down", str(error))
        finally:
            self._copied, self._connected_by = False, None
            if link is not None:
                link.close()
            self._parts.mailbox.clear()
        self._after(session)

    def _after(self, session: Session | None) -> None:
        try:
            if session is not None and not self._stopping.is_set():
                session.ended()
        except StoreError as error:
            self._set_state("down", str(error))

    def _settings(self, client_id: str) -> LinkSettings:
        return LinkSettings(
            host=self._config.host,
            port=self._config.port,
            client_id=client_id,
            username=self._config.username,
            password=read_password(self._config.password_file),
            tls=self._config.tls,
            ca_file=self._config.ca_file,
            cert_file=self._config.cert_file,
            key_file=self._config.key_file,
        )

    def _open_commands(self, mailbox: Mailbox) -> Link | None:
        if (protocol := self._connected_by) is None:
            return None
        link = Link(self._settings(f"{self._client_id}-commands"), protocol, mailbox)
        link.open()
        return link

    def _open(self) -> Link:
        topics = self._parts.topics
        will = Will(topics.status(self._lanes[0]), status_payload(self._lanes, False, {"why": "connection lost"}))
        settings = self._settings(self._client_id)
        link = Link(settings, self._protocol, self._parts.mailbox, will=will, urgent=_is_command)
        link.open()
        return link

    def _serve(self, session: Session) -> None:
        copies, reach = self._parts.counts.copies, self.reach()
        while not self._stopping.is_set():
            session.turn()
            self._copied = session.copied
            before, reach = reach, self.reach()
            if reach != before:
                log.log(logging.WARNING if reach == "gone" else logging.INFO, "centre %s", reach)
            if self._parts.counts.copies != copies or reach != before:
                copies = self._parts.counts.copies
                self._on_state()
        self._goodbye(session)

    def _goodbye(self, session: Session) -> None:
        session.flush_acks()
        for lane in self._lanes:
            session.send_status(lane, online=False)
        until_s = clock.mono_s() + GOODBYE_S
        while session.waiting and clock.mono_s() < until_s:
            session.take_one(until_s - clock.mono_s())

    def _set_state(self, state: State, why: str) -> None:
        if (state, why) == self._state:
            return
        self._state = (state, why)
        log.log(logging.INFO if state == "up" else logging.WARNING, "uplink %s %s", state, why)
        self._on_state()


def _is_command(topic: str) -> bool:
    return topic.endswith("/command")
