"""TLS with client certificates, and the access lists of docs/broker, against a real mosquitto with just those files."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.config import MqttConfig
from edge.store import StoreInbox
from edge.store.keys import load_or_create_signer
from edge.store.store import Store
from edge.uplink.connection import Link, LinkError, LinkSettings
from edge.uplink.mailbox import Arrived, Connected, Lost, Mailbox, Published, Subscribed
from edge.uplink.mqtt import Uplink
from tests.record.world import FAST
from tests.uplink.brokers import MOSQUITTO, Mosquitto, until

pytestmark = [pytest.mark.broker, pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed")]
ROOT = "ckso/v1/langson"
ACL = Path(__file__).parents[2] / "docs" / "broker" / "mosquitto.acl"


def openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


def certificate(folder: Path, name: str, *, ca: str = "ca") -> None:
    """name.pem and name.key, signed by `ca`, for this machine and for the user `name`."""
    openssl(folder, "req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr",
            "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1")  # fmt: skip
    openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", f"{ca}.pem", "-CAkey", f"{ca}.key", "-CAcreateserial",
            "-copy_extensions", "copy", "-days", "2", "-out", f"{name}.pem")  # fmt: skip


def authority(folder: Path, name: str) -> None:
    openssl(folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", f"{name}.key",
            "-out", f"{name}.pem", "-subj", f"/CN={name}")  # fmt: skip


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificates")
    authority(folder, "ca")
    authority(folder, "stranger")
    for name in ("broker", "centre", "gate-b1", "gate-b2"):
        certificate(folder, name)
    certificate(folder, "forged", ca="stranger")
    return folder


@pytest.fixture
def tls(certificates: Path, tmp_path: Path) -> Iterator[Mosquitto]:
    certs = [
        f"cafile {certificates}/ca.pem",
        f"certfile {certificates}/broker.pem",
        f"keyfile {certificates}/broker.key",
    ]
    rules = ["require_certificate true", "use_identity_as_username true", f"acl_file {ACL}"]
    broker = Mosquitto(tmp_path, extra="\n".join([*certs, *rules, ""]))
    broker.start()
    yield broker
    broker.stop()


class Client:
    """Who it is stands in its certificate."""

    def __init__(self, port: int, folder: Path, name: str, *, ca: str = "ca") -> None:
        self.mailbox = Mailbox()
        settings = LinkSettings(
            "127.0.0.1",
            port,
            f"test-{name}",
            tls=True,
            ca_file=f"{folder}/{ca}.pem",
            cert_file=f"{folder}/{name}.pem",
            key_file=f"{folder}/{name}.key",
        )
        self.link = Link(settings, "5", self.mailbox)
        self.link.open()
        self.got: list[str] = []
        self.refused: list[str] = []
        self.connected = False

    def until(self, kind: type[object]) -> None:
        until(lambda: isinstance(self.pull(), kind), f"{kind.__name__}")

    def pull(self) -> object:
        letter = self.mailbox.take(0.05)
        if isinstance(letter, Arrived):
            self.link.done(letter)
            self.got.append(letter.topic.removeprefix(f"{ROOT}/"))
        self.connected = self.connected or isinstance(letter, Connected)
        if isinstance(letter, Published) and letter.refused:
            self.refused.append(letter.refused)
        return letter

    def joined(self, *topics: str) -> Client:
        self.until(Connected)
        if topics:
            self.link.subscribe([(f"{ROOT}/{topic}", False) for topic in topics])
            self.until(Subscribed)
        return self

    def say(self, topic: str) -> bool:
        """Whether the broker let it through."""
        before = len(self.refused)
        self.link.publish(f"{ROOT}/{topic}", b"{}")
        self.until(Published)
        return len(self.refused) == before


def test_a_gate_may_speak_for_its_own_lanes_only(tls: Mosquitto, certificates: Path) -> None:
    centre = Client(tls.port, certificates, "centre").joined("#")
    gate = Client(tls.port, certificates, "gate-b1").joined()
    for topic in ("event", "evidence/an-event", "status", "echo"):
        assert gate.say(f"b1-in/{topic}")
        assert gate.say(f"b1-out/{topic}")
        assert not gate.say(f"b2-in/{topic}")
    for topic in ("declaration/CKS-1", "watchlist", "b1-in/command", "b1-in/ack", "b2-in/ack"):
        assert not gate.say(topic), "only the centre may"
    until(lambda: bool(centre.pull()) and len(centre.got) >= 8, "the centre got what was let through")
    assert all(topic.startswith("b1-") for topic in centre.got)


def test_a_gate_hears_its_own_lanes_only(tls: Mosquitto, certificates: Path) -> None:
    centre = Client(tls.port, certificates, "centre").joined()
    gate = Client(tls.port, certificates, "gate-b1").joined("#", "b2-in/command")
    for topic in ("b2-in/command", "b2-in/ack", "b2-in/event", "declaration/CKS-1", "watchlist", "b1-in/command"):
        assert centre.say(topic)
    until(lambda: bool(gate.pull()) and "b1-in/command" in gate.got, "its own command arrives last")
    assert sorted(gate.got) == ["b1-in/command", "declaration/CKS-1", "watchlist"]


@pytest.mark.parametrize(("name", "ca"), [("forged", "ca"), ("gate-b1", "stranger")], ids=["gate", "broker"])
def test_a_certificate_of_another_authority_ends_it(tls: Mosquitto, certificates: Path, name: str, ca: str) -> None:
    with pytest.raises(LinkError, match=r"mqtt\.ca_file|hung up") as error:
        _connect_or_hear(Client(tls.port, certificates, name, ca=ca))
    assert error.value.refused


def _connect_or_hear(client: Client) -> None:
    """TLS 1.3: a client hears of a refused certificate only when it reads."""
    until(lambda: isinstance(client.pull(), Connected | Lost), "the broker answers or hangs up")
    raise LinkError("the broker hung up" if not client.connected else "connected", refused=not client.connected)


def test_the_whole_uplink_works_over_tls_with_the_documented_rights(
    tls: Mosquitto, certificates: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "gate"
    signer = load_or_create_signer(folder / "keys")
    store = Store.open(folder, site="langson", lanes=["b1-in", "b1-out"], signer=signer)
    config = MqttConfig(
        host="127.0.0.1",
        port=tls.port,
        tls=True,
        ca_file=f"{certificates}/ca.pem",
        cert_file=f"{certificates}/gate-b1.pem",
        key_file=f"{certificates}/gate-b1.key",
    )
    link = Uplink("langson", config, store, StoreInbox(store, lambda *_: None), lambda lane: {}, pace=FAST)
    with store.transaction("b1-out") as tx:
        tx.event("passage", {})
    centre = Client(tls.port, certificates, "centre").joined("+/event")
    link.start()
    until(lambda: bool(centre.pull()) and "b1-out/event" in centre.got, "the event arrives")
    centre.link.publish(f"{ROOT}/b1-out/ack", b'{"seq": 1}')
    until(lambda: centre.pull() is not None or store.unacknowledged("b1-out").waiting == 0, "the ack is taken")
    until(lambda: store.copy_seen_at() is not None, "the copy is complete: the echo is allowed")
    until(lambda: store.unacknowledged("b1-out").waiting == 0, "acknowledged")
    link.stop()
    store.close()


def test_stand_in_and_kit_reach_the_broker_as_the_docs_set_it_up(
    tls: Mosquitto, certificates: Path, tmp_path: Path
) -> None:
    """Seen: neither could, for want of TLS, certificate and user."""
    door = ["--ca", f"{certificates}/ca.pem", "--cert", f"{certificates}/centre.pem"]
    door += ["--key", f"{certificates}/centre.key"]
    barie = [sys.executable, "-m", "edge", "central", "--site", "langson"]
    line = [*barie, "--broker", f"127.0.0.1:{tls.port}", "--db", str(tmp_path / "c.db"), *door]
    with subprocess.Popen(line, stdout=subprocess.PIPE) as centre:
        assert centre.stdout is not None
        assert b"connected" in centre.stdout.readline()
        threading.Thread(target=centre.stdout.read, daemon=True).start()
        kit = subprocess.run([*barie, "--check", f"127.0.0.1:{tls.port}", *door], capture_output=True, check=False)
        centre.terminate()
    results = [json.loads(line) for line in kit.stdout.splitlines()]
    assert [one for one in results if not one["ok"]] == []
    assert kit.returncode == 0
    assert len(results) > 20


@pytest.mark.parametrize(
    ("door", "said"),
    [
        (["--ca", "nowhere.pem"], "--ca: cannot be used"),
        (["--cert", "a.pem"], "--cert and --key: one is of no use without the other"),
        (["--user", "x", "--password-file", "nowhere"], "cannot be read"),
    ],
)
def test_a_door_that_does_not_open_is_named(door: list[str], said: str) -> None:
    line = [sys.executable, "-m", "edge", "central", "--site", "langson", *door]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_reader_that_leaves_ends_it_without_a_word(tls: Mosquitto, certificates: Path, tmp_path: Path) -> None:
    """Seen: `barie central | head` ended in a traceback."""
    line = f"{sys.executable} -m edge central --site langson --broker 127.0.0.1:{tls.port} --db {tmp_path}/c.db"
    line += f" --ca {certificates}/ca.pem --cert {certificates}/centre.pem --key {certificates}/centre.key | head -1"
    centre = subprocess.Popen(["sh", "-c", line], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    watcher = Client(tls.port, certificates, "gate-b1").joined()
    until(lambda: watcher.say("b1-in/status") and centre.poll() is not None, "ended", 60.0)
    _, error = centre.communicate()
    assert error == b""
