"""Every entrance has a budget: strangers at the port, silent, slow, endless or large, and parts beside the barrier."""

from __future__ import annotations

import asyncio
import http.client
import logging
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge import logs
from edge.agent.entrance import HERE_MOST, KNOWN_MOST, PEER_MOST, PERSON_MOST, Entrance
from edge.agent.watch.side import Sides
from tests.site.attacks import crowd
from tests.site.attacks.gate import GUARD, Caller, Gate
from tests.uplink.brokers import until

FILES = 512
"""What this agent may have open; its unit allows 4,096 and the attack of 4,200 connections ended it."""


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    with Gate(tmp_path_factory.mktemp("entrance"), files=FILES) as one:
        yield one


def test_a_guard_presses_on_while_silent_slow_endless_and_huge_callers_hold_the_port(gate: Gate) -> None:
    """The short form of `python -m tests.site.attacks.crowd`, whose bounds on time are judged there."""
    seen = crowd.run(gate, crowd.Crowd(silent=600, slow=100, streams=100, chunked=4, seconds=6.0))
    assert (seen.restarts, seen.failed) == (0, 0)
    assert seen.presses > 0
    assert seen.memory_mb_most < crowd.MEMORY_MOST * seen.memory_mb_before + 10  # a small agent's own noise
    assert seen.log_bytes < crowd.LOG_MOST_BYTES
    assert "Traceback" not in gate.log()


def connection(port: int, said: bytes = b"") -> socket.socket:
    sock = socket.create_connection(("127.0.0.1", port), timeout=30)
    sock.sendall(said)
    return sock


@pytest.mark.parametrize(
    "said",
    [b"", b"GET / HTTP/1.1\r\nHost: 127", crowd.SLOW_HEAD % 1, crowd.CHUNKED_HEAD % 1 + b"5\r\naa"],
    ids=["silent", "half a head", "no body", "half a chunk"],
)
def test_an_unfinished_request_is_given_up(gate: Gate, said: bytes) -> None:
    with connection(gate.port, said) as sock:
        got = b""
        while part := _read(sock):
            got += part
        assert b" 200 " not in got


def _read(sock: socket.socket) -> bytes:
    try:
        return sock.recv(4096)
    except ConnectionError:
        return b""


@pytest.mark.parametrize("path", ["/sign-in", "/lane/b1-out/action", "/touch", "/healthz"])
def test_a_chunked_body_without_end_is_cut_before_it_fills_the_memory(gate: Gate, path: str) -> None:
    before_mb = gate.memory_mb()
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{gate.port}\r\nContent-Type: application/json\r\n"
    sent = 0
    with connection(gate.port, head.encode() + b"Transfer-Encoding: chunked\r\n\r\n") as sock:
        try:
            while sent < 100_000_000:
                sock.sendall(crowd.CHUNK)
                sent += len(crowd.CHUNK)
        except OSError:
            pass
    assert sent < 20_000_000  # what the two kernels' buffers hold
    assert gate.memory_mb() - before_mb < 10


def test_nested_json_is_a_bad_request_and_no_fault_of_ours(gate: Gate) -> None:
    guard = Caller(gate.port)
    guard.sign_in(GUARD)
    for body in (b"[" * 15_000 + b"]" * 15_000, b'{"key":' + b'{"a":' * 4000 + b"1" + b"}" * 4001, b"\xff\xfe"):
        status, _, _ = guard.ask("POST", "/lane/b1-out/action", body, Content_Type="application/json")
        assert status == 400
    assert "Traceback" not in gate.log()


def test_a_strangers_body_is_not_read_before_the_sign_in_is_looked_at(gate: Gate) -> None:
    for path in ("/lane/b1-out/action", "/lane/b1-out/settle", "/history/x/label", "/calibrate/x/save"):
        status, _, _ = Caller(gate.port).ask("POST", path, b"[" * 1000, Content_Type="application/json")
        assert status == 401, path


def test_silent_callers_at_the_metrics_leave_the_gate_its_threads(gate: Gate) -> None:
    held = [connection(gate.metrics_port) for _ in range(60)]
    threads = len(list(Path(f"/proc/{gate.process.pid}/task").iterdir()))
    for sock in held:
        sock.close()
    assert threads < 40

    def answers() -> bool:
        try:
            return "barie_board_ok" in gate.metrics()
        except (OSError, http.client.HTTPException):
            return False  # the callers that went are not counted off yet

    until(answers, "the metrics answer again")


# ---------------------------------------------------------------- the rule itself


class Fake:
    """A connection as the entrance sees it."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.host, self.here = host, host.startswith("127.")
        self.person: str | None = None
        self.group, self.up = "", True

    def give_up(self) -> None:
        self.up = False


def make(entrance: Entrance, host: str = "127.0.0.1") -> Fake:
    one = Fake(host)
    entrance.enter(one)  # type: ignore[arg-type]
    return one


def test_a_known_persons_page_is_not_pushed_out_by_strangers() -> None:
    now = [0.0]
    entrance = Entrance(lambda: now[0])
    page = make(entrance)
    entrance.knows(page, "g-1")  # type: ignore[arg-type]
    crowd_here = []
    for _ in range(3 * HERE_MOST):
        now[0] += 1.0
        crowd_here.append(make(entrance))
    assert page.up
    assert sum(one.up for one in crowd_here) == HERE_MOST
    assert crowd_here[-1].up, "the newest may ask"


def test_the_network_never_pushes_out_this_machines_own_and_one_peer_not_another() -> None:
    now = [0.0]
    entrance = Entrance(lambda: now[0])
    booth, other = make(entrance), make(entrance, "192.0.2.9")
    for _ in range(200):
        now[0] += 1.0
        make(entrance, "192.0.2.7")
    assert booth.up
    assert other.up
    many = [make(entrance, f"192.0.2.{n}") for n in range(20, 20 + 2 * PEER_MOST)]
    assert booth.up
    assert many[-1].up


def test_one_person_holds_only_so_many_connections() -> None:
    now = [0.0]
    entrance = Entrance(lambda: now[0])
    other = make(entrance)
    entrance.knows(other, "l-1")  # type: ignore[arg-type]
    mine = []
    for _ in range(PERSON_MOST + 10):
        now[0] += 1.0
        mine.append(make(entrance))
        entrance.knows(mine[-1], "g-1")  # type: ignore[arg-type]
    assert sum(one.up for one in mine) == PERSON_MOST < KNOWN_MOST
    assert other.up


def test_a_part_beside_the_barrier_fails_alone_is_told_and_comes_back() -> None:
    async def scene() -> tuple[list[list[str]], int]:
        told: list[list[str]] = []
        sides = Sides(lambda: told.append(sides.failed), again_s=(0.0,))
        lives = 0
        ran = asyncio.Event()

        async def sensor() -> None:
            nonlocal lives
            lives += 1
            if lives < 3:
                raise OSError(24, "Too many open files")
            ran.set()
            await asyncio.sleep(3600)

        task = asyncio.create_task(sides.keep("sensors", sensor))
        await ran.wait()
        while sides.failed:
            await asyncio.sleep(0)
        task.cancel()
        return told, lives

    told, lives = asyncio.run(scene())
    assert lives == 3
    assert told[0] == ["sensors"]
    assert told[-1] == []


def test_a_line_said_over_and_over_is_counted_and_not_written() -> None:
    now = [0.0]
    flood = logs.Flood(lambda: now[0])
    lines = [logging.LogRecord("x", logging.ERROR, "", 0, "accept: %s", (n,), None) for n in range(1000)]
    passed = [line for line in lines if flood.filter(line)]
    assert len(passed) == flood.MOST
    assert flood.filter(logging.LogRecord("x", logging.ERROR, "", 0, "another", (), None))
    now[0] = flood.WITHIN_S
    after = logging.LogRecord("x", logging.ERROR, "", 0, "accept: %s", (7,), None)
    assert flood.filter(after)
    assert after.getMessage() == f"accept: 7 (and {1000 - flood.MOST} more like it left out before)"


def test_no_collection_of_garbage_looks_at_what_stays_for_ever() -> None:
    """Seen: the boom loop late by a third of a second under a crowd, for the length of a full collection."""
    code = (
        "import gc, edge.agent.gate\nfrom edge.agent.pauses import settle\n"
        "before = len(gc.get_objects())\nsettle()\nprint(before, gc.get_freeze_count(), len(gc.get_objects()))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    before, frozen, left = map(int, told.stdout.split())
    assert frozen > 0.9 * before
    assert left < 0.01 * before
