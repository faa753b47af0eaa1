"""One connection to the broker, over paho-mqtt 2. Every connection is a fresh client with a clean session: the gate's
own store is the queue, retained topics are the copy, and a command that waited in a broker's session must never be
done late.
"""

from __future__ import annotations

import secrets
import select
import socket
import ssl
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Literal

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from edge.errors import BarieError
from edge.secret_path import first_line
from edge.uplink.mailbox import Arrived, Connected, Letter, Lost, Mailbox, Published, Subscribed, wait
from edge.uplink.twin import TWIN

Protocol = Literal["5", "3.1.1"]
RECEIVE_MAXIMUM = 100
PACKET_MAXIMUM_BYTES = 8_100_000
CONNECT_TIMEOUT_S = 5.0
READS = 200
RANDOM = "{random}"
_CORK = getattr(socket, "TCP_CORK", None)  # Linux
WRONG_VERSION = 1
"""CONNACK code of MQTT 3.1.1 and older brokers: unacceptable protocol version."""


class LinkError(BarieError):
    """The connection cannot be made or is gone.

    `refused`: the broker answered no; a person must change something. `unanswered`: it took the connection and never
    answered the CONNECT, as brokers do that do not speak this version of MQTT.
    """

    def __init__(self, message: str, *, refused: bool = False, unanswered: bool = False) -> None:
        super().__init__(message)
        self.refused = refused
        self.unanswered = unanswered


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """Where the broker is and who we are to it. RANDOM in `client_id` is drawn anew for each connection."""

    host: str
    port: int
    client_id: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: bool = False
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    keepalive_s: int = 20

    @property
    def where(self) -> str:
        return f"broker {self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Will:
    topic: str
    payload: bytes


class Link:
    """Raises LinkError from `open`. Afterwards everything that happens is a letter in the mailbox."""

    def __init__(
        self,
        settings: LinkSettings,
        protocol: Protocol,
        mailbox: Mailbox,
        *,
        will: Will | None = None,
        urgent: Callable[[str], bool] = lambda topic: False,
        at_once: Callable[[str], bool] = lambda topic: False,
    ) -> None:
        """`urgent` topics overtake others in the mailbox; messages of `at_once` topics are acknowledged to the broker
        when they arrive, all others by `done`."""
        self._settings, self._mailbox, self._urgent, self._at_once = settings, mailbox, urgent, at_once
        self._v5 = protocol == "5"
        self._closed = False
        self._order: deque[tuple[int, int]] = deque()  # arrived and not acknowledged
        self._done: set[int] = set()
        version = MQTTProtocolVersion.MQTTv5 if self._v5 else MQTTProtocolVersion.MQTTv311
        self._client = client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=settings.client_id.replace(RANDOM, secrets.token_hex(4)),
            clean_session=None if self._v5 else True,
            protocol=version,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        client.connect_timeout = CONNECT_TIMEOUT_S
        client.max_inflight_messages_set(0)  # ours is the bound, and paho never holds a message back
        if settings.username is not None:
            client.username_pw_set(settings.username, settings.password)
        if will is not None:
            client.will_set(will.topic, will.payload, qos=1, retain=True)
        client.on_connect, client.on_connect_fail = self._on_connect, self._on_connect_fail
        client.on_disconnect, client.on_subscribe = self._on_disconnect, self._on_subscribe
        client.on_publish, client.on_message = self._on_publish, self._on_message

    def open(self) -> None:
        """TCP, TLS and CONNECT; the broker's answer comes as `Connected`. Waits at most CONNECT_TIMEOUT_S for the
        network."""
        s = self._settings
        try:
            if s.tls:
                self._client.tls_set(ca_certs=s.ca_file, certfile=s.cert_file, keyfile=s.key_file)
            options: dict[str, Any] = {}
            if self._v5:
                properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
                properties.ReceiveMaximum = RECEIVE_MAXIMUM
                properties.MaximumPacketSize = PACKET_MAXIMUM_BYTES
                options = {"clean_start": True, "properties": properties}
            self._client.connect(s.host, s.port, keepalive=s.keepalive_s, **options)
        except ssl.SSLError as error:
            raise LinkError(
                f"{s.where}: TLS failed: {error}; check mqtt.ca_file, mqtt.cert_file", refused=True
            ) from error
        except FileNotFoundError as error:
            raise LinkError(
                f"no such file: {error.filename}; check mqtt.ca_file, mqtt.cert_file", refused=True
            ) from error
        except socket.gaierror as error:
            raise LinkError(f"{s.where}: name not found; check mqtt.host") from error
        except OSError as error:
            raise LinkError(f"{s.where} cannot be reached: {error}; check mqtt.host, mqtt.port") from error
        raw = self._client.socket()
        if isinstance(raw, socket.socket):
            # Small packets both ways: with Nagle's algorithm each burst would wait for the other side's delayed ACK.
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._mailbox.source = self.pump

    def close(self) -> None:
        self._closed = True
        self._client.disconnect()
        raw = self._client.socket()
        if isinstance(raw, socket.socket):
            raw.close()

    def pump(self, timeout_s: float, wake: socket.socket) -> None:
        """Wait for the network or for `wake`, then read and write what can be without waiting."""
        raw: Any = self._client.socket()
        if raw is None or raw.fileno() < 0:
            wait(timeout_s, {wake.fileno(): select.POLLIN})
            return
        hidden = isinstance(raw, ssl.SSLSocket) and raw.pending() > 0
        asked = select.POLLIN | (select.POLLOUT if self._client.want_write() else 0)
        seen = wait(0.0 if hidden else timeout_s, {raw.fileno(): asked, wake.fileno(): select.POLLIN})
        with self.gathered():
            if hidden or seen.get(raw.fileno(), 0) & ~select.POLLOUT:
                self._read()
            if self._client.want_write():
                self._client.loop_write()
        self._client.loop_misc()

    @contextmanager
    def gathered(self) -> Iterator[None]:
        """What is sent in here leaves in as few TCP segments as it fits: the broker wakes once for all of it."""
        self._cork(1)
        try:
            yield
        finally:
            self._cork(0)

    def _cork(self, on: int) -> None:
        raw = self._client.socket()
        if _CORK is not None and isinstance(raw, socket.socket):
            with suppress(OSError):  # gone: whoever reads next is told
                raw.setsockopt(socket.IPPROTO_TCP, _CORK, on)

    def _read(self) -> None:
        """Paho reads few packets at a time: again, as long as one comes and there is room for it."""
        for _ in range(READS):
            if self._mailbox.full:
                return
            before = self._mailbox.count
            self._client.loop_read()
            if self._mailbox.count == before:
                return

    def subscribe(self, topics: Sequence[tuple[str, bool]]) -> None:
        """Pairs of topic and "tell whether it was published as retained". All with QoS 1, answered by `Subscribed`."""
        if self._v5:
            with_options = [(topic, SubscribeOptions(qos=1, retainAsPublished=keep)) for topic, keep in topics]
            code, _ = self._client.subscribe(with_options)
        else:
            code, _ = self._client.subscribe([(topic, 1) for topic, _ in topics])
        self._expect(code)

    def publish(self, topic: str, payload: bytes, *, retain: bool = False, expiry_s: int | None = None) -> int:
        """QoS 1; answered by `Published` with the returned mid."""
        properties = None
        if expiry_s is not None and self._v5:
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            properties.MessageExpiryInterval = expiry_s
        info = self._client.publish(topic, payload, qos=1, retain=retain, properties=properties)
        self._expect(info.rc)
        return info.mid

    def done(self, letter: Arrived) -> None:
        """This message has been dealt with. The broker is told in the order of arrival, as MQTT demands (4.6): one that
        was dealt with early waits for those before it."""
        if letter.qos > 0:
            self._done.add(letter.mid)
            self._ack_in_order()

    def _ack_in_order(self) -> None:
        while self._order and self._order[0][0] in self._done:
            mid, qos = self._order.popleft()
            self._done.discard(mid)
            self._client.ack(mid, qos)

    def _expect(self, code: MQTTErrorCode) -> None:
        if code not in (MQTTErrorCode.MQTT_ERR_SUCCESS, MQTTErrorCode.MQTT_ERR_AGAIN):
            raise LinkError(f"{self._settings.where}: connection lost")

    # ------------------------------------------------------------ paho's callbacks: put a letter, return

    def _put(self, letter: Letter, *, urgent: bool = False) -> None:
        if not self._closed:
            self._mailbox.put(letter, urgent=urgent)

    def _on_connect(self, client: Any, userdata: Any, flags: Any, reason: Any, properties: Any) -> None:
        refused = str(reason) if reason.is_failure else ""
        wrong = refused == "Unsupported protocol version"
        most = getattr(properties, "MaximumPacketSize", None)
        self._put(Connected(refused, getattr(properties, "ReceiveMaximum", None), wrong, most))

    def _on_connect_fail(self, client: Any, userdata: Any) -> None:
        self._put(Lost("connection failed"))

    def _on_disconnect(self, client: Any, userdata: Any, flags: Any, reason: Any, properties: Any) -> None:
        self._put(Lost(TWIN if str(reason) == "Session taken over" else str(reason)))

    def _on_subscribe(self, client: Any, userdata: Any, mid: int, reasons: Any, properties: Any) -> None:
        self._put(Subscribed(tuple(str(one) if one.is_failure else "" for one in reasons)))

    def _on_publish(self, client: Any, userdata: Any, mid: int, reason: Any, properties: Any) -> None:
        heard = str(reason) != "No matching subscribers"
        self._put(Published(mid, str(reason) if reason.is_failure else "", heard))

    def _on_message(self, client: Any, userdata: Any, message: Any) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = ""
        if message.qos > 0:
            self._order.append((message.mid, message.qos))
            if self._at_once(topic):
                self._done.add(message.mid)
                self._ack_in_order()
        letter = Arrived(topic, message.payload, message.retain, message.mid, message.qos)
        self._put(letter, urgent=self._urgent(topic))


def read_password(path: str | None) -> str | None:
    """The first line of a password file. Raises LinkError that names the key."""
    if path is None:
        return None
    try:
        return first_line(path)
    except (OSError, ValueError) as error:
        raise LinkError(f"mqtt.password_file {path} cannot be read: {error}", refused=True) from error
