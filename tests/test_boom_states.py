"""Every reachable state, in the small settings; the larger ones by `python -m tests.boom_states`."""

from __future__ import annotations

import pytest

from firmware_io import safety
from tests import boom_states


@pytest.mark.slow
def test_no_reachable_state_does_harm() -> None:
    states, transitions = boom_states.explore(boom_states.SMALL)
    assert states > 300, "the walk came to an end too soon to have seen the passages"
    assert transitions == states * len(list(boom_states.happenings()))


def test_the_walk_finds_a_gate_that_lowers_onto_something(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safety._Tick, "lower_refusal", lambda self: "")
    with pytest.raises(AssertionError):
        boom_states.explore(boom_states.SMALL)
