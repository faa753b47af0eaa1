"""The watch list: what holds a plate, however it was typed; nothing of it refused in silence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edge.core.plate import skeleton
from edge.errors import BadMessageError, ConfigError, HalfTakenError
from edge.store import Store
from edge.uplink.topics import Topics
from tests.record.world import SITE, open_store, payload, uplink
from tests.uplink.brokers import Mosquitto, mosquitto, until
from tests.uplink.test_uplink_session import Watcher

__all__ = ["mosquitto"]

TOPICS = Topics(SITE)


@pytest.fixture
def store(tmp_path: Path) -> Any:
    opened = open_store(tmp_path)
    yield opened
    opened.close()


def listed(*plates: str, **more: Any) -> bytes:
    return json.dumps({"plates": [{"plate": one, "reason": "hồ sơ 17"} for one in plates], **more}).encode()


HOLDS = [
    ("29С-123.45", "29C12345"),  # Cyrillic
    ("29MD1-2345", "29MĐ12345"),
    ("l2C-123.45", "12C12345"),
    ("29C-1234S", "29C12345"),
    ("29C-O0123", "29C00123"),
    ("29C-6B823", "29C68823"),
    ("VN-29C-123.45", "29C12345"),
    ("29C-123.45 (xe tải)", "29C12345"),
    ("29C-123.45 xe tải", "29C12345"),
    ("29C-123.45 / 12C-678.90", "12C67890"),
    ("29C 123.45 12C 678.90", "29C12345"),
    ("粵Z1234港", "粤Z1234港"),
    ("粤Z1234", "粤Z1234港"),
    ("桂F1234", "桂F1234挂"),
    ("桂F12345挂", "桂F12345"),
    ("雲A12345", "云A12345"),
    ("２９Ｃ１２３４５", "29C12345"),
]


@pytest.mark.parametrize(("entry", "plate"), HOLDS)
def test_no_spelling_lets_a_listed_truck_by(store: Store, entry: str, plate: str) -> None:
    store.put_watchlist(listed(entry))
    held = store.watch(plate)
    assert held is not None
    assert held.startswith("hồ sơ 17")
    assert (entry in held) == (held != "hồ sơ 17"), "an entry that is only like it is named"


@pytest.mark.parametrize(
    ("entry", "plate"),
    [
        ("29C-123.45", "29C12346"),
        ("29C-1234", "29C12345"),
        ("29C-123.45 (xe tải)", "29H12345"),
        ("桂F12345", "桂A12345"),
    ],
)
def test_another_plate_is_not_held(store: Store, entry: str, plate: str) -> None:
    store.put_watchlist(listed(entry))
    assert store.watch(plate) is None


def test_an_entry_that_fits_no_plate_is_named_and_still_held(store: Store) -> None:
    with pytest.raises(HalfTakenError) as told:
        store.put_watchlist(listed("29C-123.45", "99-99"))
    assert [row.split(":")[0] for row in told.value.rows] == ["entry 1"]
    assert "99-99" not in str(told.value) + "".join(told.value.rows), "plates stay out of logs"
    assert store.watch("29C12345") == "hồ sơ 17"
    assert store.watch_state.rows == 1


def test_good_rows_count_and_bad_ones_are_named(store: Store) -> None:
    rows: list[Any] = [{"plate": f"29C{n:05}", "reason": "r"} for n in range(5)]
    rows[1] = {"plate": "29C99999"}  # no reason: held all the same
    rows[3] = {"reason": "no plate"}
    rows[4] = 7
    with pytest.raises(HalfTakenError) as told:
        store.put_watchlist(json.dumps(rows).encode())
    assert [row.split(":")[0] for row in told.value.rows] == ["plates.1", "plates.3", "plates.4"]
    assert [store.watch(f"29C{n:05}") is not None for n in (0, 2, 99999)] == [True, True, True]


def test_what_a_bad_row_was_to_hold_is_held_by_the_list_before(store: Store) -> None:
    store.put_watchlist(listed("29C-123.45"))
    with pytest.raises(HalfTakenError):
        store.put_watchlist(b'[{"plate": 7, "reason": "r"}, {"plate": "29C-777.77", "reason": "r"}]')
    assert store.watch("29C12345") is not None
    assert store.watch("29C77777") is not None
    store.put_watchlist(listed("29C-777.77"))
    assert store.watch("29C12345") is None


def test_a_list_of_more_than_fourteen_thousand_plates_is_taken(store: Store) -> None:
    rows = [{"plate": f"29C-{n:05}", "reason": "theo dõi " * 9} for n in range(14_001)]
    assert store.put_watchlist(json.dumps({"plates": rows}, ensure_ascii=False).encode())
    assert store.watch("29C14000") is not None


def test_a_list_that_cannot_be_read_leaves_the_copy_old_until_a_good_one_comes(store: Store) -> None:
    store.begin_copy()
    store.put_declaration("CKS-1", payload())
    store.put_watchlist(listed("29C-123.45"))
    assert store.mark_copy_complete() == 0
    seen = store.copy_seen_at()
    store.begin_copy()
    with pytest.raises(BadMessageError):
        store.put_watchlist(b'{"plates": 1}')
    assert store.mark_copy_complete() == 1, "what was removed goes all the same"
    assert store.copy_seen_at() == seen
    assert "watchlist" in store.watch_state.refused
    assert store.watch("29C12345") == "hồ sơ 17", "the one before stands"
    store.put_watchlist(listed("29C-123.45"))
    assert store.watch_state.whole


def test_a_list_that_is_not_shown_again_is_missed(store: Store) -> None:
    store.begin_copy()
    store.put_watchlist(listed("29C-123.45"))
    store.mark_copy_complete()
    store.begin_copy()
    store.put_declaration("CKS-1", payload())
    store.mark_copy_complete()
    assert "did not show" in store.watch_state.refused


def test_a_list_in_pieces_holds_with_the_one_before_until_it_is_whole(store: Store) -> None:
    store.put_watchlist(listed("29C-000.01"))
    store.put_watchlist(listed("29C-000.02", version="v1"), 1)
    assert store.watch_state.whole, "a piece ahead of its contents waits beside the list in force"
    store.put_watchlist(b'{"version": "v1", "pieces": 2}')
    assert store.watch_state.missing == 1
    assert [store.watch(f"29C0000{n}") is not None for n in (1, 2, 3)] == [True, True, False]
    store.put_watchlist(listed("29C-000.03", version="v1"), 2)
    assert store.watch_state.whole
    assert [store.watch(f"29C0000{n}") is not None for n in (1, 2, 3)] == [False, True, True]
    store.put_watchlist(listed("29C-000.04"))
    assert [store.watch(f"29C0000{n}") is not None for n in (1, 2, 3, 4)] == [False, False, False, True]


def test_other_tables_of_look_alikes_are_told_by_key() -> None:
    with pytest.raises(ConfigError) as told:
        skeleton.parse('version = 1\nalike = ["AB", "BC"]\nbefore = []\nshortest = 7\nafter = [1]', "w.toml", bool)
    assert "between" in str(told.value)
    text = 'version = 1\nalike = ["AB", "BC"]\nbefore = []\nshortest = 7\nafter = []\nbetween = ["/"]'
    with pytest.raises(ConfigError, match="stands in two rows"):
        skeleton.parse(text, "w.toml", bool)


def test_the_kept_list_follows_another_table(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    with pytest.raises(HalfTakenError):  # no plate has a W
        store.put_watchlist(listed("29W-123.45"))
    assert store.watch("29V12345") is None
    store.close()
    text = 'version = 1\nalike = ["VW"]\nbefore = []\nshortest = 7\nafter = []\nbetween = ["/"]'
    again = open_store(tmp_path, skeletons=skeleton.parse(text, "w.toml", lambda plate: True))
    assert again.watch("29V12345") is not None
    again.close()


@pytest.mark.broker
def test_the_centre_hears_of_every_refused_and_half_taken_message(mosquitto: Mosquitto, store: Store) -> None:
    watcher = Watcher(mosquitto.port)
    link = uplink(store, mosquitto.port)
    link.start()
    until(link.copied, "the copy is complete")
    watcher.link.publish(TOPICS.watchlist, b"{")
    watcher.link.publish(TOPICS.declaration("CKS-9"), b"[]")
    watcher.link.publish(TOPICS.watchlist, listed("29C-123.45", "xx"))
    told: list[dict[str, Any]] = []

    def all_told() -> bool:
        told[:] = [json.loads(one.payload) for one in watcher.pull() if one.topic == TOPICS.refused("b1")]
        return len(told) >= 3

    until(all_told, "three answers")
    assert [one["topic"] for one in told] == [TOPICS.watchlist, TOPICS.declaration("CKS-9"), TOPICS.watchlist]
    assert [one["rows_count"] for one in told] == [0, 0, 1]
    assert store.refused_declarations() == 1
    assert store.watch("29C12345") is not None
    watcher.link.publish(TOPICS.declaration("CKS-9"), payload("CKS-9"))
    until(lambda: store.refused_declarations() == 0, "a good one mends it")
    link.stop()
    watcher.link.close()
