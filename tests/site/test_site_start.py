"""A gate that cannot start says why, where its screen would be; doctor looks at whose record and key lie there, the
accounts, the port, and the broker by a real handshake."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from edge.config import MqttConfig
from edge.errors import BarieError, ConfigError, StoreError
from edge.store import Store
from edge.store.keys import load_or_create_signer, open_key
from edge.technician import setup
from edge.technician.free_port import free_port
from edge.technician.site_check import check_accounts, check_broker, check_port, check_record
from tests.uplink.brokers import MOSQUITTO, Mosquitto
from tests.uplink.test_uplink_tls import authority, certificate

ROOT = Path(__file__).parents[2]
WITHIN_S = 30.0
CONFIG = """\
[site]
id = "other"
name = {{ vi = "S", en = "S" }}
data_dir = "{data}"

[panel]
port = {port}
sign_in = "demo"

[[lane]]
id = "b1-out"
name = {{ vi = "L", en = "L" }}
place = "b1"
direction = "out_of_area"
simulated = true

[[lane.camera]]
id = "front"
url = "rtsp://127.0.0.1:9/none"

[lane.board]
port = "{data}/board"
inputs = {{ presence = 1, safety_loop = 2, photocell = 3, limit_open = 4, limit_closed = 5 }}
outputs = {{ open = 1, close = 2, stop = 3 }}
"""


def record(folder: Path, site: str) -> Path:
    store = Store.open(folder, site=site, lanes=["b1-out"], signer=load_or_create_signer(folder / "keys"))
    store.close()
    return folder


def asked(port: int) -> str:
    """The page as a browser has it, whatever its status."""
    end_s = time.monotonic() + WITHIN_S
    while time.monotonic() < end_s:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2) as answer:
                return str(answer.read().decode())
        except urllib.error.HTTPError as error:
            return error.read().decode()
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"nothing answers on port {port}")


def agent(folder: Path, port: int, data: Path, **environment: str) -> subprocess.Popen[bytes]:
    path = folder / "gate.toml"
    path.write_text(CONFIG.format(data=data, port=port))
    line = [sys.executable, "-m", "edge", "run", "--config", str(path)]
    return subprocess.Popen(line, cwd=ROOT, stderr=subprocess.PIPE, env={**os.environ, **environment})


def test_a_gate_whose_record_is_of_another_site_says_so_on_its_screen(tmp_path: Path) -> None:
    port = free_port()
    gate = agent(tmp_path, port, record(tmp_path / "data", "simulated"), NOTIFY_SOCKET=str(tmp_path / "notify"))
    try:
        page = asked(port)
    finally:
        gate.kill()
        gate.communicate()
    assert "record belongs to site" in page
    assert "không khởi động được" in page
    assert "does not start" in page


def test_at_a_terminal_it_ends_at_once(tmp_path: Path) -> None:
    gate = agent(tmp_path, free_port(), record(tmp_path / "data", "simulated"), NOTIFY_SOCKET="")
    _, told = gate.communicate(timeout=WITHIN_S)
    assert gate.returncode == 2
    assert b"record belongs to site" in told


def test_a_record_without_its_key_is_never_given_a_new_one(tmp_path: Path) -> None:
    data = record(tmp_path / "data", "other")
    shutil.rmtree(data / "keys")
    gate = agent(tmp_path, free_port(), data, NOTIFY_SOCKET="")
    _, told = gate.communicate(timeout=WITHIN_S)
    assert gate.returncode == 2
    assert b"gate.pem is gone" in told
    assert check_record(data, "other").mark == "FAIL"
    with pytest.raises(StoreError, match="is gone"):  # setup, backup, evidence delete: whoever wants a key
        open_key(data / "keys")
    assert not (data / "keys").exists()


def test_doctor_and_setup_know_a_record_of_another_site(tmp_path: Path) -> None:
    data = record(tmp_path / "data", "simulated")
    verdict = check_record(data, "other")
    assert verdict.mark == "FAIL"
    assert "'simulated'" in verdict.words
    assert check_record(data, "simulated").mark == "ok"
    target = tmp_path / "etc/gate.toml"
    (tmp_path / "answers.toml").write_text(CONFIG.format(data=data, port=8080))
    with pytest.raises((BarieError, ConfigError), match="nothing was written"):
        setup.run(target, tmp_path / "answers.toml", force=False, doctor=False)
    assert not target.exists()


def test_doctor_names_a_taken_port_and_missing_accounts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        assert check_port("127.0.0.1", other.getsockname()[1]).mark == "FAIL"
    assert check_port("127.0.0.1", free_port()).mark == "ok"
    assert "barie account add" in check_accounts(tmp_path, "pin").words


@pytest.mark.broker
@pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed")
def test_doctor_makes_the_tls_handshake_that_the_agent_will_make(tmp_path: Path) -> None:
    for name in ("ca", "stranger"):
        authority(tmp_path, name)
    certificate(tmp_path, "broker")
    certificate(tmp_path, "gate")
    certificate(tmp_path, "forged", ca="stranger")
    files = f"cafile {tmp_path}/ca.pem\ncertfile {tmp_path}/broker.pem\nkeyfile {tmp_path}/broker.key\n"
    broker = Mosquitto(tmp_path, extra=f"{files}require_certificate true\nuse_identity_as_username true\n")
    broker.start()
    try:
        for ca, own, mark, words in (
            ("ca", "gate", "ok", "TLSv1."),
            ("stranger", "gate", "FAIL", "its certificate is refused"),
            ("ca", "forged", "FAIL", "no TLS"),
        ):
            mqtt = MqttConfig(
                host="127.0.0.1", port=broker.port, tls=True, ca_file=f"{tmp_path}/{ca}.pem",
                cert_file=f"{tmp_path}/{own}.pem", key_file=f"{tmp_path}/{own}.key",
            )  # fmt: skip
            verdict = check_broker(mqtt)
            assert (verdict.mark, words in verdict.words) == (mark, True), verdict
    finally:
        broker.stop()
