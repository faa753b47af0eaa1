"""The reference centre on PostgreSQL: the same kit as every consumer, shared work, keys, poison, what goes down."""

from __future__ import annotations

import hashlib
import json
import threading
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from central import database, registry, report
from central.api import make
from central.store import SiteStore
from edge import clock
from edge.core.record import events
from edge.core.record.events import Anchor
from edge.store.keys import open_key
from edge.uplink.central_store import read_event
from edge.uplink.conformance import check
from edge.uplink.connection import LinkSettings
from edge.uplink.topics import Topics
from tests.central.centre_world import Cluster, Workers, cluster, count, db, seqs
from tests.record.world import SITE, declaration, open_store, record, uplink
from tests.uplink.brokers import Mosquitto, mosquitto, until
from tests.uplink.test_uplink_session import Watcher

__all__ = ["cluster", "db", "mosquitto"]
pytestmark = pytest.mark.broker
TOPICS = Topics(SITE)


def settings(broker: Mosquitto) -> LinkSettings:
    return LinkSettings("127.0.0.1", broker.port, "x")


def made(lane: str, number: int, *, kind: str = "health", body: dict[str, Any] | None = None, sign: Any = None) -> Any:
    """Event `number` of a lane, its chain made anew each time."""
    anchor, payload = Anchor(), b""
    for _ in range(number):
        _, payload = events.seal(
            event_id=clock.new_id(), site=SITE, lane=lane, after=anchor, kind=kind, captured_at=None,
            recorded_at=clock.wall_iso(), boot_id="test", mono_ns=1, clock="synced", body=body or {"n": 1}, sign=sign,
        )  # fmt: skip
        event = json.loads(payload)
        anchor = Anchor(event["seq"], event["hash"])
    return payload


@pytest.mark.parametrize("workers", [1, 2])
def test_it_passes_the_kit_with_one_worker_and_with_two_that_share(
    mosquitto: Mosquitto, cluster: Cluster, db: database.Connection, tmp_path: Path, workers: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("edge.uplink.conformance.SETTLE_S", 0.4)
    centre = Workers(cluster.url, SITE, settings(mosquitto), tmp_path / "photos", workers)
    until(lambda: len(centre.told("connected")) >= workers and bool(centre.told("leads")), "connected", 60.0)
    results = list(check(LinkSettings("127.0.0.1", mosquitto.port, "kit-{random}"), SITE))
    assert [one for one in results if not one.ok] == []
    assert count(db, "SELECT count(*) FROM set_aside") >= 2
    centre.stop()


def test_gates_photos_and_confirmations_through_two_workers(
    mosquitto: Mosquitto, cluster: Cluster, db: database.Connection, tmp_path: Path
) -> None:
    db.execute(
        "INSERT INTO declaration (site, id, payload) VALUES (%s, 'CKS-1', %s)", (SITE, json.dumps(declaration()))
    )
    db.execute("INSERT INTO watch (site, plate, reason) VALUES (%s, '29A-999.99', 'customs hold')", (SITE,))
    centre = Workers(cluster.url, SITE, settings(mosquitto), tmp_path / "photos", 2)
    given = {"step": "b1_out", "authority": "BG", "act": "pass", "at": clock.wall_iso(), "by": "BP-1", "via": "gate"}
    with closing(open_store(tmp_path / "gate", lanes=("b1", "b2"), keep_acknowledged_s=3600)) as store:
        link = uplink(store, mosquitto.port)
        link.start()
        until(lambda: store.declaration("CKS-1") is not None, "the declaration comes from its table", 60.0)
        assert store.watch("29A99999") == "customs hold"
        record(store, 150, "b1")
        photo = store.stage_evidence(b"\xff\xd8 a photo")
        with store.transaction("b2") as tx:
            tx.event("confirmation", {"declaration": "CKS-1", "confirmation": given}, photos=[photo])
        link.wake()
        until(lambda: sum(store.unacknowledged(lane).waiting for lane in ("b1", "b2")) == 0, "acknowledged", 60.0)
        until(lambda: store.next_evidence("b2") is None, "and its photo", 60.0)
        until(lambda: (one := store.declaration("CKS-1")) is not None and one.version == 2, "the next version", 60.0)
        db.execute("UPDATE declaration SET payload = jsonb_set(payload, '{state}', '\"withdrawn\"') WHERE id = 'CKS-1'")
        until(lambda: (one := store.declaration("CKS-1")) is not None and one.state == "withdrawn", "withdrawn", 60.0)
        here = store.declaration("CKS-1")
        assert here is not None
        assert [one.authority for one in here.confirmations] == ["BG"], "the gate's stands in this version, too"
        db.execute("DELETE FROM watch")
        until(lambda: store.watch("29A99999") is None, "the list is empty", 60.0)
        assert link.reach() == "reached"
        link.stop()
    centre.stop()
    assert seqs(db, SITE, "b1") == list(range(1, 151))
    (file,) = [row[0] for row in db.execute("SELECT file FROM photo").fetchall()]
    assert (tmp_path / "photos" / file).read_bytes() == b"\xff\xd8 a photo"
    assert count(db, "SELECT count(*) FROM photo_due") == 0
    assert count(db, "SELECT count(*) FROM incident") == 0


def test_keys_of_the_registry_rotate_and_are_revoked_and_a_stranger_is_set_aside(
    db: database.Connection, tmp_path: Path
) -> None:
    first, second = open_key(tmp_path / "a" / "keys"), open_key(tmp_path / "b" / "keys")
    event = read_event(made("b1", 1, sign=first.sign))
    later = read_event(made("b1", 5, sign=second.sign))
    store = SiteStore(db, SITE)
    assert store.faults(event) == "", "a lane that the registry does not know"
    registry.add(db, SITE, "b1", first.public_hex)
    store.read_registry()
    assert store.faults(event) == ""
    assert store.faults(later) == "signature: by no key of the registry"
    assert "signature" in store.faults(read_event(made("b1", 1)))
    registry.add(db, SITE, "b1", second.public_hex, from_seq=5)
    store.read_registry()
    assert (store.faults(event), store.faults(later)) == ("", "")
    old = read_event(made("b1", 6, sign=first.sign))
    assert store.faults(old) == "signature: by a key that is not for this number"
    assert registry.revoke(db, first.public_hex) == 1
    store.read_registry()
    assert store.faults(event) == "signature: by a key that is revoked"


def test_a_twin_without_the_key_gets_nothing_in_and_the_gate_goes_on(
    mosquitto: Mosquitto, cluster: Cluster, db: database.Connection, tmp_path: Path
) -> None:
    with closing(open_store(tmp_path / "gate", keep_acknowledged_s=3600)) as store:
        registry.add(db, SITE, "b1", open_key(tmp_path / "gate" / "keys").public_hex)
        centre = Workers(cluster.url, SITE, settings(mosquitto), tmp_path / "photos")
        until(lambda: bool(centre.told("leads")), "connected", 60.0)
        forged = made("b1", 1, sign=open_key(tmp_path / "stranger" / "keys").sign)
        watcher = Watcher(mosquitto.port, TOPICS.ack("b1"))
        watcher.link.publish(TOPICS.event("b1"), forged)
        until(lambda: count(db, "SELECT count(*) FROM set_aside") == 1, "set aside", 60.0)
        record(store, 3)
        link = uplink(store, mosquitto.port)
        link.start()
        until(lambda: store.unacknowledged("b1").waiting == 0, "the gate's own", 60.0)
        assert [row[0] for row in db.execute("SELECT signed FROM event").fetchall()] == [True] * 3
        assert [row[:2] for row in db.execute("SELECT kind, seq FROM incident").fetchall()] == [("signature", 1)]
        link.stop()
        watcher.link.close()
        centre.stop()


@pytest.mark.parametrize(
    "odd", ['{"x":"\\u0000"}', '{"x":"\\ud800"}', '{"stage":"\\u0000","declaration":3,"confirmation":{"step":1}}',
            '{"x":1e999999}', '{"lost_from":"a","evidence":[{"id":1}],"photos":"x","photo_ids":7}'],
)  # fmt: skip
def test_a_body_that_the_database_cannot_hold_holds_nothing_up(db: database.Connection, odd: str) -> None:
    payload = made("b1", 1).replace(b'{"n":1}', odd.encode())
    digest = events.raw_hash(payload)
    at = payload.rfind(b',"hash":"') + 9
    payload = payload[:at] + digest.encode() + payload[at + 64 :]
    event = read_event(payload)
    store = SiteStore(db, SITE)
    for expected in ("new", "duplicate"):
        with store.commit():
            store.lock(["b1"])
            assert store.take([(event, payload)]) == [expected]
            assert store.advance("b1").acked == 1
    assert bytes(db.execute("SELECT payload FROM event").fetchall()[0][0]) == payload


def test_two_workers_that_take_the_same_lanes_at_once_end_with_each_event_once(
    cluster: Cluster, db: database.Connection
) -> None:
    """The same batches, in opposite orders, over and over."""
    lanes = [f"b{number}" for number in range(4)]
    chains: list[tuple[Any, bytes]] = []
    for lane in lanes:
        anchor = Anchor()
        for _ in range(40):
            _, payload = events.seal(
                event_id=clock.new_id(), site=SITE, lane=lane, after=anchor, kind="health", captured_at=None,
                recorded_at=clock.wall_iso(), boot_id="t", mono_ns=1, clock="synced", body={}, sign=None,
            )  # fmt: skip
            event = read_event(payload)
            anchor = Anchor(event["seq"], event["hash"])
            chains.append((event, payload))

    def work(batch: list[tuple[Any, bytes]]) -> None:
        with database.connect(cluster.url) as connection:
            store = SiteStore(connection, SITE)
            for first in range(0, len(batch), 10):
                some = batch[first : first + 10]
                with store.commit():
                    store.lock(sorted({event["lane"] for event, _ in some}))
                    store.take(some)
                    for lane in sorted({event["lane"] for event, _ in some}):
                        store.advance(lane)

    batches = (chains, chains[::-1], chains[1::2] + chains[::2])
    threads = [threading.Thread(target=work, args=(batch,)) for batch in batches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(seqs(db, SITE, lane) == list(range(1, 41)) for lane in lanes)
    assert [one.acked for one in SiteStore(db, SITE).acked()] == [40] * 4
    assert count(db, "SELECT count(*) FROM incident") == 0


def test_a_bad_declaration_of_the_platform_is_set_aside_and_the_next_goes_out(
    mosquitto: Mosquitto, cluster: Cluster, db: database.Connection, tmp_path: Path
) -> None:
    for name, payload in (("CKS-1", declaration("CKS-1", vehicles=[])), ("CKS-2", declaration("CKS-2"))):
        db.execute("INSERT INTO declaration (site, id, payload) VALUES (%s, %s, %s)", (SITE, name, json.dumps(payload)))
    watcher = Watcher(mosquitto.port, TOPICS.declarations)
    centre = Workers(cluster.url, SITE, settings(mosquitto), tmp_path / "photos")
    until(lambda: watcher.last(TOPICS.declaration("CKS-2")).get("version") == 1, "the good one", 60.0)
    assert watcher.last(TOPICS.declaration("CKS-1")) == {}
    assert "vehicles" in db.execute("SELECT why FROM set_aside").fetchall()[0][0]
    centre.stop()
    watcher.link.close()


def test_old_months_go_whole_and_a_repeat_of_what_went_is_still_a_repeat(
    db: database.Connection, tmp_path: Path
) -> None:
    payload = made("b1", 1)
    event = read_event(payload)
    database.prepare(db, date(2026, 1, 15))
    store = SiteStore(db, SITE)
    with store.commit():
        store.lock(["b1"])
        store.take([(event, payload)])
        store.advance("b1")
    db.execute("UPDATE event SET received_at = '2026-01-20'")
    file = tmp_path / "2026-01" / "old.jpg"
    file.parent.mkdir()
    file.write_bytes(b"x")
    db.execute(
        "INSERT INTO photo (sha256, site, lane, event_id, file, size, received_at)"
        " VALUES ('x', %s, 'b1', %s, '2026-01/old.jpg', 1, '2026-01-20')",
        (SITE, event["event_id"]),
    )
    assert database.retain(db, tmp_path, date(2026, 4, 1), 3) == []
    gone = database.retain(db, tmp_path, date(2026, 5, 1), 3)
    assert "event_2026_01" in gone
    assert not file.exists()
    assert seqs(db, SITE, "b1") == []
    with store.commit():
        store.lock(["b1"])
        assert store.take([(event, payload)]) == ["duplicate"]
    database.prepare(db, date(2026, 1, 15))


# ---------------------------------------------------------------- what the province sees


def passed(db: database.Connection, lane: str, seq: int, at: str, **body: Any) -> None:
    about = {"stage": "through", "place": "b1", "direction": "out_of_area", "passage": f"p-{lane}-{seq}", **body}
    plate = body.get("plate", "12C12345")
    about["plates"] = [{"text": plate, "country": "VN"}]
    db.execute(
        "INSERT INTO event (site, lane, seq, event_id, kind, stage, recorded_at, signed, body, payload)"
        " VALUES (%s, %s, %s, %s, 'confirmation', 'through', %s, true, %s, '')",
        (SITE, lane, seq, clock.new_id(), at, json.dumps(about)),
    )


def test_the_daily_report_counts_by_gate_direction_and_kind(db: database.Connection) -> None:
    for name, procedure in (("CKS-1", "EX-IN"), ("CKS-2", "IM-IN"), ("CKS-3", "EX-IN")):
        body = {**declaration(name), "procedure": procedure}
        db.execute("INSERT INTO declaration (site, id, payload) VALUES (%s, %s, %s)", (SITE, name, json.dumps(body)))
    at = "2026-11-28T10:00:00+07:00"
    passed(db, "b1", 1, at, declaration="CKS-1", plate="12C11111")
    passed(db, "b1", 2, at, declaration="CKS-1", plate="12C11111", passage="p-b1-1")
    passed(db, "b1", 3, at, declaration="CKS-2", direction="into_area", plate="12C22222")
    passed(db, "b1", 4, at, plate="12C33333")
    passed(db, "b1", 5, "2026-11-29T00:00:01+07:00", declaration="CKS-1")
    day = report.daily(db, date(2026, 11, 28))
    assert [(one.direction, one.kind, one.vehicles) for one in day.counts] == [
        ("into_area", "import", 1), ("out_of_area", "export", 1), ("out_of_area", "undeclared", 1),
    ]  # fmt: skip
    assert (day.waiting, day.inside) == ({SITE: 1}, {SITE: 1})
    lines = report.as_csv(day).splitlines()
    assert lines[0] == "day,site,figure,place,direction,kind,country,vehicles"
    assert f"2026-11-28,{SITE},through,b1,into_area,import,VN,1" in lines
    assert f"2026-11-28,{SITE},inside,,,,,1" in lines


def test_the_read_api_says_what_it_offers_and_the_page_shows_lanes_and_what_waits(
    cluster: Cluster, db: database.Connection, tmp_path: Path
) -> None:
    store = SiteStore(db, SITE)
    payload = made("b1", 1)
    with store.commit():
        store.lock(["b1"])
        store.take([(read_event(payload), payload)])
        store.advance("b1")
    store.status("b1", {"online": True, "unacknowledged": 7, "lanes": ["b1"], "health": {"boom": "closed"}})
    store.incident("b1", "conflict", 3, "<b>another</b>")
    jpeg = b"\xff\xd8 a photo"
    digest = hashlib.sha256(jpeg).hexdigest()
    (tmp_path / "one.jpg").write_bytes(jpeg)
    db.execute(
        "INSERT INTO photo (sha256, site, lane, event_id, file, size) VALUES (%s, %s, 'b1', %s, 'one.jpg', 1)",
        (digest, SITE, clock.new_id()),
    )
    client = TestClient(make(lambda: database.connect(cluster.url), tmp_path, "a long password"))
    assert client.get("/api/lanes").status_code == 401
    client.auth = ("anybody", "a long password")
    (lane,) = client.get("/api/lanes").json()
    assert (lane["online"], lane["queue"], lane["acked"], lane["boom"]) == (True, 7, 1, "closed")
    (event,) = client.get(f"/api/events/{SITE}/b1").json()
    assert event["payload"] == payload.decode()
    assert client.get(f"/api/photos/{digest}").content == jpeg
    assert client.get("/api/photos/..%2fone").status_code in (404, 422)
    assert client.get("/api/waiting").json()["incidents"][0]["kind"] == "conflict"
    page = client.get("/").text
    assert "&lt;b&gt;another" in page
    assert f"<td>{SITE}<td>b1<td>có · yes" in page
    document = client.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    assert {"/api/lanes", "/api/waiting", "/api/daily", "/api/daily.csv"} <= set(document["paths"])
    assert client.get("/api/daily.csv").headers["content-type"].startswith("text/csv")
    store.status("b1", {"online": False, "lanes": ["b1", "b2"]})
    (lane,) = client.get("/api/lanes").json()
    assert (lane["online"], lane["queue"]) == (False, 7), "what it last said of itself stays"
