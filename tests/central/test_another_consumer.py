"""A consumer in another language, written from the docs alone, on a library that is not ours (mqtt.js): it verifies
chain and signature, and passes the kit."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from edge.store.keys import open_key
from edge.uplink.conformance import check
from edge.uplink.connection import LinkSettings
from tests.record.world import SITE, open_store, record, uplink
from tests.uplink.brokers import Mosquitto, mosquitto, until
from tests.uplink.test_uplink_session import Watcher

__all__ = ["mosquitto"]
pytestmark = pytest.mark.broker
CONSUMER = Path(__file__).parent / "consumer.mjs"
NODE = shutil.which("node")
ENVIRONMENT = {**os.environ, "NODE_PATH": "/usr/share/nodejs"}


def has_mqtt() -> bool:
    if NODE is None:
        return False
    asked = subprocess.run([NODE, "-e", "require('mqtt')"], env=ENVIRONMENT, capture_output=True, check=False)
    return asked.returncode == 0


class Consumer:
    def __init__(self, port: int, folder: Path, keys: dict[str, str] | None = None) -> None:
        assert NODE is not None
        folder.mkdir(exist_ok=True)
        line = [NODE, str(CONSUMER), f"mqtt://127.0.0.1:{port}", SITE, str(folder)]
        if keys is not None:
            (folder / "keys.json").write_text(json.dumps(keys))
            line.append(str(folder / "keys.json"))
        self.process = subprocess.Popen(line, stdout=subprocess.PIPE, env=ENVIRONMENT)
        self.said: list[dict[str, Any]] = []
        threading.Thread(target=self._listen, daemon=True).start()
        until(lambda: any("connected" in one for one in self.said), "connected", 60.0)

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(json.loads(line))

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture(autouse=True)
def _node() -> None:
    if not has_mqtt():
        if os.environ.get("BARIE_REQUIRE_NODE_MQTT"):
            pytest.fail("node or its mqtt package is not installed")
        pytest.skip("node or its mqtt package is not installed")


def test_it_passes_the_kit(mosquitto: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.uplink.conformance.SETTLE_S", 0.3)
    consumers = [Consumer(mosquitto.port, tmp_path / "store")]

    def restart() -> None:
        consumers[-1].kill()
        consumers.append(Consumer(mosquitto.port, tmp_path / "store"))

    results = list(check(LinkSettings("127.0.0.1", mosquitto.port, "kit-{random}"), SITE, restart=restart))
    assert [one for one in results if not one.ok] == []
    assert len(results) > 20
    consumers[-1].kill()


def test_it_verifies_chain_and_signature_of_a_real_gate_and_takes_nothing_of_a_stranger(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    with closing(open_store(tmp_path / "gate", keep_acknowledged_s=3600)) as store:
        keys = {"b1": open_key(tmp_path / "gate" / "keys").public_hex}
        consumer = Consumer(mosquitto.port, tmp_path / "store", keys)
        record(store, 30)
        jpeg = b"\xff\xd8 a photo"
        photo = store.stage_evidence(jpeg)
        with store.transaction("b1") as tx:
            tx.event("passage", {"words": "Lạng Sơn 桂"}, photos=[photo])
        stranger = open_store(tmp_path / "stranger")
        record(stranger, 1)
        watcher = Watcher(mosquitto.port, f"ckso/v1/{SITE}/b1/ack")
        watcher.link.publish(f"ckso/v1/{SITE}/b1/event", stranger.pending("b1", 0, 1)[0].payload)
        until(lambda: any("not signed" in one.get("why", "") for one in consumer.said), "the stranger is refused")
        link = uplink(store, mosquitto.port)
        link.start()
        until(lambda: store.unacknowledged("b1").waiting == 0, "acknowledged", 60.0)
        until(lambda: store.next_evidence("b1") is None, "and its photo", 60.0)
        assert link.reach() == "reached"
        consumer.kill()
        until(lambda: link.state()[0] == "broker", "its last will is heard", 60.0)
        lines = (tmp_path / "store" / "b1.jsonl").read_bytes().splitlines()
        assert [json.loads(line)["seq"] for line in lines] == list(range(1, 32))
        assert (tmp_path / "store" / "photos" / f"{hashlib.sha256(jpeg).hexdigest()}.jpg").read_bytes() == jpeg
        link.stop()
        watcher.link.close()
        stranger.close()
