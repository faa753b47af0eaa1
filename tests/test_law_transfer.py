"""Goods under customs transfer (53/2003): the five-day statistical list, and what goes at once."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import date

from edge.core import transfer
from edge.core.model import Transfer
from edge.core.transfer_page import list_page
from tests.law_tools import declared

RECORD = Transfer("BB-02", "2026-11-19", "HQ-A", "HQ-B")


def received(record: Transfer | None, day: int, condition: str = "nguyên trạng") -> transfer.Received:
    declaration = replace(declared("EX-IN", transfer=record), customs_declaration={"number": 7, "date": "2026-11-18"})
    return transfer.Received(declaration, date(2026, 11, day), condition)


def test_the_list_has_what_the_decision_asks_for_one_sender_and_one_period() -> None:
    earlier = replace(RECORD, record_no="BB-01")
    all_of_them = [
        received(RECORD, 20), received(earlier, 21), received(RECORD, 25), received(RECORD, 19),
        received(replace(RECORD, sent_by="HQ-C"), 20), received(None, 20),
    ]  # fmt: skip
    rows = transfer.list_rows(all_of_them, "HQ-A", date(2026, 11, 20), date(2026, 11, 25))
    assert rows == [
        ("1", "BB-01", "2026-11-19", "7", "2026-11-18", "HQ-A", "nguyên trạng"),
        ("2", "BB-02", "2026-11-19", "7", "2026-11-18", "HQ-A", "nguyên trạng"),
    ]
    assert transfer.senders(all_of_them) == ["HQ-A", "HQ-C"]


def test_the_csv_reads_back_and_no_cell_is_a_formula() -> None:
    rows = transfer.list_rows([received(RECORD, 20, '=1+1, "x"\nb')], "HQ-A", date(2026, 11, 20), date(2026, 11, 25))
    read = list(csv.reader(io.StringIO(transfer.list_csv(rows), newline="")))
    assert read[0] == list(transfer.LIST_HEADER)
    assert read[1] == [*rows[0][:-1], '\'=1+1, "x"\nb']


def test_monitored_lots_go_at_once() -> None:
    monitored = received(replace(RECORD, monitored=True), 20)
    assert transfer.at_once([received(RECORD, 20), monitored, received(None, 20)]) == [monitored]


def test_periods_are_five_days_from_the_start_day() -> None:
    start = date(2026, 11, 1)
    assert transfer.period(date(2026, 11, 5), start) == (date(2026, 11, 1), date(2026, 11, 6))
    assert transfer.period(date(2026, 11, 6), start) == (date(2026, 11, 6), date(2026, 11, 11))
    assert transfer.period(date(2026, 10, 31), start) == (date(2026, 10, 27), date(2026, 11, 1))


def test_the_printable_page_has_the_rows_and_escapes_them() -> None:
    since, until = date(2026, 11, 20), date(2026, 11, 25)
    rows = transfer.list_rows([received(RECORD, 20, "<b>rách")], "HQ-A", since, until)
    page = list_page(rows, "HQ-A & co", "HQ-B", since, until)
    assert "&lt;b&gt;rách" in page
    assert "HQ-A &amp; co" in page
    assert "20/11/2026 đến / to 24/11/2026: 1" in page
    assert page.count("<tr>") == 2
    assert "Không có biên bản" in list_page([], "HQ-A", "HQ-B", since, until)
