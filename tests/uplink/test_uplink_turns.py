"""The session turn by turn, its link and its clock played: what goes out when, what an acknowledgement moves, what ends
a connection. The window by itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, nullcontext
from pathlib import Path
from typing import Any, cast

import pytest

from edge import clock
from edge.errors import BadMessageError, HalfTakenError, StoreError
from edge.store import Store, StoreInbox
from edge.uplink.connection import Link, LinkError
from edge.uplink.liveness import CentreWatch
from edge.uplink.mailbox import Arrived, Connected, Letter, Lost, Mailbox, Published, Subscribed
from edge.uplink.parts import Pace, Parts
from edge.uplink.session import Session
from edge.uplink.topics import Topics
from edge.uplink.window import RESEND_MAX_S, SHRUNK, Window
from tests.record.world import SITE, open_store, payload, record

TOPICS = Topics(SITE)
BEGAN_S = 1_000.0
PACE = Pace(answer_s=10.0, quiet_s=1.0, status_s=30.0, poll_s=5.0, settle_s=1.0, ack_s=0.2, torn_s=60.0, fresh_s=30.0)


class Letters(Mailbox):
    """A mailbox that never waits: the clock goes on instead."""

    def __init__(self, tick: Callable[[float], None]) -> None:
        super().__init__()
        self._tick = tick

    def take(self, timeout_s: float) -> Letter:
        if not self.waiting:
            self._tick(timeout_s)
            return None
        return self.take_all(1)[0]


class Played:
    """A link and its broker: everything that was published is taken at once, unless it is `silent`."""

    def __init__(self, store: Store, *, in_flight: int = 20, connected: Connected | None = None) -> None:
        self.now_s = BEGAN_S
        self.published: list[tuple[str, bytes, bool]] = []
        self.subscribed: list[list[tuple[str, bool]]] = []
        self.done_with: list[Arrived] = []
        self.said: list[str] = []
        self.commands: list[tuple[str, bytes, bool]] = []
        self.silent, self.refuses, self._mid = False, "", 0
        self.mailbox = Letters(self.later)
        self.store = store
        self.inbox = StoreInbox(store, lambda *one: self.commands.append(one))
        self.parts = Parts(
            TOPICS, store, self.inbox, lambda lane: {"lane": lane}, self.mailbox, PACE, in_flight, 30.0, CentreWatch()
        )
        self.session = Session(cast(Link, self), self.parts, self.said.append)
        self.connected = connected or Connected("")

    def start(self, refused: tuple[str, ...] = ()) -> Played:
        self.mailbox.put(self.connected)
        self.mailbox.put(Subscribed(refused))
        self.session.start(lambda: False)
        return self

    def later(self, seconds: float) -> None:
        self.now_s += seconds

    # ------------------------------------------------------------ as a link

    def subscribe(self, topics: list[tuple[str, bool]]) -> None:
        self.subscribed.append(list(topics))

    def done(self, letter: Arrived) -> None:
        self.done_with.append(letter)

    def gathered(self) -> AbstractContextManager[None]:
        return nullcontext()

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> int:
        self._mid += 1
        self.published.append((topic, payload, retain))
        if not self.silent:
            self.mailbox.put(Published(self._mid, self.refuses if topic.endswith("/event") else ""))
        return self._mid

    # ------------------------------------------------------------ what a test asks

    def turn(self, times: int = 1) -> None:
        for _ in range(times):
            self.session.turn()

    def hear(self, topic: str, said: object, *, retained: bool = False, turns: int = 1) -> None:
        body = said if isinstance(said, bytes) else json.dumps(said).encode()
        self.mailbox.put(Arrived(topic, body, retained, 7, 1))
        self.turn(turns)

    def ack(self, seq: int, lane: str = "b1", **more: Any) -> None:
        self.hear(TOPICS.ack(lane), {"seq": seq, **more})

    def events(self, lane: str = "b1") -> list[int]:
        return [json.loads(one)["seq"] for topic, one, _ in self.published if topic == TOPICS.event(lane)]

    def told(self, lane: str = "b1") -> list[dict[str, Any]]:
        return [json.loads(one) for topic, one, _ in self.published if topic == TOPICS.refused(lane)]

    def statuses(self, lane: str = "b1") -> list[tuple[dict[str, Any], bool]]:
        return [(json.loads(one), keep) for topic, one, keep in self.published if topic == TOPICS.status(lane)]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(open_store(tmp_path / "gate", lanes=("b1", "b2"), keep_acknowledged_s=3600)) as one:
        yield one


@pytest.fixture
def link(store: Store, monkeypatch: pytest.MonkeyPatch) -> Played:
    return playing(store, monkeypatch)


def playing(store: Store, monkeypatch: pytest.MonkeyPatch, connected: Connected | None = None) -> Played:
    made: list[Played] = []
    monkeypatch.setattr(clock, "mono_s", lambda: made[0].now_s if made else BEGAN_S)
    made.append(Played(store, connected=connected))
    return made[0]


# ---------------------------------------------------------------- how it begins


def test_it_subscribes_to_everything_and_then_asks_itself_where_the_end_is(link: Played) -> None:
    link.start()
    assert link.subscribed == [TOPICS.wanted(["b1", "b2"])]
    assert link.published == [(TOPICS.echo("b1"), link.session._copy.echo, False)]
    assert link.session.waiting == 0
    assert link.session.copied is False


@pytest.mark.parametrize(
    ("connected", "words", "unanswered"),
    [
        (Connected("No"), "broker refused: No; check mqtt.username and mqtt.password_file", False),
        (Connected("No", wrong_version=True), "broker refused: No; try mqtt.protocol", True),
    ],
)
def test_a_broker_that_refuses_says_what_a_person_must_change(
    link: Played, connected: Connected, words: str, unanswered: bool
) -> None:
    link.connected = connected
    with pytest.raises(LinkError) as told:
        link.start()
    assert (str(told.value), told.value.refused, told.value.unanswered) == (words, True, unanswered)


def test_a_broker_that_does_not_answer_is_left_in_time_and_may_speak_an_older_version(link: Played) -> None:
    with pytest.raises(LinkError, match="did not answer within 10 s") as told:
        link.session.start(lambda: False)
    assert (told.value.unanswered, told.value.refused) == (True, False)
    assert link.now_s == pytest.approx(1_010.0)


def test_a_subscription_that_is_refused_is_named_but_not_one_that_an_older_broker_does_not_know(link: Played) -> None:
    topics = TOPICS.wanted(["b1", "b2"])
    newer = TOPICS.newer(["b1", "b2"])
    link.start(tuple("Not authorized" if one in newer else "" for one in topics))
    with pytest.raises(LinkError, match=f"the subscription {topics[0][0]}: Not authorized; check its ACL") as told:
        link.start(("Not authorized",))
    assert told.value.refused


def test_it_can_be_stopped_while_it_waits(link: Played) -> None:
    with pytest.raises(LinkError, match="stopped"):
        link.session.start(lambda: True)


def test_what_arrives_before_the_answer_is_dealt_with(link: Played) -> None:
    link.mailbox.put(Lost("gone"))
    with pytest.raises(LinkError, match="connection lost: gone"):
        link.session.start(lambda: False)


# ---------------------------------------------------------------- events go out


def test_no_more_goes_out_than_the_broker_or_the_site_allows(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    record(store, 60)
    for connected, most in ((Connected("", in_flight=8), 8), (Connected("", in_flight=500), 20), (Connected(""), 20)):
        played = playing(store, monkeypatch, connected).start()
        played.silent = True
        for lane in ("b1", "b2"):
            played.session.send_status(lane, online=True)
        played.session._status_due_s = 1e9
        played.turn(3)
        assert played.events() == list(range(1, most - 1)), "two of them are statuses"


def test_events_go_out_in_order_as_the_broker_takes_them(link: Played, store: Store) -> None:
    record(store, 95)
    link.start().turn(30)
    assert link.events() == list(range(1, 96))
    assert link.parts.counts.published == 95
    link.turn(3)
    assert link.events() == list(range(1, 96)), "each once"


def test_a_new_event_goes_out_when_the_store_is_asked_again(link: Played, store: Store) -> None:
    link.start().turn(4)
    record(store, 1, "b2")
    before = link.now_s
    link.turn(8)
    assert link.events("b2") == [1]
    assert link.now_s - before <= 2 * PACE.poll_s


def test_a_store_that_cannot_be_read_is_told_and_ends_nothing(link: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    link.start()

    def broken(*_: object) -> None:
        raise StoreError("the disk is gone")

    monkeypatch.setattr(link.store, "pending", broken)
    monkeypatch.setattr(link.parts, "status", broken)
    link.turn(2)
    assert "the disk is gone" in link.said
    assert link.statuses()[0][0]["health"] == {"store": "the disk is gone"}


def test_events_that_the_broker_refuses_are_said_until_one_is_taken(link: Played, store: Store) -> None:
    record(store, 2)
    link.refuses = "Not authorized"
    link.start().turn(3)
    assert link.said == ["broker refused event: Not authorized; check its ACL and limits"] * 2
    assert (link.parts.counts.broker_refused, link.parts.counts.published) == (2, 0)
    link.mailbox.put(Published(999, "Quota"))
    link.turn()
    assert len(link.said) == 2, "nothing less hides it"
    link.refuses = ""
    record(store, 1)
    link.turn(8)
    assert link.said[-1] == ""


def test_a_broker_that_stops_acknowledging_is_left(link: Played, store: Store) -> None:
    record(store, 1)
    link.start().turn(2)
    link.silent = True
    record(store, 1)
    silent_s = link.now_s
    with pytest.raises(LinkError, match="stopped acknowledging"):
        link.turn(60)
    assert 30.0 < link.now_s - silent_s < 45.0


def test_while_the_copy_runs_what_comes_is_its_sign_of_life(link: Played, store: Store) -> None:
    record(store, 1)
    link.start()
    link.silent = True
    for _ in range(6):
        link.later(20.0)
        link.hear(TOPICS.declaration("CKS-1"), payload("CKS-1"), retained=True)
    assert link.session._copy.running


# ---------------------------------------------------------------- statuses


def test_each_lanes_status_is_kept_by_the_broker_and_renewed(link: Played) -> None:
    link.start().turn(3)
    assert link.statuses() == [({"lane": "b1", "online": True, "lanes": ["b1", "b2"]}, True)]
    while link.now_s < 1_031.0:
        link.turn()
    assert [len(link.statuses(lane)) for lane in ("b1", "b2")] == [2, 2]
    link.session.send_status("b2", online=False)
    assert link.statuses("b2")[-1] == ({"online": False, "lanes": ["b1", "b2"]}, True)


# ---------------------------------------------------------------- acknowledgements


def test_an_acknowledgement_reaches_the_store_a_moment_later_and_together(
    link: Played, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(store, 9)
    link.start().turn(12)
    asked: list[tuple[str, int]] = []
    acknowledge = store.acknowledge

    def noted(lane: str, seq: int) -> int:
        asked.append((lane, seq))
        return acknowledge(lane, seq)

    monkeypatch.setattr(store, "acknowledge", noted)
    for seq in (2, 3, 5):
        link.mailbox.put(Arrived(TOPICS.ack("b1"), json.dumps({"seq": seq}).encode(), False, 1, 1))
    link.turn()
    assert asked == []
    link.turn(2)
    assert asked == [("b1", 5)]
    assert link.parts.counts.acknowledged == 5
    link.ack(9)
    link.turn()
    assert store.unacknowledged("b1").waiting == 0


def test_one_beyond_what_was_sent_goes_to_the_store_at_once(link: Played, store: Store) -> None:
    record(store, 3)
    link.start()
    link.ack(3)
    assert store.unacknowledged("b1").waiting == 0
    link.turn(3)
    assert link.events() == []


def test_a_store_that_cannot_take_an_acknowledgement_is_told(link: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    record(link.store, 1)
    link.start().turn(3)

    def broken(*_: object) -> int:
        raise StoreError("no room")

    monkeypatch.setattr(link.store, "acknowledge", broken)
    link.ack(1)
    link.turn()
    assert link.said == ["no room"]


def test_without_an_answer_of_the_centre_everything_goes_again_after_its_time(link: Played, store: Store) -> None:
    record(store, 3)
    link.start().turn(6)
    while link.now_s < 1_028.0:
        link.turn()
    assert link.events() == [1, 2, 3]
    while link.now_s < 1_036.0:
        link.turn()
    assert link.events() == [1, 2, 3, 1, 2, 3]
    assert link.parts.counts.resent == 3


def test_an_acknowledgement_that_repeats_itself_fills_the_gap(link: Played, store: Store) -> None:
    record(store, 3)
    link.start().turn(6)
    link.ack(1)
    link.later(2.0)
    link.ack(1)
    link.turn(3)
    assert link.events() == [1, 2, 3, 2, 3]
    assert link.parts.counts.resent == 2


def test_a_centre_that_went_back_gets_it_again(link: Played, store: Store) -> None:
    record(store, 4)
    link.start().turn(6)
    link.ack(4)
    link.turn(2)
    for _ in range(2):
        link.later(2.0)
        link.ack(1)
    link.turn(4)
    assert link.events() == [1, 2, 3, 4, 2, 3, 4]
    assert store.unacknowledged("b1").waiting == 3


def test_one_that_is_not_ours_acknowledges_nothing_and_is_told(link: Played, store: Store) -> None:
    record(store, 4)
    link.start().turn(6)
    link.ack(2)
    link.ack(3, hash="0" * 64)
    assert link.session._acks == {}, "what was heard before is not told to the store either"
    assert store.troubles == {"b1/record_forked": "record_forked"}
    (told,) = link.told()
    assert told["topic"] == TOPICS.ack("b1")
    assert "event 3 here is another one" in told["reason"]
    assert store.set_aside_count() == 1
    link.turn(6)
    assert link.events()[4] > 1_000, "and the numbers go on far ahead"


# ---------------------------------------------------------------- what arrives


def test_everything_that_arrives_is_done_with_and_goes_to_its_place(link: Played, store: Store) -> None:
    link.start()
    link.hear(TOPICS.declaration("CKS-1"), payload("CKS-1"))
    link.hear(TOPICS.watchlist, {"plates": [{"plate": "29A-123.45", "reason": "drill"}]})
    link.hear(TOPICS.command("b2"), b"stop", retained=True)
    link.hear("ckso/v1/other/watchlist", b"{}")
    link.hear(TOPICS.command("b9"), b"stop")
    assert len(link.done_with) == 5
    assert store.declaration("CKS-1") is not None
    assert store.watch("29A12345") is not None
    assert link.commands == [("b2", b"stop", True)]
    assert link.parts.counts.set_aside == 2
    assert [one["topic"] for one in link.told()] == ["ckso/v1/other/watchlist", TOPICS.command("b9")]


def test_commands_are_left_to_their_own_connection_while_there_is_one(link: Played) -> None:
    link.start()
    link.parts.commands_apart = True
    link.hear(TOPICS.command("b1"), b"stop")
    assert (link.commands, link.parts.counts.set_aside, len(link.done_with)) == ([], 0, 1)


def test_a_piece_of_a_list_has_its_number(link: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    monkeypatch.setattr(link.inbox, "watchlist", lambda body, piece=0: seen.append(piece))
    link.start()
    link.hear(f"{TOPICS.watchlist}/3", b"{}")
    link.hear(TOPICS.watchlist, b"{}")
    assert seen == [3, 0]


def test_rows_that_were_bad_are_named_fifty_at_most(link: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    def half(*_: object) -> bool:
        raise HalfTakenError("some rows", tuple(f"row {n}" for n in range(70)), True)

    monkeypatch.setattr(link.inbox, "watchlist", half)
    link.start()
    link.hear(TOPICS.watchlist, b"{}")
    (told,) = link.told()
    assert (len(told["rows"]), told["rows_count"], told["not_told"]) == (50, 70, 0)


def test_a_flood_of_bad_messages_is_no_flood_of_answers(link: Played) -> None:
    link.start()
    for _ in range(30):
        link.hear(TOPICS.declaration("x"), b"{")
    assert len(link.told()) == 20
    link.later(0.6)
    link.hear(TOPICS.declaration("x"), b"{")
    assert len(link.told()) == 21
    assert link.told()[-1]["not_told"] == 10
    link.later(60.0)
    for _ in range(25):
        link.hear(TOPICS.declaration("x"), b"{")
    assert len(link.told()) == 41, "a pause earns no more than the first twenty"


def test_a_refusal_goes_to_the_lane_that_it_is_about(link: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    def bad(*_: object) -> None:
        raise BadMessageError("no")

    monkeypatch.setattr(link.inbox, "command", bad)
    link.start()
    link.hear(TOPICS.command("b2"), b"{")
    link.hear(TOPICS.declaration("x"), b"{")
    assert (len(link.told("b2")), len(link.told("b1"))) == (1, 1)


# ---------------------------------------------------------------- the copy


def test_the_copy_is_whole_once_the_echo_is_back_and_nothing_kept_came_for_a_while(link: Played, store: Store) -> None:
    link.start()
    link.hear(TOPICS.declaration("CKS-1"), payload("CKS-1"), retained=True)
    link.hear(TOPICS.watchlist, {"plates": []}, retained=True)
    link.later(30.0)
    link.turn()
    assert not link.session.copied, "the echo is not back"
    link.hear(TOPICS.echo("b1"), b"another")
    link.later(30.0)
    link.turn()
    link.mailbox.put(Arrived(TOPICS.echo("b1"), link.session._copy.echo, False, 8, 1))
    link.hear(TOPICS.declaration("CKS-2"), payload("CKS-2"), retained=True)
    link.later(0.5)
    link.turn()
    copied = [link.session.copied]  # a broker that hands out in the background may not be done
    link.turn(6)
    assert [*copied, link.session.copied] == [False, True]
    assert link.parts.counts.copies == 1
    assert store.copy_age_s() is not None


def test_a_message_that_could_not_be_stored_tears_the_copy_and_all_is_asked_for_again(
    link: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    link.start()
    with monkeypatch.context() as patched:

        def full(*_: object) -> bool:
            raise StoreError("no room")

        patched.setattr(link.inbox, "declaration", full)
        link.hear(TOPICS.declaration("CKS-1"), payload("CKS-1"), retained=True)
    link.hear(TOPICS.echo("b1"), link.session._copy.echo)
    while link.now_s < 1_050.0:
        link.turn()
    assert not link.session.copied
    assert len(link.subscribed) == 1
    while link.now_s < 1_062.0:
        link.turn()
    assert len(link.subscribed) == 2
    assert [topic for topic, *_ in link.published].count(TOPICS.echo("b1")) == 2
    link.hear(TOPICS.watchlist, {"plates": []}, retained=True)
    link.hear(TOPICS.echo("b1"), link.session._copy.echo)
    link.turn(8)
    assert link.session.copied


# ---------------------------------------------------------------- the window by itself


def test_a_new_window_is_as_large_as_it_may_be_and_moves_with_the_first_event() -> None:
    window = Window(5, 10.0)
    assert (window.room(), window.outstanding, window.sent, window.acked) == (5, 0, 0, 0)
    window.published(31, 0.0)
    assert (window.sent, window.acked, window.outstanding, window.room()) == (31, 30, 1, 4)
    for seq in range(32, 40):
        window.published(seq, 0.0)
    assert window.room() == 0


def test_the_wait_doubles_to_its_end_and_begins_anew_with_an_answer() -> None:
    window, now_s, waits = Window(100, 100.0), 0.0, []
    for _ in range(4):
        window.published(1, now_s)
        began_s = now_s
        while not window.overdue(now_s):
            now_s += 1.0
        waits.append(now_s - began_s)
    assert waits == [100.0, 200.0, RESEND_MAX_S, RESEND_MAX_S]
    window.published(1, now_s)
    window.acknowledged(1, now_s, settle_s=1.0)
    window.published(2, now_s)
    assert not window.overdue(now_s + 99.0)
    assert window.overdue(now_s + 100.0)


def test_a_window_grows_again_no_larger_than_it_was() -> None:
    window = Window(70, 10.0)
    window.published(1, 0.0)
    window.overdue(10.0)
    assert window.room() == SHRUNK
    for seq, room in ((1, 40), (2, 70), (3, 70)):
        window.published(seq, 11.0)
        window.acknowledged(seq, 11.0, settle_s=1.0)
        assert window.room() == room


def test_an_acknowledgement_beyond_what_was_sent_moves_both() -> None:
    window = Window(10, 10.0)
    window.published(1, 0.0)
    window.acknowledged(7, 1.0, settle_s=1.0)
    assert (window.sent, window.acked, window.outstanding) == (7, 7, 0)


def test_a_repeat_before_things_have_settled_or_with_nothing_on_its_way_resends_nothing() -> None:
    window = Window(10, 10.0)
    window.published(1, 0.0)
    window.published(2, 5.0)
    window.acknowledged(1, 5.5, settle_s=1.0)
    window.acknowledged(1, 5.9, settle_s=1.0)
    assert (window.sent, window.resent) == (2, 0)
    window.acknowledged(1, 6.0, settle_s=1.0)
    assert (window.sent, window.resent) == (1, 1)
    window.acknowledged(1, 60.0, settle_s=1.0)
    assert window.resent == 1


def test_a_window_that_restarts_forgets_nothing_but_what_is_behind() -> None:
    window = Window(10, 10.0)
    for seq in range(1, 6):
        window.published(seq, 0.0)
    window.overdue(10.0)
    window.restart(3, 20.0)
    assert (window.sent, window.acked, window.resent, window.room()) == (3, 3, 5, 10)
    window.published(4, 20.0)
    assert not window.overdue(29.9)
    assert window.overdue(30.0)
    assert not Window(10, 10.0).overdue(1e9), "nothing is on its way"


def test_a_lower_number_once_is_late_and_twice_is_a_centre_that_lost_its_store() -> None:
    window = Window(10, 10.0)
    window.published(1, 0.0)
    window.acknowledged(1, 0.0, settle_s=1.0)
    assert not window.regressed(0, 1.0, settle_s=1.0)
    assert window.regressed(0, 2.0, settle_s=1.0)
    assert not window.regressed(0, 9.0, settle_s=1.0), "counted anew"
    assert not window.regressed(1, 9.0, settle_s=1.0), "where it is"
