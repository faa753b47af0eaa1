"""One passage id through every log: a camera's process is told it, the link to the centre takes it from the event."""

from __future__ import annotations

import io
import json
import logging
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge import logs
from edge.agent.cameras.supervisor import CameraProcess, tell
from edge.core.record.events import canonical
from edge.ports import OutgoingEvent, OutgoingEvidence
from edge.uplink import trace
from edge.vision import messages, worker
from edge.vision.settings import Wishes
from tests.uplink.brokers import until

PASSAGE = "01930f00-0000-7000-8000-0000000000aa"


@pytest.fixture
def lines() -> Iterator[list[dict[str, Any]]]:
    """What is logged, as JSON; the process says nothing of itself afterwards."""
    found: list[dict[str, Any]] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(json.loads(self.format(record)))

    handler = Keep()
    handler.setFormatter(logs.JsonLines())
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield found
    root.removeHandler(handler)
    root.setLevel(before)
    logs.of_process(camera="", passage="")


def test_a_process_says_its_camera_and_passage_on_every_line_and_a_context_goes_before(
    lines: list[dict[str, Any]],
) -> None:
    log = logging.getLogger("edge.vision.somewhere")
    logs.of_process(camera="front")
    log.info("one")
    logs.of_process(passage=PASSAGE)
    threading.Thread(target=log.info, args=("two",)).start()
    until(lambda: len(lines) == 2, "the thread's line", 30.0)
    token = logs.passage.set("other")
    log.info("three")
    logs.passage.reset(token)
    logs.of_process(passage="")
    log.info("four")
    assert [line.get("passage") for line in lines] == [None, PASSAGE, "other", None]
    assert [line["camera"] for line in lines] == ["front"] * 4


def test_a_cameras_process_logs_the_passage_that_it_is_told(
    lines: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker's own reading of its socket, up to its end, which here does not end the process."""
    ended = threading.Event()
    monkeypatch.setattr(worker, "_leave", ended.set)
    ours, theirs = socket.socketpair()
    threading.Thread(target=worker._watch, args=(theirs, Wishes()), daemon=True).start()
    messages.send(ours, "passage", {"id": PASSAGE})
    log = logging.getLogger("edge.vision.loop")

    def told() -> bool:
        log.info("a frame")
        return lines[-1].get("passage") == PASSAGE

    try:
        until(told, "the line has the passage", 30.0)
        messages.send(ours, "passage", {"id": ""})
        until(lambda: not told(), "and no more once it is over", 30.0)
    finally:  # before the worker's own way of leaving is back: it would end this process, and with status 0
        ours.close()
        assert ended.wait(30)


def test_a_cameras_process_logs_as_its_parent_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(logs.FORMAT_ENV, "json")
    monkeypatch.setenv(logs.LEVEL_ENV, "warning")
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    root.handlers[:] = []
    try:
        logs.start_child_log()
        assert isinstance(root.handlers[0].formatter, logs.JsonLines)
        assert root.level == logging.WARNING
    finally:
        root.handlers[:], root.level = before, level


class Writer(io.BytesIO):
    def is_closing(self) -> bool:
        return False


def test_a_camera_is_told_only_once_it_has_greeted_and_again_after_a_restart() -> None:
    """Before its `hello` the process reads its settings, and what came with them would be lost."""
    camera = CameraProcess("front", {}, lambda *_: None, lambda *_: None, lambda: None)
    writer = Writer()
    camera._writer = writer  # type: ignore[assignment]
    tell([camera])(PASSAGE)
    assert writer.getvalue() == b""
    camera._take(messages.Message("hello", {"models": {}}))
    camera.about("")
    told = [(one.kind, one.fields) for one in messages.Decoder().feed(writer.getvalue())]
    assert told == [("passage", {"id": PASSAGE}), ("passage", {"id": ""})]


def event(seq: int, **body: Any) -> OutgoingEvent:
    return OutgoingEvent("b1", seq, canonical({"kind": "passage", "seq": seq, "body": body}))


def test_what_leaves_for_the_centre_is_logged_with_its_passage(lines: list[dict[str, Any]]) -> None:
    trace.sent([event(1, passage=PASSAGE), event(2, passage=None)])
    trace.sent_photo(OutgoingEvidence("photo-1", "b1", "event-1", b"", "", PASSAGE))
    assert [(line["text"], line.get("passage")) for line in lines] == [
        ("sent event 1", PASSAGE),
        ("sent event 2", None),
        ("sent photo photo-1", PASSAGE),
    ]
    assert lines[0]["seq"] == 1


def test_a_backlog_is_not_logged_event_by_event(lines: list[dict[str, Any]]) -> None:
    trace.sent([event(seq, passage=PASSAGE) for seq in range(1, trace.LIVE + 2)])
    assert lines == []


def test_words_of_a_person_are_not_taken_for_a_passage() -> None:
    assert trace.passage_of(event(1, words='"passage":"x"').payload) == ""
    assert trace.passage_of(event(1, words='"passage":"x"', passage=PASSAGE).payload) == PASSAGE


def test_a_cameras_process_ends_where_one_of_its_threads_dies_unforeseen() -> None:
    """Else the camera would be "up" and its reader dead: as if no plate ever came."""
    code = (
        "import threading, time; from edge.vision import worker; worker.end_where_a_thread_dies()\n"
        "threading.Thread(target=lambda: 1 / 0, name='models').start(); time.sleep(60)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=50, check=False)
    assert ran.returncode == 1
    assert "thread models died: division by zero" in ran.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_the_models_step_back_from_wherever_the_process_stands() -> None:
    """A service's user that was started at nice 19 may not come forward to 10: the models' thread died of that."""
    code = (
        "import os, threading, types; from edge.vision import loop; os.nice(19); os.setuid(65534)\n"
        "said = []; self = types.SimpleNamespace(_load=lambda: 1 / 0)\n"
        "try: loop.Worker._read(self)\nexcept ZeroDivisionError: print('as far as the models')"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert "as far as the models" in ran.stdout, ran.stderr


SAYS = """
import logging, sys
sys.path.insert(0, {root!r})
from edge import logs
logs.JOURNAL = {door!r}
logs.start_log("debug", as_json=True)
for level in ("debug", "info", "warning", "error", "critical"):
    getattr(logging.getLogger("x"), level)("one\\ntwo")
"""


@pytest.mark.parametrize("named", [True, False])
def test_lines_to_the_journal_carry_their_priority_and_others_do_not(named: bool, tmp_path: Path) -> None:
    """Where journald has no socket: a program whose output goes elsewhere has inherited the name of its stream only."""
    root = str(Path(__file__).resolve().parents[2])
    ours, theirs = socket.socketpair()
    with ours, theirs:
        about = os.fstat(theirs.fileno())
        stream = f"{about.st_dev}:{about.st_ino}" if named else "1:2"
        environment = {**os.environ, "JOURNAL_STREAM": stream}
        line = [sys.executable, "-c", SAYS.format(root=root, door=str(tmp_path / "none"))]
        subprocess.run(line, stderr=theirs.fileno(), env=environment, check=True, timeout=60)
        told = ours.recv(65536).decode().splitlines()
    assert [text[:3] for text in told] == (["<7>", "<6>", "<4>", "<3>", "<2>"] if named else ['{"a'] * 5)
    assert all(json.loads(text[3:] if named else text)["text"] == "one\ntwo" for text in told)


def read_entry(datagram: bytes) -> dict[str, str]:
    """As journald takes one apart (Journal Native Protocol)."""
    told: dict[str, str] = {}
    while datagram:
        head, _, datagram = datagram.partition(b"\n")
        name, is_short, value = head.partition(b"=")
        if not is_short:
            length = int.from_bytes(datagram[:8], "little")
            value, datagram = datagram[8 : 8 + length], datagram[8 + length + 1 :]
        told[name.decode()] = value.decode()
    return told


def test_journald_is_given_fields_priority_and_the_passage(tmp_path: Path) -> None:
    """A real socket in journald's place; the program's standard error is the journal's stream."""
    door = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
        journal.bind(str(door))
        journal.settimeout(30)
        root = str(Path(__file__).parents[2])
        code = (
            SAYS.format(root=root, door=str(door))
            + f"""
logs.of_process(camera="front")
logs.passage.set({PASSAGE!r})
try:
    1 / 0
except ZeroDivisionError:
    logging.getLogger("edge.x").exception("it broke", extra={{"fields": {{"seq": 7}}}})
"""
        )
        ours, theirs = socket.socketpair()
        with ours, theirs:
            about = os.fstat(theirs.fileno())
            environment = {**os.environ, "JOURNAL_STREAM": f"{about.st_dev}:{about.st_ino}"}
            subprocess.run(
                [sys.executable, "-c", code], stderr=theirs.fileno(), env=environment, check=True, timeout=60
            )
            theirs.close()
            assert ours.recv(100) == b""  # nothing beside
        told = [read_entry(journal.recv(65536)) for _ in range(6)]
    assert [one["PRIORITY"] for one in told] == ["7", "6", "4", "3", "2", "3"]
    assert [one["MESSAGE"] for one in told[:5]] == ["one\ntwo"] * 5
    last = told[-1]
    assert last["MESSAGE"].splitlines()[0] == "it broke"
    assert last["MESSAGE"].splitlines()[-1] == "ZeroDivisionError: division by zero"
    assert (last["BARIE_PASSAGE"], last["BARIE_CAMERA"], last["BARIE_SEQ"]) == (PASSAGE, "front", "7")
    assert (last["BARIE_PART"], last["SYSLOG_IDENTIFIER"]) == ("edge.x", "barie")
