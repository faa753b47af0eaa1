"""One typed note for each kind that is kept: what an older release wrote is read, what cannot be read is no nothing."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from edge.agent.lane.notes import BOOM, PAPER, STANDING, KeptSight, Standing
from edge.core.model import PlateText
from edge.errors import StoreError
from edge.store import Store
from firmware_io.safety import Memory

PLATE = PlateText("12C12345", "12C1Z345", 0.97, "VN", "vn_vehicle", "one_line")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path, site="s", lanes=["b1"])


def test_a_note_is_the_same_value_again(store: Store) -> None:
    standing = Standing("p-1", (KeptSight(PLATE, True, "front"),), "CKS-1", 7, "12C12345")
    with closing(store):
        with store.transaction("b1") as tx:
            STANDING.keep(tx, "b1", standing)
            assert STANDING.now(tx, "b1") == standing
        assert STANDING.all(store) == {"b1": standing}
        with store.transaction("b1") as tx:
            STANDING.keep(tx, "b1", None)
        assert STANDING.of(store, "b1") is None


def test_what_an_older_release_wrote_is_read(store: Store) -> None:
    plate = {"text": "12C12345", "raw": "12C12345", "confidence": 0.97}
    old = {"passage": "p-1", "sights": [{"plate": plate, "decided": True}], "declaration": None, "permit": 3}
    with closing(store):
        with store.transaction("b1") as tx:
            tx.keep("standing", "b1", old)
            tx.keep("boom", "b1", {"cause": "a newer one", "is_out": True, "took_s": [4.0]})
        assert STANDING.of(store, "b1") == Standing(
            "p-1", (KeptSight(PlateText("12C12345", "12C12345", 0.97), True),), None, 3
        )
        assert BOOM.of(store, "b1") == Memory("none", True, (4.0,))


def test_a_note_that_cannot_be_read_is_named_and_not_taken_for_nothing(store: Store) -> None:
    with closing(store):
        with store.transaction("b1") as tx:
            tx.keep("paper", "PAPER-1", {"declaration": 7})
        with pytest.raises(StoreError, match=r"note paper PAPER-1: declaration: must be string"):
            PAPER.all(store)
