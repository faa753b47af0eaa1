"""The likeliest text that the plate table allows, from per-character probabilities."""

from __future__ import annotations

from itertools import product
from math import exp, prod

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.core.plate.decode import FAR, decode, likeliest
from edge.core.plate.table import PlateTable
from edge.vision.models import plate_table

ALPHABET = "_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZĐ桂云挂"


@pytest.fixture(scope="module")
def table() -> PlateTable:
    return plate_table()


def slots(
    text: str, also: dict[int, tuple[str, float]] | None = None, sure: float = 0.98, count: int = 12
) -> list[list[float]]:
    """Slots that say `text`; `also` gives place -> (another character, its probability, taken from the first)."""
    rows = []
    for place in range(count):
        mark = text[place] if place < len(text) else "_"
        row = [(1 - sure) / (len(ALPHABET) - 1)] * len(ALPHABET)
        row[ALPHABET.index(mark)] = sure
        if also and place in also:
            other, share = also[place]
            row[ALPHABET.index(other)] += share
            row[ALPHABET.index(mark)] -= share
        rows.append(row)
    return rows


ONE = [0.5] * 12


def test_a_text_that_fits_is_left_as_it_was_seen(table: PlateTable) -> None:
    plate = decode(table, slots("12C12345"), ALPHABET, ONE, "one_line")
    assert (plate.text, plate.raw, plate.country, plate.kind) == ("12C12345", "12C12345", "VN", "vn_vehicle")
    assert plate.confidence == pytest.approx(0.98**12, abs=1e-3)


def test_the_grammar_takes_the_second_best_where_the_best_fits_nothing(table: PlateTable) -> None:
    plate = decode(table, slots("12012345", {2: ("D", 0.3)}), ALPHABET, ONE, "one_line")
    assert (plate.text, plate.raw) == ("12D12345", "12012345")
    assert plate.confidence < 0.5


def test_of_two_texts_that_fit_the_likelier_one_is_given(table: PlateTable) -> None:
    plate = decode(table, slots("桂F0234I", {6: ("1", 0.2), 2: ("8", 0.4)}), ALPHABET, ONE, "one_line")
    assert plate.text == "桂F02341"


def test_a_far_fetched_correction_is_not_made(table: PlateTable) -> None:
    plate = decode(table, slots("XX12345", sure=1 - 1e-12), ALPHABET, ONE, "one_line")
    assert (plate.kind, plate.text, plate.country) == ("other", "XX12345", "unknown")


def test_the_break_of_a_two_line_plate_tells_a_motorcycle_from_a_car(table: PlateTable) -> None:
    bike = decode(table, slots("12B112345"), ALPHABET, [0.3] * 4 + [0.7] * 8, "two_line")
    assert (bike.raw, bike.kind) == ("12B1\n12345", "vn_motorcycle")
    car = decode(table, slots("12B12345"), ALPHABET, [0.3] * 3 + [0.7] * 9, "two_line")
    assert (car.raw, car.kind) == ("12B\n12345", "vn_vehicle")
    same = decode(table, slots("12B12345"), ALPHABET, [0.3] * 4 + [0.7] * 8, "two_line")
    assert (same.text, same.kind) == ("12B12345", "vn_motorcycle")


def test_suffix_barred_d_and_ground_are_kept(table: PlateTable) -> None:
    assert decode(table, slots("桂F1234挂"), ALPHABET, ONE, "two_line").class_code == "15"
    assert decode(table, slots("29MĐ112345"), ALPHABET, ONE, "two_line").text == "29MĐ112345"
    assert decode(table, slots("桂F12345"), ALPHABET, ONE, "one_line", "yellow").class_code == "01"
    assert decode(table, slots("桂F12345"), ALPHABET, ONE, "one_line", "blue").class_code == "02"


def test_an_empty_plate_is_an_empty_text_of_no_kind(table: PlateTable) -> None:
    plate = decode(table, slots(""), ALPHABET, ONE, "one_line")
    assert (plate.text, plate.kind) == ("", "other")


probability = st.floats(0.01, 1.0)
small = st.lists(st.lists(probability, min_size=3, max_size=3), min_size=1, max_size=4)


@given(small)
@settings(max_examples=60, deadline=None)
def test_the_search_gives_every_choice_once_and_the_likeliest_first(rows: list[list[float]]) -> None:
    found = list(likeliest(rows))
    assert sorted(choice for _, choice in found) == sorted(product(range(3), repeat=len(rows)))
    values = [prod(row[i] for row, i in zip(rows, choice, strict=True)) for _, choice in found]
    best = max(values)
    for (relative, _), value, following in zip(found, values, [*values[1:], 0.0], strict=True):
        assert value >= following * (1 - 1e-9)
        assert exp(relative) == pytest.approx(value / best, rel=1e-6)


def test_the_floor_is_far_below_an_honest_doubt() -> None:
    assert exp(FAR) < 1e-3
