"""One lane at its ports: the real record on disk, the real rule table, readings made by hand, a barrier that only
notes what it is asked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

from edge import clock, resources
from edge.agent.actions.desk import LaneActions, lane_presses
from edge.agent.actions.press import Presses
from edge.agent.actions.remote import RemoteCommands
from edge.agent.lane.lane import LaneActor, LaneParts
from edge.agent.lane.lane_journal import LaneJournal
from edge.agent.lane.law import Law
from edge.agent.lane.yard import Yard
from edge.config import CameraConfig, LaneConfig, LawConfig, Name, YardConfig
from edge.core.json_shape import object_of
from edge.core.model import Confirmation, Declaration, PlateRead, Reading, Vehicle
from edge.core.plate.table import PlateTable
from edge.core.plate.table import parse as parse_plates
from edge.core.view import BoomView, GateView, HealthView, LinkView
from edge.ports import Action, ActionResult, Person
from edge.store import Store
from edge.wire import declaration_to_json
from firmware_io.board import BoardSettings, InputWiring
from firmware_io.loop import Snapshot
from firmware_io.safety import Notice, Permit
from firmware_io.terms import InputName, NoticeKind
from tests.law.table import GATES, asked_at
from tests.law.tools import declared, given
from tests.panel.views import HEALTHY

T = TypeVar("T")
PLATE = "12C12345"
GUARD = Person("BP-0107", "Cán bộ Ví Dụ", "guard")
OPERATOR = Person("DH-0002", "Điều hành Ví Dụ", "yard_operator")
PHOTO, CROP = b"\xff\xd8photo\xff\xd9", b"\xff\xd8crop\xff\xd9"
WIRES: dict[InputName, InputWiring | int] = {
    "presence": 1,
    "safety_loop": 2,
    "photocell": 3,
    "limit_open": 4,
    "limit_closed": 5,
}


class FakeBarrier:
    """Keeps every offer; a test says what the boom shows and answers by notices."""

    def __init__(self) -> None:
        self.offers: list[Permit] = []
        self.asked: list[str] = []
        self.now = Snapshot("closed", (), False, {"presence": True}, 0.0, True, "fake")

    def offer(self, permit: Permit) -> None:
        self.offers.append(permit)

    def stop_boom(self) -> None:
        self.asked.append("stop")

    def lower_boom(self) -> None:
        self.asked.append("lower")

    def reset_faults(self) -> None:
        self.asked.append("reset")

    def hold(self, on: bool) -> None:
        self.asked.append("hold" if on else "release")
        self.now = replace(self.now, held=on)

    def snapshot(self) -> Snapshot:
        return self.now


def plates() -> PlateTable:
    return parse_plates(*resources.config_text("plates.toml"))


def lane_config(gate: str) -> LaneConfig:
    place, direction = GATES[gate]
    return LaneConfig(
        id=gate.replace("_", "-"),
        name=Name(vi=gate, en=gate),
        place=place,  # type: ignore[arg-type]  # the table's own places
        direction=direction,  # type: ignore[arg-type]
        simulated=True,
        camera=[CameraConfig(id="front", url="rtsp://127.0.0.1/x")],
        board=BoardSettings(kind="modbus_rtu", port="/dev/null", inputs=WIRES, outputs={"open": 1, "close": 2}),
    )


class World:
    """A lane and its record in `folder`. `gate` is a step of the rule table, as b1_out or yard_in."""

    def __init__(
        self,
        folder: Path,
        gate: str = "b1_out",
        law: LawConfig | None = None,
        *,
        smart: bool = False,
        yard: YardConfig | None = None,
    ) -> None:
        self.yard_config = yard
        self.failed: Callable[[], bool] = lambda: False
        """Whether the lane's devices are out of order."""
        self.smart = smart
        self.folder, self.gate, self.law_config = folder, gate, law or LawConfig()
        self.may_fail = False
        """Whether this test means a job of the lane to have a fault of its own."""
        self.age_s: float | None = None
        self.link = "up"
        self.oldest_s: float | None = None
        self._frames = count(1)
        self._runner = asyncio.Runner()
        self.start()

    def start(self) -> None:
        """The gate process begins, on whatever record is there."""
        self.config = lane_config(self.gate)
        if self.smart:
            self.config = self.config.model_copy(update={"smart_lane": True})
        self.store = Store.open(self.folder, site="demo", lanes=[self.config.id])
        self.barrier = FakeBarrier()
        law = Law.load(self.law_config, self.store, lambda: self.age_s)
        parts = LaneParts(
            store=self.store,
            law=law,
            journal=LaneJournal(self.store, self.config.id, lambda: None),
            barrier=self.barrier,
            plates=plates(),
            yard=Yard(self.yard_config, self.store) if self.yard_config else None,
            devices_failed=self._devices_failed,
            readers=dict,
            on_passage=lambda passage: None,
        )
        self.actor = LaneActor(self.config, parts)
        groups = [*lane_presses(self.actor, plates(), self.health), *self.more_presses()]
        self.desk = LaneActions(self.actor, groups, self.health, lambda camera: None, self.of_gate())
        self.commands = RemoteCommands(self.actor, self.clock_state)

    def _devices_failed(self) -> bool:
        return self.failed()

    def more_presses(self) -> Sequence[Presses]:
        """Of the whole gate."""
        return ()

    def of_gate(self) -> Callable[[], GateView] | None:
        return None

    def close(self) -> None:
        self._runner.close()
        self.store.close()

    def restart(self) -> None:
        """As after a kill: nothing of the old process is left but its record."""
        self.store.close()
        self.start()

    @staticmethod
    def clock_state() -> clock.ClockState:
        return clock.state()

    def health(self) -> HealthView:
        now = self.barrier.now
        boom = BoomView(state=now.boom, faults=tuple(now.faults), held=now.held)
        return replace(HEALTHY, boom=boom, link=LinkView(state=self.link, oldest_s=self.oldest_s))

    def view(self) -> dict[str, Any]:
        """As the page gets it."""
        return object_of(self.desk.view())

    # ------------------------------------------------------------ what happens

    def run(self, *happenings: Awaitable[T]) -> T:
        """Let these happen one after the other and the lane finish with each; the last one's value."""

        async def all_of_them() -> T:
            task = asyncio.create_task(self.actor.run())
            try:
                for happening in happenings:
                    value = await _unless_dead(happening, task)
                    await _unless_dead(self._settled(), task)
                    assert self.may_fail or not self.actor.fault, f"a job failed: {self.actor.fault} (see the log)"
                return value
            finally:
                task.cancel()

        return self._runner.run(all_of_them())

    async def _settled(self) -> None:
        done = asyncio.Event()

        async def last() -> bool:
            done.set()
            return False

        self.actor.put(last)
        await done.wait()

    async def reads(self, text: str = PLATE, *, decided: bool = True, track: int = 1, raw: str | None = None) -> None:
        self.actor.on_reading(reading(text, next(self._frames), decided=decided, track=track, raw=raw), PHOTO, CROP)

    async def notice(self, kind: NoticeKind, code: str = "", serial: int | None = None) -> None:
        """What the barrier says; of the newest permit unless a serial is given."""
        newest = self.barrier.offers[-1].serial if self.barrier.offers else 0
        self.actor.on_notice(Notice(kind, newest if serial is None else serial, code, clock.mono_s()))

    async def tracks(self, *in_view: int) -> None:
        """What the camera says to be in view."""
        self.actor.on_tracks("front", frozenset(in_view))

    async def tick(self) -> None:
        self.actor.on_tick()

    async def copy_changed(self) -> None:
        self.actor.on_declarations()

    async def press(self, name: str, **more: Any) -> ActionResult:
        passage = self.actor.lane.passage
        fields = {"key": clock.new_id(), "passage": passage.id if passage else None, "person": GUARD, **more}
        return await self.desk.act(Action(name=name, **fields))

    def arrives(self, text: str = PLATE) -> None:
        """A vehicle stands on the loop and is read."""
        self.run(self.notice("arrived"), self.reads(text))

    def passes(self) -> None:
        """The boom rises for the newest permit, the vehicle drives through, the boom is down again."""
        steps: Sequence[NoticeKind] = ("permit_accepted", "opening", "opened", "through", "closed")
        self.run(*(self.notice(kind) for kind in steps))

    # ------------------------------------------------------------ what is declared

    def declares(self, declaration: Declaration) -> None:
        payload = json.dumps(declaration_to_json(declaration), ensure_ascii=False).encode()
        self.store.put_declaration(declaration.id, payload)

    def declares_ready(self, procedure: str = "EX-IN", plate: str = PLATE, **more: Any) -> Declaration:
        """Everything before this gate's own opening stands."""
        declaration = ready(procedure, self.gate, plate, **more)
        self.declares(declaration)
        return declaration

    # ------------------------------------------------------------ what is on record

    def events(self, kind: str | None = None) -> list[dict[str, Any]]:
        """Envelopes, oldest first."""
        found = reversed(self.store.recent(self.config.id, 1000))
        return [event for event in found if kind is None or event["kind"] == kind]

    def stages(self) -> list[tuple[str, str | None]]:
        return [(event["kind"], event["body"].get("stage")) for event in self.events()]

    def passage(self) -> dict[str, Any]:
        shown: dict[str, Any] | None = self.view()["passage"]
        assert shown is not None
        return shown

    def verdict(self) -> str:
        return str((self.passage()["verdict"] or {}).get("verdict"))

    def codes(self) -> list[str]:
        return [reason["code"] for reason in self.passage()["verdict"]["reasons"]]


async def _unless_dead(happening: Awaitable[T], lane: asyncio.Task[None]) -> T:
    """The value of what happens; the lane's own error where it ends over it."""
    waited = asyncio.ensure_future(happening)
    await asyncio.wait([waited, lane], timeout=20, return_when=asyncio.FIRST_COMPLETED)
    if lane.done():
        lane.result()
    assert waited.done(), "the lane hangs"
    return waited.result()


def reading(text: str, frame: int, *, decided: bool = True, track: int = 1, raw: str | None = None) -> Reading:
    plate = replace(plates().read(text, "one_line", 0.97), raw=raw or text)
    corners = ((10.0, 10.0), (90.0, 10.0), (90.0, 30.0), (10.0, 30.0))
    read = PlateRead(plate, (10.0, 10.0, 90.0, 30.0), corners, whole=True)
    return Reading("front", track, frame, clock.mono_ns(), clock.wall_iso(), read, decided, 5, (640, 360))


def ready(procedure: str, gate: str, plate: str = PLATE, **more: Any) -> Declaration:
    """A declaration with every confirmation that the hand-written table asks for before this gate's opener."""
    vehicles = more.pop("vehicles", (Vehicle("vehicle", plate, "VN"),))
    return declared(procedure, before(procedure, gate), vehicles=vehicles, **more)


def before(procedure: str, gate: str) -> list[Confirmation]:
    """Given a minute apart, in the legal order, the last of them before this gate's own."""
    asked = asked_at(procedure, gate, {})
    own = ("BG", "SYS")
    return [given(one, minute) for minute, one in enumerate(asked) if not (one.step == gate and one.authority in own)]
