"""What goes again, and the event that says so: photos by age, by room and because somebody asked; tombstones."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from edge.store import Clocks, Store
from edge.store import declarations as declared
from edge.store.store import DELETED
from tests.record.world import GIVEN, open_store, payload

DAY_MS = 86_400_000
NOON_MS = 1_800_000_000_000


class World:
    """A record whose wall clock a test moves."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.now_ms, self.folder = NOON_MS, folder
        clocks = Clocks(wall_ms=lambda: self.now_ms, mono_ns=lambda: self.now_ms * 10**6, state=lambda: "synced")
        self.store: Store = open_store(folder, clocks=clocks, **{"keep_acknowledged_s": 3_600, **options})

    def photographed(self, passage: str, size: int = 1_000, lane: str = "b1") -> str:
        self.now_ms += 1
        photo = self.store.stage_evidence(bytes(size))
        with self.store.transaction(lane) as tx:
            tx.event("passage", {"passage": passage}, photos=[photo])
        return photo.id

    def told(self) -> list[dict[str, Any]]:
        """Bodies of the events about deletions, the oldest first."""
        bodies = [one["body"] for one in reversed(self.store.recent("b1", 1_000)) if one["kind"] == "login"]
        return [{key: value for key, value in one.items() if key != "stage"} for one in bodies]

    def here(self, *photos: str) -> list[bool]:
        return [self.store.evidence_path(photo) is not None for photo in photos]


def test_a_photo_goes_with_its_event_and_the_next_day_an_event_says_how_many(tmp_path: Path) -> None:
    world = World(tmp_path)
    store = world.store
    old, unsent = world.photographed("p-1"), world.photographed("p-2")
    store.acknowledge("b1", 2)
    store.evidence_sent(old)
    world.now_ms += 2 * 3_600_000
    young = world.photographed("p-3")
    store.prune()
    assert world.here(old, unsent, young) == [True, True, True], "the centre has not said twice that it has them"
    store.acknowledge("b1", 2)
    store.prune()
    assert world.here(old, unsent, young) == [False, True, True], "what the broker has not waits for it"
    assert world.told() == []
    world.now_ms += DAY_MS
    store.prune()
    store.prune()
    day = "2027-01-15"
    assert world.told() == [{"by": "SYS", "day": day, "events": 2, "photos": {"age": 1}, "bytes": 1_000}]
    assert store.notes(DELETED) == {}
    assert store.verify() == []
    store.close()


def test_photos_that_go_for_room_are_told_as_such(tmp_path: Path) -> None:
    world = World(tmp_path, evidence_budget_mb=1)
    photos = [world.photographed(f"p-{number}", 400_000) for number in range(4)]
    world.store.prune()
    world.photographed("p-9", 400_000)
    world.store.prune()
    assert world.here(*photos) == [False, False, False, True]
    world.now_ms += DAY_MS
    world.store.prune()
    (told,) = world.told()
    assert (told["photos"], told["bytes"], told["events"]) == ({"room": 3}, 1_200_000, 0)
    world.store.close()


def test_a_day_in_which_nothing_went_has_no_event(tmp_path: Path) -> None:
    world = World(tmp_path)
    kept = world.photographed("p-1")
    for _ in range(3):
        world.now_ms += DAY_MS
        world.store.prune()
    assert world.told() == []
    assert world.here(kept) == [True]
    world.store.close()


def test_what_somebody_asked_for_goes_and_is_told_with_who_and_why_in_a_chain_that_holds(tmp_path: Path) -> None:
    world = World(tmp_path, lanes=("b1", "b2"))
    store = world.store
    photo, crop = world.photographed("p-1"), world.photographed("p-1")
    other, elsewhere = world.photographed("p-2"), world.photographed("p-1", lane="b2")
    path = store.evidence_path(photo)
    assert store.erase(["p-1"], "BP-0001", "request 12/2026") == [photo, crop, elsewhere]
    assert world.here(photo, crop, other, elsewhere) == [False, False, True, False]
    assert path is not None
    assert not path.exists()
    (told,) = world.told()
    assert told == {
        "by": "BP-0001", "reason": "request 12/2026", "passages": ["p-1"], "photos": {"asked": 2}, "bytes": 2_000,
        "photo_ids": [photo, crop],
    }  # fmt: skip
    assert store.recent("b2", 1)[0]["body"]["photo_ids"] == [elsewhere]
    assert [one["body"].get("evidence") is not None for one in reversed(store.recent("b1"))] == [True] * 3 + [False]
    assert store.verify() == []
    assert store.erase(["p-1"], "BP-0001", "again") == []
    assert len(world.told()) == 1, "where nothing is deleted nothing is told"
    store.close()
    assert open_store(tmp_path, lanes=("b1", "b2")).findings == [], "no photo is missed"


def test_a_photo_that_was_asked_for_is_never_sent_any_more(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.photographed("p-1")
    world.store.acknowledge("b1", 1)
    assert world.store.next_evidence("b1") is not None
    world.store.erase(["p-1"], "BP-0001", "asked")
    assert world.store.next_evidence("b1") is None
    world.store.close()


def test_the_empty_folder_of_a_past_day_goes_too(tmp_path: Path) -> None:
    world = World(tmp_path, evidence_budget_mb=1)
    world.photographed("p-1", 800_000)
    world.now_ms += DAY_MS
    world.photographed("p-2", 800_000)
    world.store.prune()
    assert [path.name for path in (tmp_path / "evidence").iterdir()] == ["2027-01-16"]
    world.store.close()


def test_tombstones_take_little_room_and_confirmations_go_with_them(tmp_path: Path) -> None:
    """A row that only shrank kept its page: 400 days of removed declarations would have been a gigabyte."""
    world = World(tmp_path)
    store = world.store
    goods = [{"name": "x" * 2_500}]
    for number in range(600):
        store.put_declaration(f"CKS-{number}", payload(f"CKS-{number}", goods=goods))
        with store.transaction("b1") as tx:
            tx.confirmation(f"CKS-{number}", GIVEN)
        if number >= 20:
            store.put_declaration(f"CKS-{number - 20}", b"")
    with closing(sqlite3.connect(tmp_path / "barie.db")) as connection:
        (pages,) = connection.execute("SELECT count(*) FROM dbstat WHERE name = 'declaration'").fetchone()
        assert pages < 150
        world.now_ms += 401 * DAY_MS
        store.prune()
        for counts in ("SELECT count(*) FROM declaration", "SELECT count(*) FROM confirmation"):
            assert connection.execute(counts).fetchone() == (20,)
    store.close()


def test_a_tombstone_keeps_its_version_whoever_buried_it(tmp_path: Path) -> None:
    world = World(tmp_path)
    store = world.store
    store.put_watchlist(b"[]")
    for one in ("CKS-1", "CKS-2"):
        store.put_declaration(one, payload(one, 7))
    store.put_declaration("CKS-1", b"")
    store.begin_copy()
    store.put_watchlist(b"[]")
    assert store.mark_copy_complete() == 1
    with closing(sqlite3.connect(tmp_path / "barie.db")) as connection:
        rows = connection.execute("SELECT id, version, state, length(payload), sweep < 0 FROM declaration ORDER BY id")
        assert rows.fetchall() == [("CKS-1", 7, declared.REMOVED, 0, 0), ("CKS-2", 7, declared.REMOVED, 0, 1)]
    assert store.declarations_for_plate("12C12345") == []
    store.close()
