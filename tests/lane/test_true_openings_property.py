"""No permit without a press for this vehicle, or every condition of the automatic gate.

A model of the world stands beside the real lane: who is on the loop, what cameras and people have said of him, what is
declared and withdrawn, what the devices do. It is kept from the steps alone, not from the lane's own words; after every
step, each permit that the lane gave must be one that the model allows, and each confirmation must name its vehicle.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from edge import clock
from edge.config import LawConfig, YardConfig
from edge.core.model import Declaration, Vehicle
from tests.lane.test_agent_ways import form
from tests.lane.world import World

A, B, C, X, W = "12C12345", "29H12345", "15C67890", "30F11111", "34C22222"
"""A alone on a declaration, B and C together on one, X on none, W declared and on the watch list."""
VEHICLES = (A, B, C, X, W)
DECLARED = {A: "CKS-1", B: "CKS-2", C: "CKS-2", W: "CKS-4"}
MISREAD = "12C12346"

PRESSES = ("confirm", "confirm_checked", "override", "emergency", "type", "pick_declaration", "pick_vehicle", "paper")
HAPPENINGS = (
    "arrive", "read", "read", "unsure", "bystander", "back_off", "leave_view", "through", "refused", "withdraw",
    "link_lost", "link_back", "cameras_lost", "cameras_back", "hold", "unhold", "later", "restart",
)  # fmt: skip
Step = tuple[str, str]
STEPS = st.tuples(
    st.sampled_from([("arrive", A), ("arrive", B), ("arrive", X), ("bystander", X)]),
    st.lists(st.tuples(st.sampled_from((*PRESSES, *HAPPENINGS)), st.sampled_from(VEHICLES)), min_size=2, max_size=9),
).map(lambda pair: [pair[0], *pair[1]])
"""Somebody comes, and then anything."""
BY_HAND: tuple[list[Step], ...] = (
    [("arrive", A), ("bystander", X), ("read", A), ("later", A)],
    [("arrive", X), ("cameras_lost", X), ("cameras_back", X), ("read", X), ("cameras_lost", X), ("later", X)],
    [("arrive", B), ("later", B), ("paper", B), ("pick_vehicle", B), ("confirm", B), ("refused", B), ("back_off", B),
     ("leave_view", B), ("arrive", C), ("read", C), ("later", C)],
    [("arrive", B), ("later", B), ("pick_declaration", B), ("confirm", B), ("override", B), ("through", B),
     ("arrive", C), ("read", C), ("confirm", C)],
    [("arrive", A), ("unsure", A), ("type", B), ("unsure", A), ("later", A), ("confirm", A)],
    [("arrive", X), ("read", X), ("type", A), ("later", A), ("confirm", A)],
    [("arrive", A), ("hold", A), ("read", A), ("withdraw", A), ("unhold", A), ("later", A)],
    [("arrive", W), ("read", W), ("emergency", W), ("confirm", W), ("unhold", W), ("later", W)],
    [("arrive", A), ("read", A), ("back_off", A), ("arrive", A), ("later", A), ("confirm", A), ("restart", A),
     ("later", A)],
)  # fmt: skip
"""What a search would take long to find."""


@dataclass
class Model:
    """What is so in the world. `sure`: plates that a camera read surely in this passage, `any`: whether anything was
    read of it; `named`: what a person typed or chose for it; `opened`: vehicles that the system opened for."""

    standing: str | None = None
    in_view: str | None = None
    sure: set[str] = field(default_factory=set)
    unsure: bool = False
    named: str | None = None
    over_sure: bool = False
    withdrawn: set[str] = field(default_factory=set)
    old: bool = False
    cameras: bool = True
    held: bool = False
    emergency: bool = False
    permit: bool = False
    refused: int = 0
    opened: set[str] = field(default_factory=set)
    passed: set[str] = field(default_factory=set)
    pressed: set[str] = field(default_factory=set)

    def fresh(self) -> None:
        """A passage of its own begins: what was said of the one before counts no more."""
        self.named, self.over_sure, self.unsure, self.sure, self.permit, self.refused = (
            None,
            False,
            False,
            set(),
            False,
            0,
        )

    def by_itself(self, gate: str, *, smart: bool) -> bool:
        """Every condition of the automatic gate."""
        if self.standing is None or self.held or self.emergency or self.permit:
            return False
        if gate == "yard_in" and not self.cameras and not self.sure and not self.unsure and self.named is None:
            return True  # Art. 23.2
        who = self.named or next(iter(self.sure), None)
        if who is None or who not in DECLARED or DECLARED[who] in self.withdrawn or who in self.passed or who == W:
            return False
        if self.sure - {who} or (self.named is not None and (gate != "yard_in" or self.over_sure)):
            return False
        if who in self.opened and not 0 < self.refused <= 3:
            return False
        return who in self.pressed or (smart and not self.old) or gate == "yard_in"


class Play:
    """The same step in the world of the model and at the real lane."""

    def __init__(self, world: World, pass_time: Callable[[float], None]) -> None:
        self.world, self.model, self.pass_time = world, Model(), pass_time
        self.tracks = iter(range(1, 10_000))
        self.track = 0
        self.version = 1
        for declaration in DECLARED.values():
            self.declare(declaration, "active")

    def declare(self, id: str, state: str) -> None:
        vehicles = tuple(Vehicle("vehicle", plate, "VN") for plate, of in DECLARED.items() if of == id)
        self.version += 1
        declaration: Declaration = self.world.declares_ready(
            "EX-IN", vehicles[0].plate, vehicles=vehicles, declaration_id=id, state=state, version=self.version
        )
        assert declaration.id == id

    # ------------------------------------------------------------ one step

    def step(self, name: str, vehicle: str) -> None:
        before = len(self.world.barrier.offers)
        allowed_before = self.model.by_itself(self.world.gate, smart=self.world.smart)
        pressed = getattr(self, name)(vehicle)
        allowed = allowed_before or self.model.by_itself(self.world.gate, smart=self.world.smart)
        new = len(self.world.barrier.offers) - before
        assert new <= 1, f"{new} permits at once by {name}"
        if new and not pressed:
            assert allowed, f"{name} {vehicle} opened by itself: {self.model}"
            self.model.opened |= {self.model.named or next(iter(self.model.sure), "")} - {""}
        if new:
            self.model.permit = not self.world.barrier.offers[-1].emergency
        self.confirmations()

    def confirmations(self) -> None:
        """None of this gate's own is of nobody."""
        given = [event["body"]["confirmation"] for event in self.world.events("confirmation")]
        assert all(one.get("plate") in VEHICLES for one in given), given

    # ------------------------------------------------------------ presses: True where it may open

    def confirm(self, vehicle: str, value: str = "") -> bool:
        model, passage = self.model, self.world.actor.lane.passage
        answer = self.world.run(self.world.press("confirm", value=value))
        if not answer.done:
            return False
        event = self.world.events("confirmation")[-1]["body"]
        assert passage is not None
        assert event["passage"] == passage.id
        assert not model.held
        assert not model.emergency
        mine = event["who"]["vehicle"]
        assert len(mine) == 1, "a press names its vehicle"
        assert W not in mine
        if model.named is not None:
            assert mine == [model.named], "the vehicle that the guard named"
        elif model.sure & set(DECLARED):
            assert mine[0] in model.sure, "the vehicle that was read"
        of = DECLARED.get(mine[0])
        assert event["declaration"].startswith("PAPER-") or (of == event["declaration"] and of not in model.withdrawn)
        assert mine[0] not in model.passed
        model.pressed.add(mine[0])
        model.opened.add(mine[0])
        return True

    def confirm_checked(self, vehicle: str) -> bool:
        return self.confirm(vehicle, "checked")

    def override(self, vehicle: str) -> bool:
        return self.world.run(self.world.press("override", reason="other", words="lệnh miệng")).done

    def emergency(self, vehicle: str) -> bool:
        done = self.world.run(self.world.press("emergency_open", reason="people")).done
        if done:
            self.model.emergency = True
            self.world.barrier.now = replace(self.world.barrier.now, boom="open", cause="emergency")
        return done

    def type(self, vehicle: str) -> bool:
        over = bool(self.model.sure - {vehicle})
        if self.model.standing is None and self.world.actor.lane.passage is None:
            return False
        if over:
            alone = self.world.run(self.world.press("type_plate", value=vehicle))
            assert not alone.done, "a text over a sure reading asks once more"
        self.say(vehicle, over_sure=over)
        done = self.world.run(self.world.press("type_plate", value=vehicle, reason="over_sure" if over else "")).done
        if not done:
            self.unsay()
        return False

    def say(self, vehicle: str, *, over_sure: bool = False) -> None:
        self._was = self.model.named, self.model.over_sure
        self.model.named, self.model.over_sure = vehicle, over_sure

    def unsay(self) -> None:
        self.model.named, self.model.over_sure = self._was

    def pick_declaration(self, vehicle: str) -> bool:
        """Names no vehicle where there are several; here only ones that have several, or undo nothing that was read."""
        if vehicle not in DECLARED or self.model.sure or self.model.named is not None:
            return False
        single = vehicle not in (B, C)
        if single:
            self.say(vehicle)
        done = self.world.run(self.world.press("pick_declaration", value=DECLARED[vehicle])).done
        if single and not done:
            self.unsay()
        return False

    def pick_vehicle(self, vehicle: str) -> bool:
        shown = self.world.actor.shown.assessment
        if shown is None or shown.declaration is None:
            return False
        on_paper = shown.declaration.id.startswith("PAPER-") and vehicle in (B, C)
        if not on_paper and DECLARED.get(vehicle) != shown.declaration.id:
            return False
        if self.model.named is not None and self.model.named not in (B, C):
            return False
        self.say(vehicle, over_sure=bool(self.model.sure - {vehicle}))
        if not self.world.run(self.world.press("pick_vehicle", value=vehicle)).done:
            self.unsay()
        return False

    def paper(self, vehicle: str) -> bool:
        """B and C on one paper form, before anything was read."""
        if self.model.standing is None or self.model.sure or self.model.named is not None or self.model.unsure:
            return False
        self.world.link = "down"
        self.world.run(self.world.press("paper_mode", passage=None, value="on", reason="link"))
        one = form()["vehicles"][0]
        written = form(vehicles=[{**one, "plate": B}, {**one, "plate": C, "container": "", "seal": ""}])
        value = json.dumps({"form": written, "procedure": "EX-IN", "requires": {"fee": False}})
        self.world.run(self.world.press("paper_form", value=value))
        return False

    # ------------------------------------------------------------ what happens

    def arrive(self, vehicle: str) -> bool:
        model = self.model
        if model.standing is None:
            back = model.in_view == vehicle
            seen = set(model.sure) if back else set()
            unsure = model.unsure and back
            if not back:
                self.leave_view(vehicle)
                self.track = next(self.tracks)
            model.fresh()
            model.standing = model.in_view = vehicle
            model.sure, model.unsure = seen, unsure
            self.world.barrier.now = replace(self.world.barrier.now, inputs={"presence": True})
            # Where it stayed in view its camera says so, and the lane may know it again; it need not.
            self.world.run(self.world.tracks(self.track), self.world.notice("arrived"))
        return False

    def read(self, vehicle: str) -> bool:
        if self.model.standing is not None and self.model.cameras:
            self.model.sure.add(self.model.standing)
            self.world.run(self.world.reads(self.model.standing, track=self.track))
        return False

    def unsure(self, vehicle: str) -> bool:
        if self.model.standing is not None and self.model.cameras:
            self.model.unsure = True
            self.world.run(self.world.reads(MISREAD, decided=False, track=self.track))
        return False

    def bystander(self, vehicle: str) -> bool:
        if self.model.standing is not None and self.model.cameras:
            self.model.sure.add(vehicle)
            self.world.run(self.world.reads(vehicle, track=next(self.tracks)))
        return False

    def back_off(self, vehicle: str) -> bool:
        if self.model.standing is not None and not self.model.permit:
            self.model.standing = None
            self.model.sure &= {self.model.in_view or ""}
            self.world.barrier.now = replace(self.world.barrier.now, inputs={"presence": False})
            self.world.run(self.world.notice("left"))
        return False

    def leave_view(self, vehicle: str) -> bool:
        if self.model.standing is None:
            self.model.in_view = None
            self.model.fresh()
            self.world.run(self.world.tracks())
        return False

    def through(self, vehicle: str) -> bool:
        model = self.model
        if model.standing is not None and model.permit:
            known = model.named or next(iter(model.sure), None)
            self.world.passes()
            if known is not None:
                model.passed.add(known)
            model.standing = model.in_view = None
            model.fresh()
            self.world.run(self.world.tracks())
        return False

    def refused(self, vehicle: str) -> bool:
        if self.model.permit:
            self.model.permit = False
            self.model.refused += 1
            self.world.run(self.world.notice("permit_refused", "lane_not_clear"))
            self.world.run(self.world.tick())
        return False

    def withdraw(self, vehicle: str) -> bool:
        if vehicle in DECLARED:
            self.model.withdrawn.add(DECLARED[vehicle])
            self.declare(DECLARED[vehicle], "withdrawn")
            self.world.run(self.world.copy_changed())
        return False

    def link_lost(self, vehicle: str) -> bool:
        self.model.old = True
        self.world.age_s, self.world.link = 7200.0, "down"
        self.world.run(self.world.tick())
        return False

    def link_back(self, vehicle: str) -> bool:
        self.model.old = False
        self.world.age_s, self.world.link = None, "up"
        self.world.run(self.world.copy_changed())
        return False

    def cameras_lost(self, vehicle: str) -> bool:
        self.model.cameras = False
        self.world.failed = lambda: True
        self.world.run(self.world.tick())
        return False

    def cameras_back(self, vehicle: str) -> bool:
        self.model.cameras = True
        self.world.failed = lambda: False
        self.world.run(self.world.tick())
        return False

    def hold(self, vehicle: str) -> bool:
        self.model.held = True
        self.world.run(self.world.press("hold", passage=None))
        return False

    def unhold(self, vehicle: str) -> bool:
        """The hold ends, and the boom of an emergency comes down."""
        self.model.held = self.model.emergency = False
        self.world.run(self.world.press("release_hold", passage=None))
        self.world.barrier.now = replace(self.world.barrier.now, boom="closed", cause="none")
        self.world.run(self.world.tick())
        return False

    def later(self, vehicle: str) -> bool:
        self.pass_time(10.0)
        in_view = [self.track] if self.model.in_view else []
        self.world.run(self.world.tracks(*in_view), self.world.tick(), self.world.tick())
        return False

    def restart(self, vehicle: str) -> bool:
        """The passage is gone with its process unless a permit is out; the world is as it was."""
        now, offers, failed = self.world.barrier.now, self.world.barrier.offers, not self.model.cameras
        self.world.restart()
        self.world.barrier.now, self.world.barrier.offers = now, offers
        self.world.failed = lambda: failed
        if not self.model.permit:
            standing = self.model.standing
            self.model.standing = self.model.in_view = None
            self.model.fresh()
            if standing is not None:
                self.arrive(standing)
        return False


def run(folder: Path, gate: str, steps: list[Step], *, smart: bool = False) -> None:
    """Plays the steps against a lane of its own. Raises AssertionError where the lane did what the model forbids."""
    ahead = [0.0]
    real = clock.mono_s
    law = LawConfig(smart_lane="on" if smart else "off")
    yard = YardConfig(capacity=9) if gate == "yard_in" else None
    with pytest.MonkeyPatch.context() as patched, closing(World(folder, gate, law, smart=smart, yard=yard)) as world:
        patched.setattr(clock, "mono_s", lambda: real() + ahead[0])
        world.store.put_watchlist(json.dumps({"plates": [{"plate": W, "reason": "xin dừng", "by": None}]}).encode())

        def pass_time(seconds: float) -> None:
            ahead[0] += seconds

        play = Play(world, pass_time)
        for name, vehicle in steps:
            play.step(name, vehicle)


def by_hand(test: Callable[..., None]) -> Callable[..., None]:
    for steps in BY_HAND:
        test = example(steps)(test)
    return test


@pytest.mark.parametrize(("gate", "smart"), [("b1_out", False), ("b1_out", True), ("yard_in", False)])
def test_no_permit_without_a_press_for_this_vehicle_or_every_condition_of_the_automatic_gate(
    gate: str, smart: bool
) -> None:
    @by_hand
    @settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(STEPS)
    def play(steps: list[Step]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            run(Path(folder), gate, steps, smart=smart)

    play()


def test_the_model_lets_what_should_open_open(tmp_path: Path) -> None:
    """Else a lane that never opens would pass as well."""
    run_and_count = [
        ("b1_out", False, [("arrive", A), ("read", A), ("confirm", A)]),
        ("b1_out", True, [("arrive", A), ("read", A)]),
        ("yard_in", False, [("arrive", A), ("read", A)]),
        ("yard_in", False, [("arrive", X), ("cameras_lost", X), ("later", X)]),
        ("b1_out", False, [("arrive", B), ("later", B), ("paper", B), ("pick_vehicle", B), ("confirm", B)]),
    ]
    for number, (gate, smart, steps) in enumerate(run_and_count):
        folder = tmp_path / str(number)
        run(folder, gate, steps, smart=smart)
        with closing(World(folder, gate, smart=smart)) as world:
            released = [e for e in world.events() if e["body"].get("permit")]
            assert len(released) == 1, steps
