"""A province in small: two sites whose gates speak over their own broker, bridged to the centre's; TLS, certificates
and access lists as in docs/broker and docs/fleet.md; two workers on shared subscriptions, PostgreSQL. Every part is
killed in turn. Last line: JSON. `python -m tests.central.province_run [--gates N] [--seconds S] [--throughput N]`"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import random
import re
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from central import database
from central.cluster import Cluster
from edge.config import MqttConfig
from edge.errors import BarieError
from edge.store import Limits, Store, StoreInbox
from edge.store.keys import open_key
from edge.uplink.mqtt import Uplink
from edge.uplink.parts import Pace
from tests.central.centre_world import WorkerProcess
from tests.harness.broker_process import Mosquitto
from tests.harness.faults.world import CentreProcess
from tests.uplink.test_uplink_tls import authority, openssl

DOCS = Path(__file__).parent.parent.parent / "docs"
SITES = ("langson", "huunghi")
PACE = Pace(poll_s=1.0, settle_s=0.5, backoff_min_s=0.2, backoff_max_s=1.0)
SETTLE_S = 300.0
PHOTO_EVERY = 5


def certificate(folder: Path, name: str) -> None:
    """As in docs/broker: the common name is the user name. An elliptic key, because there are hundreds."""
    openssl(folder, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}",
            "-addext", "subjectAltName=IP:127.0.0.1")  # fmt: skip
    openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
            "-copy_extensions", "copy", "-days", "2", "-out", f"{name}.pem")  # fmt: skip


def door(folder: Path, acl: str, name: str) -> str:
    """A broker's configuration as docs/broker/mosquitto.conf has it."""
    path = folder / f"{name}.acl"
    path.write_text(acl)
    return (
        f"cafile {folder}/ca.pem\ncertfile {folder}/broker.pem\nkeyfile {folder}/broker.key\n"
        f"require_certificate true\nuse_identity_as_username true\nacl_file {path}\nmax_packet_size 4000000\n"
    )


def site_acl(site: str, lanes: Sequence[str]) -> str:
    """The block of docs/broker/mosquitto.acl for each gate, and the centre's side is the bridge."""
    text = (DOCS / "broker" / "mosquitto.acl").read_text(encoding="utf-8")
    block = text.split("user gate-b1\n")[1].split("\nuser ")[0]
    own = "\n".join(line for line in block.splitlines() if "b1-out" not in line).replace(
        "ckso/v1/langson", f"ckso/v1/{site}"
    )
    gates = "".join(f"user {lane}\n{own.replace('b1-in', lane)}\n\n" for lane in lanes)
    return f"user bridge\ntopic readwrite ckso/v1/{site}/#\n\n{gates}"


def bridge(folder: Path, site: str, port: int) -> str:
    """The bridge of docs/fleet.md, word for word but for its address and its files."""
    text = (DOCS / "fleet.md").read_text(encoding="utf-8")
    block = re.search(r"```\n(connection centre\n.*?)```", text, re.DOTALL)
    if block is None:
        raise BarieError("docs/fleet.md has no bridge")
    config = block[1].replace("mqtt.centre.example:8883", f"127.0.0.1:{port}").replace("langson/", f"{site}/")
    config = config.replace("/etc/mosquitto/certs/ca.pem", f"{folder}/ca.pem")
    config = re.sub(r"/etc/mosquitto/certs/langson\.", f"{folder}/bridge-{site}.", config)
    return f"{config}remote_clientid bridge-{site}\nrestart_timeout 1\n"


class Gate:
    def __init__(self, folder: Path, certs: Path, site: str, lane: str, port: int) -> None:
        self.site, self.lane = site, lane
        key = open_key(folder / lane / "keys")
        self.public = key.public_hex
        self.store = Store.open(
            folder / lane, site=site, lanes=[lane], signer=key.sign, limits=Limits(reserve_bytes=4096)
        )
        config = MqttConfig(
            host="127.0.0.1", port=port, resend_s=5, tls=True, ca_file=f"{certs}/ca.pem",
            cert_file=f"{certs}/{lane}.pem", key_file=f"{certs}/{lane}.key",
        )  # fmt: skip
        inbox = StoreInbox(self.store, lambda *_: None)
        self.uplink = Uplink(site, config, self.store, inbox, lambda _: {}, pace=PACE)
        self.made, self.photos = 0, set[str]()

    def event(self, draw: random.Random) -> None:
        photos = []
        if self.made % PHOTO_EVERY == 0:
            jpeg = b"\xff\xd8" + draw.randbytes(3_000)
            photos = [self.store.stage_evidence(jpeg)]
            self.photos.add(hashlib.sha256(jpeg).hexdigest())
        with self.store.transaction(self.lane) as tx:
            tx.event("passage", {"number": self.made, "stage": "seen"}, photos=photos)
        self.made += 1
        self.uplink.wake()

    def waiting(self) -> int:
        photos = self.store._read(lambda c: c.execute("SELECT count(*) FROM evidence WHERE sent <> 3").fetchone()[0])
        return int(photos) + self.store.unacknowledged(self.lane).waiting

    def close(self) -> None:
        self.uplink.stop()
        self.store.close()


def run(gates: int, seconds: float, rate: float = 20.0, seed: int = 1) -> dict[str, Any]:
    """Raises BarieError where the centre does not get everything."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, gates * 30 + 400), most))
    draw = random.Random(seed)  # noqa: S311 - a run that can be repeated, no secret
    with tempfile.TemporaryDirectory(prefix="barie-province-") as name, ExitStack() as ends:
        folder = Path(name)
        certs = folder / "certs"
        certs.mkdir()
        authority(certs, "ca")
        lanes = {site: [f"{site}-{number:03d}" for number in range(gates // 2)] for site in SITES}
        for one in ("broker", "centre", *(f"bridge-{site}" for site in SITES), *lanes[SITES[0]], *lanes[SITES[1]]):
            certificate(certs, one)
        cluster = Cluster()
        ends.callback(cluster.close)
        cluster.start()
        acl = "user centre\ntopic readwrite ckso/v1/#\n\n"
        acl += "".join(f"user bridge-{site}\ntopic readwrite ckso/v1/{site}/#\n\n" for site in SITES)
        central = Mosquitto(_made(folder / "central"), extra=door(certs, acl, "central"), autosave=False)
        central.start()
        ends.callback(central.stop)
        brokers = {}
        for site in SITES:
            extra = door(certs, site_acl(site, lanes[site]), site) + bridge(certs, site, central.port)
            brokers[site] = Mosquitto(_made(folder / site), extra=extra, autosave=False)
            brokers[site].start()
            ends.callback(brokers[site].stop)
        more = ["--ca", f"{certs}/ca.pem", "--cert", f"{certs}/centre.pem", "--key", f"{certs}/centre.key"]
        workers = [
            WorkerProcess(cluster.url, f"127.0.0.1:{central.port}", list(SITES), folder / "photos", *more)
            for _ in range(2)
        ]
        for worker in workers:
            ends.callback(worker.kill)
        all_gates = [
            Gate(folder / "gates", certs, site, lane, brokers[site].port) for site in SITES for lane in lanes[site]
        ]
        for gate in all_gates:
            ends.callback(gate.close)
            gate.uplink.start()

        def again(part: Any) -> None:
            part.kill()
            part.start()

        kills: list[tuple[str, Callable[[], None]]] = [
            ("worker 1", lambda: again(workers[0])), ("worker 2", lambda: again(workers[1])),
            ("database", lambda: again(cluster)), ("centre's broker", lambda: again(central)),
            (f"{SITES[0]}'s broker", lambda: again(brokers[SITES[0]])),
        ]  # fmt: skip
        began_s, made = time.monotonic(), 0
        for number, (_, kill) in enumerate(kills, start=1):
            made = _events(all_gates, draw, rate, began_s, made, seconds * number / (len(kills) + 1))
            kill()
        _events(all_gates, draw, rate, began_s, made, seconds)
        ended_s = time.monotonic()
        _settle(all_gates)
        settled_s = time.monotonic() - ended_s
        return {"gates": gates, "rate": rate, "killed": [one for one, _ in kills], "settled_s": round(settled_s, 1),
                **_count(cluster, all_gates, folder / "photos")}  # fmt: skip


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _events(gates: list[Gate], draw: random.Random, rate: float, began_s: float, made: int, until_s: float) -> int:
    """Round robin; how many were made since the beginning."""
    while (past_s := time.monotonic() - began_s) < until_s:
        if made / rate > past_s:
            time.sleep(min(until_s - past_s, made / rate - past_s))
            continue
        gates[made % len(gates)].event(draw)
        made += 1
    return made


def _settle(gates: list[Gate]) -> None:
    until_s = time.monotonic() + SETTLE_S
    while waiting := sum(gate.waiting() for gate in gates):
        if time.monotonic() > until_s:
            raise BarieError(f"the centre does not get everything: {waiting} wait")
        time.sleep(0.3)


def _count(cluster: Cluster, gates: list[Gate], photos: Path) -> dict[str, Any]:
    with database.connect(cluster.url) as db:
        rows = db.execute("SELECT site, lane, seq FROM event").fetchall()
        files = dict(db.execute("SELECT sha256, file FROM photo").fetchall())
        incidents = db.execute("SELECT count(*) FROM incident").fetchall()[0][0]
        aside = db.execute("SELECT count(*) FROM set_aside").fetchall()[0][0]
    expected = {(gate.site, gate.lane, seq) for gate in gates for seq in range(1, gate.made + 1)}
    taken = {digest for gate in gates for digest in gate.photos}
    whole = sum(hashlib.sha256((photos / file).read_bytes()).hexdigest() == digest for digest, file in files.items())
    return {
        "events": len(expected), "events_lost": len(expected - set(rows)), "events_twice": len(rows) - len(set(rows)),
        "strangers": len(set(rows) - expected), "photos": len(taken), "photos_lost": len(taken - set(files)),
        "photos_damaged": len(files) - whole, "incidents": incidents, "set_aside": aside,
    }  # fmt: skip


def throughput(events: int) -> dict[str, float]:
    """Events a second of one backlog, by the stand-in on SQLite, then by one worker on PostgreSQL."""
    found: dict[str, float] = {}
    for kind in ("sqlite", "postgres"):
        with tempfile.TemporaryDirectory(prefix="barie-rate-") as name, ExitStack() as ends:
            folder = Path(name)
            broker = Mosquitto(folder, autosave=False)
            broker.start()
            ends.callback(broker.stop)
            if kind == "sqlite":
                centre: Any = CentreProcess(broker.port, folder / "central.db")
                centre.start()
                site = "faults"
            else:
                cluster = Cluster()
                ends.callback(cluster.close)
                cluster.start()
                site = "langson"
                centre = WorkerProcess(cluster.url, f"127.0.0.1:{broker.port}", [site], folder / "photos")
            ends.callback(centre.kill)
            store = Store.open(folder / "gate", site=site, lanes=["b1"], limits=Limits(reserve_bytes=4096))
            ends.callback(store.close)
            with store.transaction("b1") as tx:
                for number in range(events):
                    tx.event("passage", {"number": number, "plates": [{"text": "12C12345", "confidence": 0.98}]})
            config = MqttConfig(host="127.0.0.1", port=broker.port)
            uplink = Uplink(site, config, store, StoreInbox(store, lambda *_: None), lambda _: {})
            ends.callback(uplink.stop)
            time.sleep(5.0)  # the consumer has subscribed
            began_s = time.monotonic()
            uplink.start()
            while store.unacknowledged("b1").waiting:
                time.sleep(0.02)
            found[f"{kind}_events_per_s"] = round(events / (time.monotonic() - began_s))
    return found


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.central.province_run", description=__doc__)
    parser.add_argument("--gates", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=90.0)
    parser.add_argument("--throughput", type=int, default=0, metavar="EVENTS", help="only this, of so many events")
    args = parser.parse_args(argv)
    logging.disable(logging.ERROR)
    if args.throughput:
        print(json.dumps(throughput(args.throughput)), flush=True)
        return 0
    result = run(args.gates, args.seconds)
    print(json.dumps(result), flush=True)
    bad = ("events_lost", "events_twice", "strangers", "photos_lost", "photos_damaged", "incidents", "set_aside")
    return 0 if not any(result[key] for key in bad) else 1


if __name__ == "__main__":
    sys.exit(main())
