"""One plate over many frames, and when its vote may be trusted. Every plate here is invented."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge.core.model import Box, PlateText
from edge.core.plate.track import TrackRules, Tracks, overlap
from edge.core.plate.vote import Tally, VoteRules


def box(x: float, y: float, width: float = 100, height: float = 30) -> Box:
    return (x, y, x + width, y + height)


def plate(text: str, confidence: float = 0.9, kind: str = "vn_vehicle") -> PlateText:
    return PlateText(text, text, confidence, "VN" if kind != "other" else "unknown", kind)


# ---------------------------------------------------------------- tracks


def test_a_moving_plate_keeps_its_track() -> None:
    tracks, track_id = Tracks().born(box(100, 100), 0.0)
    for step in range(1, 10):
        at = box(100 + 70 * step, 100 + 10 * step)
        assert tracks.match([at], step * 0.24) == [track_id]
        tracks = tracks.seen(track_id, at, step * 0.24, read=False)


def test_two_plates_on_one_bumper_never_swap() -> None:
    tracks, left = Tracks().born(box(100, 100), 0.0)
    tracks, right = tracks.born(box(230, 100), 0.0)
    assert tracks.match([box(240, 104), box(110, 104)], 0.2) == [right, left]


def test_a_far_or_much_larger_plate_is_another_one() -> None:
    tracks, _ = Tracks().born(box(100, 100), 0.0)
    assert tracks.match([box(600, 100)], 0.2) == [None]
    assert tracks.match([box(60, 90, 200, 60)], 0.2) == [None]


def test_gone_only_after_both_time_and_looks() -> None:
    rules = TrackRules(lost_s=0.8, lost_looks=3)
    tracks, track_id = Tracks(rules).born(box(0, 0), 0.0)
    for now_s in (0.1, 0.2, 0.3, 0.4):  # looks enough, but too soon
        tracks, gone = tracks.missed(set(), now_s)
        assert gone == []
    tracks, gone = tracks.missed(set(), 0.9)
    assert gone == [track_id]
    assert not tracks.live

    late, track_id = Tracks(rules).born(box(0, 0), 0.0)
    late, gone = late.missed(set(), 5.0)  # late, but one look only
    assert gone == []


def test_a_track_that_is_seen_again_starts_missing_anew() -> None:
    tracks, track_id = Tracks().born(box(0, 0), 0.0)
    tracks, _ = tracks.missed(set(), 0.5)
    tracks = tracks.seen(track_id, box(5, 0), 1.0, read=True)
    assert tracks.live[track_id].missed == 0
    assert tracks.live[track_id].moved() == 0


def test_ids_are_never_used_again() -> None:
    tracks, first = Tracks().born(box(0, 0), 0.0)
    tracks, second = tracks.without(first).born(box(0, 0), 1.0)
    assert second != first


BOXES = st.lists(
    st.builds(box, st.floats(0, 1000), st.floats(0, 600), st.floats(20, 200), st.floats(10, 90)), max_size=6
)


@given(BOXES, BOXES)
def test_no_track_takes_two_boxes(before: list[Box], after: list[Box]) -> None:
    tracks = Tracks()
    for one in before:
        tracks, _ = tracks.born(one, 0.0)
    found = [i for i in tracks.match(after, 0.3) if i is not None]
    assert len(found) == len(set(found))
    assert set(found) <= set(tracks.live)


@given(BOXES, BOXES)
def test_overlap_is_a_share_of_the_smaller_box(some: list[Box], others: list[Box]) -> None:
    for a in some:
        assert overlap(a, a) > 0.999
        assert all(0 <= overlap(a, b) <= 1.0001 and overlap(a, b) == overlap(b, a) for b in others)


# ---------------------------------------------------------------- votes


def tally(*plates: PlateText, rules: VoteRules | None = None) -> Tally:
    votes = Tally(rules or VoteRules())
    for one in plates:
        votes = votes.add(one, one.raw)
    return votes


def test_no_votes_is_no_decision() -> None:
    assert Tally().leader is None
    assert not Tally().decided


def test_three_equal_sure_readings_decide_and_two_do_not() -> None:
    two = tally(plate("12C12345"), plate("12C12345"))
    assert not two.decided
    three = two.add(plate("12C12345"), "12C12345")
    assert three.decided
    assert three.votes == 3


def test_unsure_readings_never_decide() -> None:
    assert not tally(*[plate("12C12345", 0.5)] * 20).decided


def test_a_rival_without_a_clear_lead_blocks_the_decision() -> None:
    close = tally(*[plate("12C12345")] * 5, *[plate("12C12346")] * 2)
    assert not close.decided
    assert tally(*[plate("12C12345")] * 7, *[plate("12C12346")] * 2).decided


def test_a_text_of_no_pattern_is_never_decided_and_never_leads_a_plate() -> None:
    assert not tally(*[plate("HELLO12", kind="other")] * 9).decided
    leader = tally(*[plate("HELLO12", kind="other")] * 9, plate("12C12345")).leader
    assert leader is not None
    assert leader.text == "12C12345"


def test_corrected_readings_weigh_half() -> None:
    rules = VoteRules(lead=1.5)
    straight = tally(*[plate("12C12346")] * 3, rules=rules)
    for _ in range(4):
        straight = straight.add(plate("12C12345"), "I2C12345")
    leader = straight.leader
    assert leader is not None
    assert leader.text == "12C12346"
    assert straight.decided


@given(st.lists(st.tuples(st.sampled_from(["12C12345", "12C12346", "X"]), st.floats(0, 1)), max_size=30))
def test_a_decision_always_has_its_votes_and_its_lead(reads: list[tuple[str, float]]) -> None:
    votes = tally(*[plate(text, sure, "other" if text == "X" else "vn_vehicle") for text, sure in reads])
    if votes.decided:
        leader = votes.leader
        assert leader is not None
        mine = [sure for text, sure in reads if text == leader.text]
        rival = max(
            sum(s for t, s in reads if t == other) for other in ("12C12345", "12C12346", "X") if other != leader.text
        )
        assert sum(sure >= 0.6 for sure in mine) >= 3
        assert sum(mine) >= 3 * rival - 1e-6
        assert leader.kind != "other"


# ---------------------------------------------------------------- seen whole


def test_a_plate_that_was_not_seen_whole_is_never_decided() -> None:
    """Cut at its right end a five-digit number reads, again and again and surely, as a lawful one of four digits."""
    votes = Tally()
    for _ in range(20):
        votes = votes.add(plate("12C1234", 0.998), "12C1234", whole=False)
    assert votes.leader is not None
    assert votes.leader.text == "12C1234"  # for the guard to compare
    assert (votes.decided, votes.votes, votes.reads) == (False, 0, 20)


def test_what_was_read_of_a_part_never_stands_against_the_whole_plate() -> None:
    votes = Tally()
    for _ in range(20):
        votes = votes.add(plate("12C1234", 0.998), "12C1234", whole=False)
    for _ in range(3):
        votes = votes.add(plate("12C12345", 0.9), "12C12345")
    assert votes.decided
    assert votes.leader is not None
    assert votes.leader.text == "12C12345"


def test_three_readings_of_one_picture_are_one_piece_of_evidence() -> None:
    votes = Tally().add(plate("12C12345"), "12C12345")
    for _ in range(5):
        votes = votes.add(plate("12C12345"), "12C12345", anew=False)
    assert (votes.decided, votes.votes) == (False, 1)
