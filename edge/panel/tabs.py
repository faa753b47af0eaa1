"""The pages beside the lane's own, and which rights open each."""

from __future__ import annotations

from edge.panel.sessions import Session
from edge.panel.settings import Panel
from edge.ports import HasOffice

TABS = (
    ("alarms", "/alarms", frozenset[str]()),
    ("history", "/history", frozenset({"history"})),
    ("figures", "/figures", frozenset({"history"})),
    ("expected", "/expected", frozenset({"expected"})),
    ("transfer", "/transfer", frozenset({"transfer_list"})),
    ("handover", "/handover", frozenset({"handover_write", "handover_sign"})),
    ("people", "/people", frozenset({"people"})),
)
"""Each page, its address, and the rights of which any one opens it; none: every role's."""


def tabs(panel: Panel, session: Session) -> list[tuple[str, str]]:
    """(name, address) of what this person may open; nothing where the desk has no office."""
    if not isinstance(panel.desk, HasOffice):
        return []
    held = panel.rights.get(session.person.role, frozenset())
    return [(name, path) for name, path, rights in TABS if not rights or held & rights]
