"""How old the copy is: fresh while the link is up, then by the link, and before it was ever up by the store."""

from __future__ import annotations

import pytest

from edge import clock
from edge.agent.watch.copy_age import NEVER_S, CopyAge


def test_the_age_counts_from_when_the_link_was_last_up(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = [100.0]
    monkeypatch.setattr(clock, "mono_s", lambda: now_s[0])
    age = CopyAge(lambda: 5.0)
    age.link(up=True)
    assert age() is None
    now_s[0] = 130.0
    age.link(up=False)
    assert age() == 30.0


@pytest.mark.parametrize(("stored_s", "said_s"), [(7200.0, 7200.0), (None, NEVER_S)])
def test_before_the_link_was_ever_up_the_store_says_and_never_is_older_than_any_limit(
    stored_s: float | None, said_s: float
) -> None:
    age = CopyAge(lambda: stored_s)
    age.link(up=False)
    assert age() == said_s


def test_with_a_centre_that_tells_the_age_counts_from_its_last_sign_of_life(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen: the centre dead, the broker alive, and the copy's age stood at 0."""
    now_s = [100.0]
    monkeypatch.setattr(clock, "mono_s", lambda: now_s[0])
    age = CopyAge(lambda: 5.0)
    age.link(up=True, heard_s=90.0)
    assert age() is None
    now_s[0] = 130.0
    age.link(up=False, heard_s=90.0)
    assert age() == 40.0
