"""A disk that fills up: photos go first, then the reserve, the guard works on, and what is recorded stays whole. On a
real file system of a few megabytes, where this user may mount one."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.errors import StoreFullError
from edge.store import Limits, Store
from edge.store.room import MB
from tests.record.world import open_store, record

SMALL = Limits(low_bytes=8 * MB, full_bytes=4 * MB, need_bytes=1 * MB, reserve_bytes=4 * MB)
PHOTO = b"\xff\xd8" + bytes(200_000)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """20 MB, all of its own."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", place], capture_output=True, check=False)
    if mount.returncode != 0:
        pytest.skip("this user may not mount a file system")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def open_small(disk: Path) -> Store:
    return open_store(disk / "gate", keep_acknowledged_s=3600, limits=SMALL)


def fill(disk: Path, leave_bytes: int) -> None:
    """Another program's file that takes what room is left, but so much."""
    with (disk / "other").open("ab") as handle:
        while (room := free(disk) - leave_bytes) > 4096:
            handle.write(bytes(min(room, MB)))
            handle.flush()


def free(disk: Path) -> int:
    state = os.statvfs(disk)
    return state.f_bavail * state.f_frsize


def photographed(store: Store) -> str:
    photo = store.stage_evidence(PHOTO)
    with store.transaction("b1") as tx:
        tx.event("passage", {}, photos=[photo])
    return photo.id


def test_the_levels_warn_before_photos_stop_and_photos_stop_before_events(disk: Path) -> None:
    store = open_small(disk)
    assert store.room() == "ok"
    photographed(store)
    fill(disk, 6 * MB)
    assert store.room() == "low"
    photographed(store)
    fill(disk, 2 * MB)
    assert store.room() == "full"
    with pytest.raises(StoreFullError):
        store.stage_evidence(PHOTO)
    record(store, 3)
    assert store.verify() == []
    store.close()


def test_decisions_go_on_from_the_reserve_and_then_fail_in_words_with_the_record_whole(disk: Path) -> None:
    store = open_small(disk)
    fill(disk, 0)
    with pytest.raises(StoreFullError, match="no room"):
        record(store, 100_000)
    kept = store.unacknowledged("b1").waiting
    assert kept > 50, "the reserve holds that many at least"
    assert store.verify() == []
    (disk / "other").unlink()
    record(store, 1)
    assert store.unacknowledged("b1").waiting == kept + 1
    assert store.room() == "ok"
    store.prune()
    assert (disk / "gate" / "reserve").stat().st_size == SMALL.reserve_bytes
    assert store.verify() == []
    store.close()


def test_a_gate_that_starts_on_a_full_disk_lives_from_its_reserve(disk: Path) -> None:
    store = open_small(disk)
    record(store, 5)
    store.close()
    fill(disk, 0)
    store = open_small(disk)
    record(store, 5)
    assert store.room() == "full"
    assert store.unacknowledged("b1").waiting == 10
    store.close()


def test_photos_that_the_centre_has_go_first_and_no_more_than_needed(disk: Path) -> None:
    store = open_small(disk)
    old, young = photographed(store), photographed(store)
    unsent = photographed(store)
    store.evidence_sent(old)
    store.evidence_sent(young)
    fill(disk, SMALL.low_bytes - 100_000)
    store.prune()
    assert [store.evidence_path(one) is not None for one in (old, young, unsent)] == [False, True, True]
    fill(disk, SMALL.full_bytes + 500_000)
    store.prune()
    assert [store.evidence_path(one) is not None for one in (young, unsent)] == [False, True], "low: unsent ones stay"
    fill(disk, SMALL.full_bytes - 100_000)
    store.prune()
    assert store.evidence_path(unsent) is None, "full: even those go"
    assert [event["body"]["photos"][0]["id"] for event in store.recent("b1") if event["kind"] == "alarm"] == [unsent]
    assert store.unacknowledged("b1").waiting == 4
    store.close()
