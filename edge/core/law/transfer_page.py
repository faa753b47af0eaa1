"""The statistical list of hand-over records as a page to print, sign and fax (53/2003, I.5). Pure: HTML text, no
files.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from html import escape

from edge.core.law.transfer import LIST_HEADER

_STYLE = (
    "body{font:12pt serif;margin:2cm}h1{font-size:14pt;text-align:center}table{border-collapse:collapse;width:100%}"
    "th,td{border:1px solid #000;padding:4px;text-align:left;vertical-align:top}p.sign{margin-top:2em;text-align:right}"
    "@page{size:A4 landscape}"
)


def list_page(rows: Sequence[tuple[str, ...]], sent_by: str, received_by: str, since: date, until: date) -> str:
    """One self-contained HTML page for one sending unit, for `since` up to and without `until`; says so where it is
    empty.
    """
    head = "".join(f"<th>{escape(title)}</th>" for title in LIST_HEADER)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    empty = f'<tr><td colspan="{len(LIST_HEADER)}">Không có biên bản nào trong kỳ / No record in this period</td></tr>'
    last = until - timedelta(days=1)
    return (
        '<!doctype html><html lang="vi"><head><meta charset="utf-8"><title>Bảng kê</title>'
        f"<style>{_STYLE}</style></head><body>"
        "<h1>BẢNG KÊ THỐNG KÊ BIÊN BẢN BÀN GIAO<br>Statistical list of hand-over records (53/2003/QĐ-BTC, I.5)</h1>"
        f"<p>Đơn vị nhận / Receiving unit: {escape(received_by)}<br>Nơi gửi / Sent to: {escape(sent_by)}<br>"
        f"Từ / from {since:%d/%m/%Y} đến / to {last:%d/%m/%Y}: {len(rows)}</p>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{body or empty}</tbody></table>"
        '<p class="sign">Ngày … tháng … năm ……<br>(Ký, ghi rõ họ tên)</p></body></html>\n'
    )
