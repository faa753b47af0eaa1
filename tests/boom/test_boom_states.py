"""Every reachable state, in the small walks; the larger ones by `python -m tests.boom.states`."""

from __future__ import annotations

import pytest

from firmware_io import safety
from tests.boom import states as boom_states


@pytest.mark.slow
@pytest.mark.parametrize("name", boom_states.SMALL)
def test_no_reachable_state_does_harm(name: str) -> None:
    walk = boom_states.SMALL[name]
    states, transitions = boom_states.explore(walk)
    assert states > 300, "the walk came to an end too soon to have seen the passages"
    assert transitions == states * len(list(walk.happenings()))


def test_the_walk_finds_a_gate_that_lowers_onto_something(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safety._Tick, "lower_refusal", lambda self: "")
    with pytest.raises(AssertionError):
        boom_states.explore(boom_states.LARGE["beam and limits"])


def test_the_walk_finds_a_gate_that_opens_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safety._Tick, "end_passage", lambda self: self.rise("permit"))
    with pytest.raises(AssertionError):
        boom_states.explore(boom_states.LARGE["beam and limits"])
