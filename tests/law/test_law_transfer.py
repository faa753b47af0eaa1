"""Goods under customs transfer (53/2003): the five-day statistical list, and what goes at once."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import date, timedelta

from edge.core.alarm.sources import Beside, gate_conditions
from edge.core.law import transfer
from edge.core.law.transfer_page import list_page
from edge.core.model import Transfer
from edge.core.view import BoxView
from tests.law.tools import declared
from tests.panel.views import HEALTHY

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


def test_an_overdue_list_of_the_other_side_is_an_alarm_and_so_is_one_that_we_did_not_send() -> None:
    """53/2003, I.5: every five days; past that the sending unit tells the receiving one."""
    watched = replace(RECORD, record_no="BB-09", monitored=True)
    lists = transfer.five_days([received(RECORD, 20)], [received(RECORD, 20), received(watched, 20)], {})
    day, until = date(2026, 11, 20), lists[0].until
    assert (until - lists[0].since, until > day) == (timedelta(days=5), True)
    assert [(one.way, one.unit, one.records, one.due) for one in lists] == [
        ("received", "HQ-B", ("BB-02",), until),
        ("sent", "HQ-A", ("BB-02",), until),
        ("received", "HQ-B", ("BB-09",), day),  # a monitored lot: at once
    ]
    assert [one.overdue(until) for one in lists] == [False, False, True]
    late = [one for one in lists if one.overdue(until + timedelta(days=1))]
    beside = Beside(BoxView(), late)
    found = [one for one in gate_conditions(HEALTHY, beside, 3600) if one.code.startswith("list_")]
    assert [one.code for one in found] == ["list_overdue", "list_unsent", "list_overdue"]
    assert found[0].about == f"HQ-B, {until:%d/%m/%Y}"
    assert len({one.key for one in found}) == 3
    came = transfer.five_days([], [received(RECORD, 20)], {lists[0].key: transfer.ListMark("HQ-1", "x")})
    assert (came[0].mark is not None, came[0].overdue(date(2027, 1, 1))) == (True, False)


def test_which_records_went_from_here_is_the_sites_to_say() -> None:
    assert not transfer.sent_from(RECORD, None)
    assert transfer.sent_from(replace(RECORD, sent_by="Chi cục  Hữu Nghị"), "chi cục hữu nghị")
    assert not transfer.sent_from(RECORD, "HQ-B")
