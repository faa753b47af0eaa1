"""One line to one or more modules: a serial port or a TCP connection, with one question under way at a time.

All lanes of this process whose modules are on the same line share one `Line` (`take`), so two units on one RS-485 pair
and two lanes on one module never talk at once.

On RTU an answer carries no number, and a converter may hold answers back for seconds. So after a question that went
unanswered the line is let become quiet for longer than the slowest answer seen on it; and an answer that looks like one
still owed is not believed before the line is proven: modules answer in order, so one question whose answer looks like
none that is owed settles all before it. Where every look is owed, and at the start (nobody knows what a former process
asked), a run of questions drawn at random is asked instead: answers that lag behind fit such a run by chance once in a
million.
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import secrets
import select
import socket
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

import serial

from firmware_io.board import BadAnswer, BoardError, BoardSettings, NoAnswer, NoDevice
from firmware_io.devices import check_device
from firmware_io.questions import READS, Heard, Question, take_answer, take_packet

log = logging.getLogger(__name__)

SLOWEST_MOST_S = 10.0
"""An answer owed for longer than this is taken to be lost."""
LATER_BY = 1.25
"""The next late answer may be later by so much than the latest so far."""
CHANCE = 1e-6
WAIT_MOST_S = 0.2
"""So long one call waits for a line to become quiet, before it says that it is not."""
FRAGMENT_S = 0.05
"""Bytes of one answer follow each other within this (3.5 characters at 1200 baud, an adapter's latency of 16 ms), or
within a quarter of the time-out where that is longer: a slow line is slow in between as well."""
REST_S = 2.0
"""A unit that was silent three times is asked only so often while others use the line: each time costs them its
time-out."""
SILENT_MOST = 3


class Port(Protocol):
    """Bytes out and in. Both raise OSError where the line is gone."""

    def send(self, data: bytes) -> None: ...

    def receive(self, wait_s: float) -> bytes:
        """What there is, waiting so long for the first byte; empty where none came."""
        ...

    def close(self) -> None: ...


class SerialPort:
    def __init__(self, s: BoardSettings) -> None:
        check_device(s.port)
        try:
            self._port = serial.Serial(
                s.port, s.baud, parity=s.parity, timeout=0, write_timeout=max(0.1, s.timeout_s), exclusive=True
            )
        except (OSError, ValueError) as error:
            raise NoDevice(
                f"{s.port}: cannot be opened; is it connected and powered, and used by nothing else? ({error})"
            ) from error

    def send(self, data: bytes) -> None:
        self._port.write(data)

    def receive(self, wait_s: float) -> bytes:
        fd = self._port.fileno()
        if not select.select([fd], [], [], max(0.0, wait_s))[0]:
            return b""
        data = os.read(fd, 512)
        if not data:
            raise OSError("the device reports ready and gives nothing: unplugged")
        return data

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._port.close()


class TcpPort:
    def __init__(self, s: BoardSettings) -> None:
        try:
            self._socket = socket.create_connection((s.host, s.tcp_port), timeout=max(0.1, s.timeout_s))
        except OSError as error:
            raise NoDevice(
                f"{s.host}:{s.tcp_port}: cannot be opened; is it connected and powered, and used by nothing else? "
                f"({error})"
            ) from error
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def receive(self, wait_s: float) -> bytes:
        if not select.select([self._socket], [], [], max(0.0, wait_s))[0]:
            return b""
        data = self._socket.recv(4096)
        if not data:
            raise OSError("the module closed the connection")
        return data

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.close()


@dataclass(frozen=True, slots=True)
class _Owed:
    """A question that went without an answer: how that would look, when it was asked, whether nothing at all came."""

    looks: bytes
    at_s: float
    silent: bool


@dataclass(slots=True)
class _Unit:
    """How one module on the line has been answering."""

    silent: int = 0
    rests_until_s: float = 0.0


class Line:
    """Shared by the threads of all lanes on it. `place` is what people call it."""

    def __init__(
        self,
        port: Port,
        settings: BoardSettings,
        place: str,
        clock: Callable[[], float] = time.monotonic,
        key: str = "",
    ) -> None:
        self.place = place
        self.key = key or place
        """Its one name, worked out once, as it is taken: a device's link may go or point elsewhere later."""
        self.gone = False
        self.users = 0
        self.late = 0
        """Answers that came when nothing they fit was being asked."""
        self._port = port
        self._is_tcp = settings.kind == "modbus_tcp"
        self._echoes = settings.local_echo
        self._timeout_s = settings.timeout_s
        self._clock = clock
        self._lock = threading.Lock()
        self._owed: list[_Owed] = []
        self._slowest_s = settings.timeout_s
        self._gap_s = max(FRAGMENT_S, settings.timeout_s / 4)
        self._unproven = True
        self._busy_s = float("-inf")
        """When a byte or a question was last on the line."""
        self._rest = b""
        self._transaction = 0
        self._units: dict[int, _Unit] = {}

    @property
    def slowest_s(self) -> float:
        """The line has to be quiet for longer than this after an answer that did not come."""
        return self._slowest_s

    def ask(self, question: Question, probes: Iterable[Question] = ()) -> bytes:
        """The answer's data unit. `probes`: questions that change nothing, for telling late answers apart.

        Raises NoDevice (line gone), NoAnswer (silent), BadAnswer (something that does not fit, or a refusal).
        """
        with self._lock:
            if self.gone:
                raise self._lost()
            self._let_rest(question.unit)
            try:
                answer = self._ask_tcp(question) if self._is_tcp else self._ask_rtu(question, tuple(probes))
            except (OSError, serial.SerialException) as error:
                self.close()
                raise self._lost() from error
            except NoAnswer:
                self._count_silence(question.unit)
                raise
            self._units.pop(question.unit, None)
        if answer[0] & 0x80:
            raise BadAnswer(
                f"{self.place}, unit {question.unit}: refused with exception code {answer[1]}; check board.profile"
            )
        return answer

    def close(self) -> None:
        self.gone = True
        self._port.close()

    def _lost(self) -> NoDevice:
        return NoDevice(f"{self.place}: the line is gone; is the cable plugged in and the module powered?")

    # ------------------------------------------------------------ units that say nothing

    def _let_rest(self, unit: int) -> None:
        known = self._units.get(unit)
        if known and self.users > 1 and self._clock() < known.rests_until_s:
            raise NoAnswer(f"{self.place}, unit {unit}: silent; asked again soon, others use this line")

    def _count_silence(self, unit: int) -> None:
        known = self._units.setdefault(unit, _Unit())
        known.silent += 1
        if known.silent >= SILENT_MOST:
            known.rests_until_s = self._clock() + REST_S

    # ------------------------------------------------------------ Modbus TCP: answers are numbered

    def _ask_tcp(self, question: Question) -> bytes:
        self._transaction = self._transaction % 0xFFFF + 1
        self._port.send(question.packet(self._transaction))
        ends_s, heard = self._clock() + self._timeout_s, False
        while (left_s := ends_s - self._clock()) > 0:
            data = self._port.receive(left_s)
            heard = heard or bool(data)
            self._rest += data
            for number, found in self._packets():
                if number == self._transaction and question.fits(found.unit, found.answer):
                    return found.answer
                self.late += 1
        raise self._failure(question, heard=heard)

    def _packets(self) -> Iterable[tuple[int, Heard]]:
        while True:
            try:
                found, self._rest = take_packet(self._rest)
            except ValueError as error:
                self.close()
                raise BadAnswer(
                    f"{self.place}: what comes is no Modbus TCP; RTU over TCP is a kind of its own"
                ) from error
            if found is None:
                return
            yield found

    # ------------------------------------------------------------ RTU: answers are not numbered

    def _ask_rtu(self, question: Question, probes: tuple[Question, ...]) -> bytes:
        is_order = question.function not in READS
        self._settle(question, is_order=is_order)
        if question.looks() in self._looks_owed() or (self._unproven and not is_order):
            self._prove(probes)
        return self._exchange(question)

    def _looks_owed(self) -> set[bytes]:
        return {entry.looks for entry in self._owed}

    def _prove(self, probes: tuple[Question, ...]) -> None:
        """After this nothing is owed that could still come. Raises NoAnswer or BadAnswer where that cannot be said."""
        owed = self._looks_owed()
        kinds = {probe.looks(): probe for probe in probes}
        fresh = [probe for looks, probe in kinds.items() if looks not in owed]
        if fresh and not self._unproven:
            self._exchange(fresh[0])
        elif len(kinds) > 1:
            late = self.late
            for _ in range(math.ceil(-math.log(CHANCE) / math.log(len(kinds)))):
                self._exchange(kinds[secrets.choice(list(kinds))])
                if self.late > late:
                    raise BadAnswer(f"{self.place}: answers come late, up to {self._slowest_s:.1f} s")
        else:
            self._listen(WAIT_MOST_S)  # one kind of question: quiet is all there is to go by
        self._owed.clear()
        self._unproven = False

    def _settle(self, question: Question, *, is_order: bool) -> None:
        """Nothing is asked while an answer may still be under way. Drops what nobody waits for.

        An order does not wait for longer than WAIT_MOST_S: it may be the one that turns the arm round.
        """
        self._owed = [entry for entry in self._owed if self._clock() - entry.at_s < SLOWEST_MOST_S]
        self._listen(0.0)
        if not self._owed:
            return
        needed_s = self._slowest_s if any(entry.silent for entry in self._owed) else self._gap_s
        ends_s = self._clock() + WAIT_MOST_S
        while (quiet_for_s := self._clock() - self._busy_s) <= needed_s:
            if self._clock() >= ends_s:
                if is_order:
                    return
                raise NoAnswer(
                    f"{self.place}, unit {question.unit}: silent or late; its line is let become quiet, for "
                    f"{needed_s:.1f} s, before anything is asked again"
                )
            self._listen(min(needed_s - quiet_for_s, ends_s - self._clock()) + 0.001)

    def _listen(self, for_s: float) -> None:
        """Take in what comes unasked."""
        ends_s = self._clock() + for_s
        while True:
            data = self._port.receive(max(0.0, ends_s - self._clock()))
            if data:
                for heard in self._take_in(data):
                    self._note_late(heard)
            elif self._clock() >= ends_s:
                return

    def _take_in(self, data: bytes) -> list[Heard]:
        """The whole answers in what came, and what was before it."""
        self._busy_s = self._clock()
        self._rest += data
        found: list[Heard] = []
        while True:
            heard, self._rest, _ = take_answer(self._rest)
            if heard is None:
                return found
            found.append(heard)

    def _note_late(self, heard: Heard) -> None:
        """An answer that is owed teaches how late answers are here."""
        self.late += 1
        for entry in self._owed:
            if entry.looks == _looks(heard):
                self._owed.remove(entry)
                late_s = self._clock() - entry.at_s
                self._slowest_s = min(SLOWEST_MOST_S, max(self._slowest_s, late_s * LATER_BY))
                return

    def _exchange(self, question: Question) -> bytes:
        self._rest = raw = b""
        frame = question.frame()
        self._port.send(frame)
        asked_s = self._busy_s = self._clock()
        ends_s, echo = asked_s + self._timeout_s, frame if self._echoes else b""
        while (left_s := ends_s - self._clock()) > 0:
            data = self._port.receive(min(left_s, self._gap_s) if raw else left_s)
            if not data and raw:
                break
            data, echo = self._strip(echo, data)
            raw += data
            self._refuse_echo(question, raw)
            for found in self._take_in(data):
                if not echo and question.fits(found.unit, found.answer):
                    return found.answer
                self._note_late(found)
        self._owed.append(_Owed(question.looks(), asked_s, silent=not raw))
        raise self._failure(question, heard=bool(raw))

    def _strip(self, echo: bytes, data: bytes) -> tuple[bytes, bytes]:
        """What is left of what came once our own words are taken off, and what of these is still to come."""
        same = min(len(echo), len(data))
        return (data[same:], echo[same:]) if data[:same] == echo[:same] else (data, echo)

    def _refuse_echo(self, question: Question, raw: bytes) -> None:
        """A question to read is never an answer: where it comes back the adapter hears itself."""
        if not self._echoes and question.function in READS and raw.startswith(question.frame()):
            raise BadAnswer(
                f"{self.place}: the adapter hears what it says itself: switch its echo off, or set "
                "board.local_echo = true; as it is, a dead module would acknowledge every order"
            )

    def _failure(self, question: Question, *, heard: bool) -> BoardError:
        where = f"{self.place}, unit {question.unit}"
        if heard:
            return BadAnswer(f"{where}: bytes came that are no answer; wrong baud rate or parity, or a noisy line?")
        return NoAnswer(f"{where}: silent; wrong unit id or baud rate, A and B swapped, or no power?")


def _looks(heard: Heard) -> bytes:
    """As `Question.looks` of the question that it answers."""
    if heard.answer[0] in READS:
        return bytes([heard.unit, heard.answer[0], len(heard.answer)])
    return bytes([heard.unit]) + heard.answer[:5]


# ---------------------------------------------------------------- one owner for each line


_lines: dict[str, Line] = {}
_agreed: dict[str, tuple[object, ...]] = {}
_claims: dict[tuple[str, int], dict[int, object]] = {}
_registry = threading.Lock()


def _key(settings: BoardSettings) -> str:
    """One for each line, whatever it is called: a device's real name, a host's address."""
    if not settings.is_tcp:
        return settings.line()
    try:
        return f"{socket.gethostbyname(settings.host)}:{settings.tcp_port}"
    except OSError as error:
        raise NoDevice(f"{settings.host}: no such host: {error}") from error


def take(settings: BoardSettings, clock: Callable[[], float] = time.monotonic) -> Line:
    """The line that these settings name, opened by whoever comes first. Give it back with `give`.

    Raises NoDevice, NoPermission, or BoardError where another lane uses the same line at other settings.
    """
    place = f"{settings.host}:{settings.tcp_port}" if settings.is_tcp else settings.port
    key = _key(settings)
    wants = (settings.kind, settings.baud, settings.parity, settings.local_echo)
    with _registry:
        line = _lines.get(key)
        if line is None or line.gone:
            port = TcpPort(settings) if settings.is_tcp else SerialPort(settings)
            line = _lines[key] = Line(port, settings, place, clock, key)
            _agreed[key] = wants
        elif _agreed[key] != wants:
            raise BoardError(f"{place}: another lane uses this line with other kind, baud, parity or local_echo")
        line.users += 1
        return line


def give(line: Line) -> None:
    """No longer used by the caller; the last one closes it."""
    with _registry:
        line.users -= 1
        if line.users <= 0:
            line.close()
            if _lines.get(line.key) is line:
                del _lines[line.key]


def claim(line: Line, settings: BoardSettings, owner: object) -> None:
    """Say whose the wired outputs of a module on this line are. Raises BoardError where another lane has one of
    them."""
    with _registry:
        mine = _claims.setdefault((line.key, settings.unit), {})
        taken = [n for n in settings.outputs.values() if mine.get(n, owner) is not owner]
        if taken:
            raise BoardError(
                f"board.outputs: channel {taken[0]} of unit {settings.unit} at {line.key} is another lane's"
            )
        mine.update(dict.fromkeys(settings.outputs.values(), owner))


def disclaim(owner: object) -> None:
    with _registry:
        for channels in _claims.values():
            for channel in [n for n, whose in channels.items() if whose is owner]:
                del channels[channel]
