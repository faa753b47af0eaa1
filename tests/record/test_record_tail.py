"""Rows cut from the end of the record with a tool of one's own, the lane's row left as it was: found, told, nothing
taken twice."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from edge.store import export
from edge.store.keys import load_or_create_signer, public_check
from tests.record.world import SITE, open_store, record

SQLITE = shutil.which("sqlite3")


def cut(path: Path, sql: str) -> None:
    """By the sqlite3 program where there is one, else by another library than the store's own code."""
    if SQLITE:
        subprocess.run([SQLITE, str(path), sql], check=True)
        return
    import sqlite3

    with sqlite3.connect(path) as db:
        db.executescript(sql)
    db.close()


@pytest.mark.parametrize("count", [1, 4, 10])
def test_rows_cut_from_the_tail_are_found_by_verify_and_told_at_the_next_start(tmp_path: Path, count: int) -> None:
    store = open_store(tmp_path)
    record(store, 10)
    lost = [one["event_id"] for one in store.recent("b1", count)]
    store.close()
    cut(tmp_path / "barie.db", f"DELETE FROM event WHERE seq > {10 - count}")  # noqa: S608
    load_or_create_signer(tmp_path / "keys")
    assert public_check(tmp_path / "keys") is not None
    found = export.verify_folder(tmp_path, SITE)
    assert [(one.lane, one.seq) for one in found] == [("b1", 11 - count)]
    assert "rows are missing" in str(found[0])

    again = open_store(tmp_path)
    try:
        record(again, 1)
        seqs = [one["seq"] for one in again.recent("b1", 100)]
        assert not set(seqs) & set(range(11 - count, 11)), "no number is taken twice"
        assert not set(lost) & {one["event_id"] for one in again.recent("b1", 100)}
        told = [one["body"] for one in again.recent("b1", 100) if one["kind"] == "alarm"]
        assert [(one["code"], one["lost_from"], one["lost_to"]) for one in told] == [
            ("record_set_aside", 11 - count, 10)
        ]
        assert again.troubles == {"record": "record_set_aside"}
        assert again.verify() == [], "the new record says its own hole"
    finally:
        again.close()
