"""The history: folded from the record's own events, searched by indexes, gone with its events."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.core.bodies import Looked, LookedAt
from edge.core.record.day_figures import day_figures, quantile
from edge.core.record.dossier import dossier
from edge.core.record.history import PassageRow, Question, fold, matches
from edge.panel.history import midnight_ms
from edge.store import Store, db
from edge.store.history import NAME, History, _write, statement
from tests.lane.world import World

BASE_MS = 1_795_000_000_000


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    one = World(tmp_path)
    yield one
    one.close()


def filled(world: World) -> History:
    history = History(world.folder)
    while history.take_in():
        pass
    return history


def confirmed(world: World) -> None:
    world.declares_ready()
    world.arrives()
    world.run(world.press("confirm"))
    world.passes()


def test_a_confirmed_passage_is_one_row_with_who_pressed_and_how_long_it_waited(world: World) -> None:
    confirmed(world)
    with closing(filled(world)) as history:
        (row,) = history.find(Question()).rows
    assert (row.plates, row.read, row.verdict, row.outcome, row.how) == (
        ("12C12345",),
        "exact",
        "ready",
        "through",
        "confirmed",
    )
    assert (row.people, row.opened, row.lane) == (("BP-0107",), True, "b1-out")
    assert row.wait_ms is not None
    assert row.wait_ms >= 0
    assert row.declaration is not None


def test_an_override_and_a_turning_away_keep_their_reasons(world: World) -> None:
    world.arrives("29A99999")
    world.run(world.press("override", reason="ordered", words="theo lệnh"))
    world.passes()
    world.run(world.notice("arrived"), world.reads("30A11111", track=2))
    world.run(world.press("turn_away", reason="no_declaration"))
    world.run(world.notice("left"))
    with closing(filled(world)) as history:
        away, over = history.find(Question()).rows
    assert (over.how, over.reason, over.outcome, over.verdict) == ("overridden", "ordered", "through", "unknown")
    assert (away.how, away.reason, away.outcome) == ("", "no_declaration", "turned_away")


def test_one_passage_comes_with_its_events_in_order_and_no_others(world: World) -> None:
    confirmed(world)
    world.run(world.notice("arrived"), world.reads("29A99999", track=2))
    world.run(world.press("turn_away", reason="no_declaration"))
    world.run(world.notice("left"))
    with closing(filled(world)) as history:
        row = history.find(Question(plate="12C12345")).rows[0]
        found = history.passage(row.id)
        assert found is not None
        assert history.passage("nobody") is None
    told = dossier(*found)
    codes = [line.code for line in told.lines]
    assert codes[0] == "passage_seen"
    assert {"confirmation", "barrier_opened", "confirmation_through", "passage_ended"} <= set(codes)
    assert [line.seq for line in told.lines] == sorted(line.seq for line in told.lines)
    assert [name for _, name in told.photos] == ["photo", "crop"]
    assert {event["body"]["passage"] for event in found[1]} == {row.id}
    assert told.lines[0].verdict is not None


def test_taking_the_same_event_in_again_changes_nothing(world: World) -> None:
    confirmed(world)
    row: PassageRow | None = None
    events = [event for event in world.events() if event["body"].get("passage")]
    for event in events:
        row = fold(row, event)
        assert fold(row, event) == row
    assert fold(row, {**events[0], "body": {"stage": "level"}}) == row


def test_a_deleted_or_damaged_index_is_made_anew_from_the_record(world: World) -> None:
    confirmed(world)
    with closing(filled(world)) as history:
        before = history.find(Question()).rows
    (world.folder / NAME).write_bytes(b"no database" * 1000)
    with closing(filled(world)) as history:
        assert history.find(Question()).rows == before


def test_an_index_that_is_ahead_of_its_record_is_made_anew(world: World, tmp_path: Path) -> None:
    confirmed(world)
    with closing(filled(world)) as history:
        history._writer.execute("UPDATE done SET seq = 9999")
        while history.take_in():
            pass
        assert len(history.find(Question()).rows) == 1


def test_the_history_ends_where_the_record_does(tmp_path: Path) -> None:
    world = World(tmp_path)
    confirmed(world)
    with closing(filled(world)) as history:
        assert history.forget() == 0
        world.store.acknowledge("b1-out", len(world.events()))
        world.store._keep_ms = 0
        world.store.prune()
        world.store.acknowledge("b1-out", len(world.events()))
        world.store.prune()
        assert history.forget() == 1
        assert history.find(Question()).rows == ()
        assert history.people() == []
    world.close()


def test_looking_something_up_is_no_part_of_the_passage(world: World) -> None:
    confirmed(world)
    with closing(filled(world)) as history:
        row = history.find(Question()).rows[0]
        looked = Looked(what="passage", by="KT", role="auditor", about=LookedAt(looked_at=row.id))
        world.run(world.actor.journal.write(looked))
        while history.take_in():
            pass
        assert history.find(Question()).rows == (row,)


# ---------------------------------------------------------------- many

PLATES = ("12C12345", "12C12346", "29A54321", "桂FA1234", "12MĐ11234")
ROWS = st.builds(
    PassageRow,
    id=st.uuids().map(str),
    lane=st.sampled_from(("b1-out", "b2-in")),
    first_seq=st.just(1),
    last_seq=st.just(2),
    began_ms=st.integers(BASE_MS, BASE_MS + 50),
    boot=st.just("boot"),
    first_mono_ns=st.just(0),
    plates=st.lists(st.sampled_from(PLATES), max_size=2, unique=True).map(tuple),
    verdict=st.sampled_from((None, "ready", "await")),
    outcome=st.sampled_from((None, "through", "left")),
    how=st.sampled_from(("", "confirmed", "overridden")),
    people=st.lists(st.sampled_from(("BP-1", "BP-2")), max_size=2, unique=True).map(tuple),
)
QUESTIONS = st.builds(
    Question,
    plate=st.sampled_from(("", "12C", "345", "12c-123.45", "桂F", "1234", "ZZZ")),
    since_ms=st.one_of(st.none(), st.integers(BASE_MS, BASE_MS + 50)),
    until_ms=st.one_of(st.none(), st.integers(BASE_MS, BASE_MS + 50)),
    lane=st.sampled_from(("", "b1-out")),
    verdict=st.sampled_from(("", "ready")),
    outcome=st.sampled_from(("", "through")),
    how=st.sampled_from(("", "confirmed")),
    person=st.sampled_from(("", "BP-1")),
    before=st.one_of(st.none(), st.tuples(st.integers(BASE_MS, BASE_MS + 50), st.uuids().map(str))),
    limit=st.sampled_from((3, 40)),
)


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[History]:
    store = Store.open(tmp_path, site="demo", lanes=["b1-out", "b2-in"])
    history = History(tmp_path)
    yield history
    history.close()
    store.close()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(ROWS, max_size=12, unique_by=lambda row: row.id), questions=st.lists(QUESTIONS, max_size=6))
def test_the_index_answers_what_the_plain_words_say(
    empty: History, rows: list[PassageRow], questions: list[Question]
) -> None:
    with db.transaction(empty._writer, "filling"):
        empty._writer.execute("DELETE FROM passage")
        for row in rows:
            _write(empty._writer, row)
    for question in questions:
        right = sorted(
            (row for row in rows if matches(question, row)), key=lambda row: (row.began_ms, row.id), reverse=True
        )
        found = empty.find(question)
        assert found.rows == tuple(right[: question.limit])
        assert found.more == (len(right) > question.limit)


@pytest.mark.parametrize(
    "question",
    [
        Question(),
        Question(plate="12C12345"),
        Question(plate="345", person="BP-1"),
        Question(person="BP-1", verdict="ready"),
        Question(verdict="await", since_ms=1, until_ms=2),
        Question(outcome="left"),
        Question(how="overridden"),
        Question(lane="b1-out"),
        Question(before=(5, "x")),
    ],
)
def test_every_question_leads_with_an_index(empty: History, question: Question) -> None:
    sql, values = statement(question)
    plan = [row[3] for row in empty._writer.execute(f"EXPLAIN QUERY PLAN {sql}", values)]
    scans = [step for step in plan if step.startswith("SCAN") and "USING INDEX" not in step and "hit" not in step]
    assert scans == [], plan


def test_who_looks_something_up_keeps_no_decision_waiting(world: World) -> None:
    """A question in the middle of its reading, and an indexing under way: the record is written beside both."""
    confirmed(world)
    with closing(filled(world)) as history, closing(sqlite3.connect(world.folder / NAME)) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM passage").fetchone()[0] == 1
        world.run(world.notice("arrived"), world.reads("29A99999", track=2))
        while history.take_in():
            pass
        assert len(history.find(Question()).rows) == 2
        assert reader.execute("SELECT count(*) FROM passage").fetchone()[0] == 1, "its own snapshot, undisturbed"


# ---------------------------------------------------------------- a day


def row(hour: float, **more: Any) -> PassageRow:
    fields: dict[str, Any] = {"outcome": "through", "read": "exact", "wait_ms": 30_000, **more}
    began_ms = midnight_ms("2026-11-20") + round(hour * 3_600_000)
    return PassageRow(f"p{hour}-{len(json.dumps(more))}", "b1-out", 1, 2, began_ms, "b", 0, **fields)


def test_a_days_figures_are_counted_by_vietnams_hours() -> None:
    rows = [
        row(-0.1),
        row(0.0),
        row(9.5, wait_ms=10_000),
        row(9.7, wait_ms=90_000, read="typed", how="overridden", reason="ordered"),
        row(23.9, outcome="turned_away", reason="no_declaration", wait_ms=None, read="none"),
        row(24.0),
    ]
    told = day_figures(rows, midnight_ms("2026-11-20"))
    assert told.total == 4
    assert (told.through[0], told.through[9], told.others[23]) == (1, 2, 1)
    assert (told.waits_s[9], told.waits_s[5], told.wait_median_s, told.wait_p90_s) == (10.0, None, 30.0, 90.0)
    assert (told.read_rate, told.read_rates[9]) == (0.5, 0.5)
    assert (told.overrides, told.refusals) == ((("ordered", 1),), (("no_declaration", 1),))


@given(st.lists(st.floats(0, 1000), min_size=1).map(sorted), st.floats(0.01, 1.0))
def test_a_quantile_is_the_smallest_value_that_so_many_are_not_above(values: list[float], part: float) -> None:
    found = quantile(values, part)
    assert found in values
    assert sum(value <= found for value in values) >= part * len(values) - 1e-9
    assert all(sum(v <= value for v in values) < part * len(values) + 1e-9 for value in values if value < found)
