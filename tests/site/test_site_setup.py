"""`barie setup`, the examples, the configuration page and what is found at a site."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gpiod
import pytest
from cryptography import x509

from edge.config import CameraConfig, load_config, parse_config
from edge.errors import BarieError, ConfigError
from edge.secret_path import CREDENTIALS, first_line
from edge.technician import config_keys, discover, setup, wiring
from edge.uplink.certificate import days_left
from edge.uplink.connection import LinkError, read_password
from firmware_io.board import InputWiring
from firmware_io.gpio import GpioBoard
from firmware_io.sim import SimBoard
from firmware_io.sim_world import World

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "config" / "examples").glob("*.toml"))
ANSWERS = """\
language = "en"

[site]
id = "thu-nghiem"
name = {{ vi = "Cửa khẩu \\"thử\\" nghiệm", en = "Trial" }}
data_dir = "{folder}/data"

[mqtt]
host = "broker.example"
port = 8883
tls = true
cert_file = "{folder}/gate.pem"
key_file = "{folder}/gate.key"

[[lane]]
id = "b1-out"
name = {{ vi = "Làn", en = "Lane" }}
place = "b1"
direction = "out_of_area"

[[lane.camera]]
id = "b1-out-front"
url = "rtsp://192.0.2.10/stream1"

[lane.board]
port = "{folder}/board"
inputs = {{ presence = 1, safety_loop = 2, photocell = 3, limit_open = 4, limit_closed = 5 }}
outputs = {{ open = 1, close = 2, stop = 3 }}
"""


@pytest.mark.parametrize("example", [one for one in EXAMPLES if "answers" not in one.name], ids=lambda one: one.name)
def test_an_example_is_a_good_config(example: Path) -> None:
    assert load_config(example).lane


def test_the_examples_are_those_that_the_page_promises() -> None:
    assert {one.name for one in EXAMPLES} == {
        "b1.toml", "b2.toml", "smart-lane.toml", "two-lanes.toml", "yard.toml", "simulated.answers.toml",
    }  # fmt: skip


def test_the_configuration_page_is_the_example_and_explains_every_key() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert page == config_keys.page(), "run scripts/config-page"
    silent = [f"{t.name}.{k.name}" for t in config_keys.tables() for k in t.keys if not k.meaning]
    assert set(silent) <= {"site.name", "lane.id", "lane.name", "panel.port", "lane.board.outputs", "lane.board.inputs"}


def test_answers_become_a_checked_config_with_keys_and_a_request(tmp_path: Path) -> None:
    answers, target = tmp_path / "answers.toml", tmp_path / "gate.toml"
    answers.write_text(ANSWERS.format(folder=tmp_path), encoding="utf-8")
    assert setup.run(target, answers, force=False, doctor=False) == 0
    config = load_config(target)
    assert config.site.name.vi == 'Cửa khẩu "thử" nghiệm'
    assert config.lane[0].board.inputs == {
        "presence": 1,
        "safety_loop": 2,
        "photocell": 3,
        "limit_open": 4,
        "limit_closed": 5,
    }
    text = target.read_text(encoding="utf-8")
    assert "# auto_lock_s = 900" in text
    assert "a screen that nobody touched" in text
    request = x509.load_pem_x509_csr((tmp_path / "gate.csr").read_bytes())
    assert request.is_signature_valid
    assert request.subject.rfc4514_string() == "CN=thu-nghiem"
    assert (tmp_path / "data/keys/gate.pem").stat().st_mode & 0o777 == 0o600
    assert target.stat().st_mode & 0o777 == 0o640
    with pytest.raises(BarieError, match="there already"):
        setup.run(target, answers, force=False, doctor=False)
    key = (tmp_path / "gate.key").read_bytes()
    assert setup.run(target, answers, force=True, doctor=False) == 0
    assert (tmp_path / "gate.before").read_text(encoding="utf-8")[200:] == text[200:]
    assert (tmp_path / "gate.key").read_bytes() == key


def test_faulty_answers_write_nothing(tmp_path: Path) -> None:
    answers = tmp_path / "answers.toml"
    answers.write_text(ANSWERS.format(folder=tmp_path).replace('place = "b1"', 'place = "b7"'), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"lane\.0\.place"):
        setup.run(tmp_path / "etc" / "gate.toml", answers, force=False, doctor=False)
    assert not (tmp_path / "etc").exists()
    assert not (tmp_path / "data").exists()


def test_the_questions_of_a_person_lead_to_a_good_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discover, "cameras", lambda: [discover.FoundCamera("192.0.2.77", "cam")])
    monkeypatch.setattr(discover, "boards", lambda: [("modbus_rtu", "/dev/serial/by-id/usb-x")])
    answers = iter(["vi", "Bad Id", "tan-thanh", "Tân Thanh", "Tan Thanh", "2", "2", "rtsp://192.0.2.77/s", "viewer",
                    "", "1", "19200", "",
                    "", "", "3o", "3c", "7c/3", "7c/6", *[""] * 7, "8o", "", "", "", "", "4", "", "", "5", "",
                    "5", "rtsp://192.0.2.78/s", "", "192.0.2.90:4196", "1", *[""] * 13, *[""] * 7, "2",
                    "120", "broker.example", "c"])  # fmt: skip
    given, passwords = setup.asked(tmp_path, lambda question: next(answers), lambda question: "mật khẩu")
    assert given.pop("language") == "vi"
    config = setup.write(tmp_path / "gate.toml", given, passwords)
    assert [lane.id for lane in config.lane] == ["b1-out", "yard-in"]
    first, second = (lane.board for lane in config.lane)
    assert (first.kind, first.profile, first.baud, first.unit) == ("modbus_rtu", "waveshare-8ch", 19200, 1)
    assert first.wiring() == {
        "presence": InputWiring(1), "safety_loop": InputWiring(2, normally_closed=True), "exit_loop": InputWiring(3),
        "limit_open": InputWiring(4), "limit_closed": InputWiring(5), "manual_key": InputWiring(8),
    } | {"photocell": InputWiring(7, normally_closed=True, antivalent=6)}  # fmt: skip
    assert first.outputs == {"open": 1, "close": 2, "stop": 3, "green": 4, "beam_test": 5}
    assert [lane.barrier.tested for lane in config.lane] == [("photocell",), ()]
    assert (second.kind, second.profile, second.tcp_port) == ("rtu_over_tcp", "waveshare-eth-b-8ch", 4196)
    assert [lane.barrier.closes_by for lane in config.lane] == ["relay", "controller"]
    assert config.yard is not None
    assert config.yard.capacity == 120
    assert config.mqtt is not None
    assert (config.mqtt.port, config.mqtt.tls) == (8883, True)
    assert config.lane[0].camera[0].address() == "rtsp://viewer:m%E1%BA%ADt%20kh%E1%BA%A9u@192.0.2.77/s"
    assert "mật khẩu" not in (tmp_path / "gate.toml").read_text(encoding="utf-8")


def test_gpio_lines_of_the_pc_are_set_up_drawn_and_asked_for_as_they_are_wired(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the questions to what the real library is asked for: one wiring in config, diagram and request."""
    chip = tmp_path / "gpiochip0"
    chip.touch()
    monkeypatch.setattr(discover, "cameras", list)
    monkeypatch.setattr(discover, "boards", list)
    inputs = {"presence": "4o", "safety_loop": "0c", "photocell": "17c", "limit_open": "22o", "limit_closed": "27o"}
    outputs = {"open": "5", "close": "6"}
    told = {
        "Tiếng Việt": "en", "Id of": "tan-thanh",
        "Name of the site in V": "Tân Thanh", "Name of the site in E": "Tan Thanh",
        "How many": "1", "Lane 1 is": "2", "RTSP": "rtsp://192.0.2.77/s", "Relay board": "/dev/gpiochip0",
        **{f"Input {name}:": wire for name, wire in inputs.items()}, "Input": "-",
        **{f"Output {name}:": line for name, line in outputs.items()}, "Output": "-",
    }  # fmt: skip

    def person(question: str) -> str:
        return next((answer for start, answer in told.items() if question.startswith(start)), "")

    given, passwords = setup.asked(tmp_path, person, person)
    given.pop("language")
    config = setup.write(tmp_path / "gate.toml", given, passwords)
    (lane,) = config.lane
    assert (lane.board.kind, lane.board.port, lane.board.outputs) == ("gpio", "/dev/gpiochip0", {"open": 5, "close": 6})
    assert lane.board.wiring()["safety_loop"] == InputWiring(0, normally_closed=True)
    drawn = wiring.diagram(lane, "en")
    for name, wire in lane.board.wiring().items():
        row = next(text for text in drawn.splitlines() if f"({name})" in text)
        assert f">line {wire.channel}<" in row
        assert ("normally closed" in row) == wire.normally_closed
    asked: dict[int, Any] = {}

    def request_lines(path: str, consumer: str, config: dict[int, Any]) -> Any:
        asked.update(config)
        return SimpleNamespace(release=lambda: None)

    spy = SimpleNamespace(line=gpiod.line, LineSettings=gpiod.LineSettings, request_lines=request_lines)
    GpioBoard(replace(lane.board, port=str(chip)), gpiod=spy)
    assert {line for line, one in asked.items() if one.active_low} == {0, 17}
    assert {line for line, one in asked.items() if one.direction == gpiod.line.Direction.OUTPUT} == {5, 6}


def test_doctor_at_the_end_decides_the_exit(tmp_path: Path) -> None:
    answers = tmp_path / "answers.toml"
    answers.write_text(ANSWERS.format(folder=tmp_path).replace("tls = true", "tls = false"), encoding="utf-8")
    board = SimBoard(World(), link=tmp_path / "board")
    board.start()
    try:
        assert setup.run(tmp_path / "gate.toml", answers, force=False, doctor=True) == 1  # no camera, no broker
    finally:
        board.close()


# ---------------------------------------------------------------- secrets


def test_a_credential_is_a_file_that_systemd_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (ROOT / "config/examples/b1.toml").read_text(encoding="utf-8")
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    found = parse_config(text, "b1.toml").mqtt
    assert found is not None
    assert found.key_file == f"{CREDENTIALS}/gate.key"
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/run/credentials/other")
    found = parse_config(text, "b1.toml").mqtt
    assert found is not None
    assert found.key_file == "/run/credentials/other/gate.key"
    with pytest.raises(ConfigError, match=r"mqtt\.key_file: credential"):
        parse_config(text.replace("credential:gate.key", "credential:../gate.key"), "b1.toml")


def test_a_camera_has_one_user_and_its_password_a_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="names a user already"):
        CameraConfig(id="c", url="rtsp://a:b@192.0.2.1/s", user="x")
    with pytest.raises(ValueError, match="needs its user"):
        CameraConfig(id="c", url="rtsp://192.0.2.1/s", password_file="/x")
    with pytest.raises(ConfigError, match="camera c: password_file cannot be read"):
        CameraConfig(id="c", url="rtsp://192.0.2.1/s", user="x", password_file=str(tmp_path / "none")).address()


def test_an_unreadable_certificate_has_no_days_left(tmp_path: Path) -> None:
    assert days_left(tmp_path / "none.pem") is None


# ---------------------------------------------------------------- what is there


MATCH = (
    b'<?xml version="1.0"?><s:Envelope><s:Body><d:ProbeMatches><d:ProbeMatch><d:Scopes>'
    b"onvif://www.onvif.org/name/GATE-CAM onvif://www.onvif.org/Profile/S</d:Scopes><d:XAddrs>"
    b"http://127.0.0.1/onvif/device_service</d:XAddrs></d:ProbeMatch></d:ProbeMatches></s:Body></s:Envelope>"
)


@pytest.fixture
def responder() -> Iterator[tuple[str, int]]:
    """A camera that answers one probe, after one answer that is none."""
    line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    line.bind(("127.0.0.1", 0))

    def answer() -> None:
        probe, sender = line.recvfrom(65_535)
        assert b"NetworkVideoTransmitter" in probe
        line.sendto(b"\xff" * 400, sender)
        line.sendto(MATCH, sender)

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    yield line.getsockname()
    thread.join(10)
    line.close()


def test_a_camera_that_answers_is_found_with_its_name(responder: tuple[str, int]) -> None:
    assert discover.cameras(1.0, responder) == [discover.FoundCamera("127.0.0.1", "GATE-CAM")]


@pytest.mark.parametrize(
    "answer", [b"", b"<XAddrs>", b"<XAddrs>not an address</XAddrs>", b"<XAddrs>http://[::bad/</XAddrs>"]
)
def test_an_answer_that_names_no_address_is_no_camera(answer: bytes) -> None:
    assert discover.camera_in(answer) is None


def test_boards_are_found_by_their_stable_names(tmp_path: Path) -> None:
    (tmp_path / "serial/by-id").mkdir(parents=True)
    (tmp_path / "serial/by-id/usb-a").touch()
    (tmp_path / "gpiochip0").touch()
    assert [kind for kind, _ in discover.boards(tmp_path)] == ["modbus_rtu", "gpio"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (b"\xef\xbb\xbfm\xe1\xba\xadt kh\xe1\xba\xa9u\r\n", "mật khẩu"),
        (b"plain", "plain"),
        (b"first\nsecond\n", "first"),
    ],
)
def test_a_password_file_is_read_whatever_editor_wrote_it(tmp_path: Path, written: bytes, meant: str) -> None:
    """Notepad's byte order mark was part of the password: the camera answered 401."""
    path = tmp_path / "password"
    path.write_bytes(written)
    assert first_line(str(path)) == meant
    assert read_password(str(path)) == meant


@pytest.mark.parametrize("written", [b"", b"\n", b"\xff\xfep\x00", b"\xff"])
def test_a_password_file_that_holds_none_is_named(tmp_path: Path, written: bytes) -> None:
    path = tmp_path / "password"
    path.write_bytes(written)
    with pytest.raises(LinkError, match=r"mqtt\.password_file .*password"):
        read_password(str(path))
    with pytest.raises(ConfigError, match="camera c: password_file cannot be read"):
        CameraConfig(id="c", url="rtsp://192.0.2.1/s", user="x", password_file=str(path)).address()
