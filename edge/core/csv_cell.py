"""Text of others in a CSV file that a spreadsheet opens: never the beginning of a formula (OWASP, "CSV injection")."""

from __future__ import annotations

import unicodedata

FORMULA = frozenset("=+-@|%")
"""A formula's first character, in every spreadsheet that is in use; full-width ones are folded to these (NFKC)."""


def plain(cell: str) -> str:
    """The cell with an apostrophe before it where a spreadsheet might take it for a formula. What it skips before one
    is looked through: blanks, control and format characters, a byte order mark; so is its own apostrophe or quote."""
    for letter in cell:
        folded = unicodedata.normalize("NFKC", letter)[:1]
        if folded in FORMULA or letter in "\t\r\n":
            return f"'{cell}"
        if not (folded.isspace() or letter in "\"'" or unicodedata.category(letter) in ("Cc", "Cf", "Zs", "Zl", "Zp")):
            break
    return cell
