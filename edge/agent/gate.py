"""The gate process: store, screen, uplink, barrier loops and the supervisor of the vision processes, on one event loop.

Starts wherever the guard could still work (no camera, no broker, a silent board), refuses where it could not be safe
or could not record (a config that contradicts itself, a store that cannot be opened, a taken port).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from edge import clock, resources
from edge.agent import cannot_start, pauses
from edge.agent.actions.desk import LaneActions
from edge.agent.build import BuiltLane, GateParts, build_lane
from edge.agent.cameras.eyesight import Eyesight
from edge.agent.cameras.supervisor import CameraProcess
from edge.agent.cameras.workbench import GateWorkbench
from edge.agent.inbox import GateInbox
from edge.agent.lane import boom_memory
from edge.agent.lane.lane import LaneActor
from edge.agent.lane.lane_journal import LaneJournal
from edge.agent.lane.law import Law
from edge.agent.lane.receipts import lists, received
from edge.agent.lane.yard import Yard
from edge.agent.office import erasing
from edge.agent.office.office import GateOffice
from edge.agent.reload import Reload
from edge.agent.screen import bind, make_screen
from edge.agent.watch.copy_age import CopyAge
from edge.agent.watch.health import LinkState
from edge.agent.watch.remote_status import Afar
from edge.agent.watch.side import Sides
from edge.config import Config
from edge.core.bodies import AccountChanged, AimUndone, Calibrated, CameraAimed
from edge.core.law.transfer import FiveDays, Received
from edge.core.plate.table import parse as parse_plates
from edge.errors import BarieError, StoreError
from edge.panel.accounts import BESIDE, Accounts
from edge.ports import Person
from edge.store import Store
from edge.store.keys import open_key
from edge.uplink.mqtt import Uplink
from firmware_io.loop import BarrierLoop
from firmware_io.safety import Memory, Notice
from firmware_io.watchdog import Watchdog

log = logging.getLogger(__name__)

BEAT_S = 0.25
TIDY_S = 60.0
ACCOUNTS_S = 2.0
SCREEN_ENDS_S = 1.2


class Gate:
    """Everything of one gate PC, built from its config. `desks` is what the screen sees."""

    def __init__(self, config: Config, path: Path | None = None) -> None:
        self.config = config
        data_dir = Path(config.site.data_dir)
        key = open_key(data_dir / "keys")
        rules, choices = Law.read(config.law)
        pilots = Law.pilots(config.law)
        self.store = Store.open(
            data_dir,
            site=config.site.id,
            lanes=[lane.id for lane in config.lane],
            signer=key.sign,
            check=key.check,
            keep_acknowledged_s=config.store.keep_acknowledged_s,
            evidence_budget_mb=config.store.evidence_budget_mb,
            holders=rules.holders.union(*(one.holders for one, _ in pilots)),
        )
        self.copy_age = CopyAge(self.store.copy_age_s)
        self.law = Law(rules, choices, config.law, self.store, self.copy_age, pilots, config.lane)
        self.loop = asyncio.get_running_loop()
        self.uplink: Uplink | None = None
        self.barriers: dict[str, BarrierLoop] = {}
        self.actors: dict[str, LaneActor] = {}
        self.cameras: dict[str, CameraProcess] = {}
        self.desks: dict[str, LaneActions] = {}
        self._was_up = False
        self.accounts: Accounts | None = None
        self.afar = Afar(config, self.store)
        self.eyesight = Eyesight(config, self.store)
        self.reload = Reload(path, config, self.store, self.cameras)
        self.workbench = GateWorkbench(path, config, self.cameras, self.reload, self._note_config)
        self.sides = Sides(self._touch)
        journals = {lane.id: LaneJournal(self.store, lane.id, self._wake) for lane in config.lane}
        self.office = GateOffice(config, self.store, self.law, self.desks, journals, self._touch, self.sides)
        parts = self._parts()
        for lane in config.lane:
            self._take(lane.id, build_lane(lane, journals[lane.id], parts))
        self.watchdog = Watchdog.from_environment([barrier.turns for barrier in self.barriers.values()])
        if config.mqtt is not None:
            inbox = GateInbox(self.store, self.actors, self.law.knows, self.loop)
            self.uplink = Uplink(
                config.site.id, config.mqtt, self.store, inbox, self._status, on_state=self._touch_soon
            )

    def _parts(self) -> GateParts:
        """What every lane is joined to."""
        return GateParts(
            store=self.store,
            law=self.law,
            plates=parse_plates(*resources.config_text("plates.toml")),
            vision=self.config.vision,
            yard=Yard(self.config.yard, self.store) if self.config.yard is not None else None,
            notify=self._notify,
            remember=self._remember,
            link=self._link,
            copy_age_s=self.copy_age,
            trends=lambda lane: self.eyesight.of_lane.get(lane, ()),
            presses=self.office.presses,
            of_gate=self.office.of_gate,
        )

    def _take(self, lane: str, built: BuiltLane) -> None:
        self.barriers[lane], self.actors[lane], self.desks[lane] = built.barrier, built.actor, built.desk
        self.cameras.update(built.cameras)
        self.afar.add(lane, built.health.view, built.barrier)

    @property
    def lanes(self) -> dict[str, LaneActions]:
        """`ports.Desk`: what the screen sees."""
        return self.desks

    def _note_config(self, lane: str, change: CameraAimed | AimUndone, by: Person) -> None:
        """A technician's change goes into the record of the lane."""
        body = Calibrated(change=change, by=by.id)

        async def write() -> None:
            await self.actors[lane].journal.write(body)

        self.actors[lane].put(write)

    async def received(self) -> Sequence[Received]:
        """`ports.TransferRecords`."""
        return await asyncio.to_thread(received, self.store)

    async def lists(self) -> Sequence[FiveDays]:
        """`ports.TransferRecords`."""
        return await asyncio.to_thread(lists, self.store)

    def evidence_jpeg(self, evidence_id: str) -> bytes | None:
        """A photo on the screen, still in memory or already on disk."""
        for actor in self.actors.values():
            if (jpeg := actor.shown.picture_jpeg(evidence_id)) is not None:
                return jpeg
        path = self.store.evidence_path(evidence_id)
        if path is None:
            return None
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None

    # ------------------------------------------------------------ what crosses threads

    def _notify(self, lane: str, notice: Notice) -> None:
        """On the barrier's thread, which must never wait."""
        with contextlib.suppress(RuntimeError):  # the event loop is closing
            self.loop.call_soon_threadsafe(self._noticed, lane, notice)

    def _remember(self, lane: str, memory: Memory) -> None:
        """On the barrier's thread."""
        with contextlib.suppress(RuntimeError):  # the event loop is closing
            self.loop.call_soon_threadsafe(self._kept_in_mind, lane, memory)

    def _kept_in_mind(self, lane: str, memory: Memory) -> None:
        self.actors[lane].put(lambda: boom_memory.remember(self.store, lane, memory))

    def _noticed(self, lane: str, notice: Notice) -> None:
        self.actors[lane].on_notice(notice)
        self.office.alarm_desk.on_notice(lane, notice)

    def _touch_soon(self) -> None:
        with contextlib.suppress(RuntimeError):
            self.loop.call_soon_threadsafe(self._touch)

    def _touch(self) -> None:
        for actor in self.actors.values():
            actor.touch()

    def _wake(self) -> None:
        if self.uplink is not None:
            self.uplink.wake()

    def _link(self) -> LinkState:
        """The way to the centre, as the screen shows it."""
        if self.uplink is None:
            return LinkState("off")
        heard_s = self.uplink.heard_s()
        silent_s = None if heard_s is None else clock.mono_s() - heard_s
        return LinkState(*self.uplink.state(), self.uplink.reach(), silent_s)

    def _status(self, lane: str) -> dict[str, Any]:
        """The body of the retained status (docs: `{lane}/status`). Called on the uplink's thread."""
        count, oldest, _ = self.store.unacknowledged(lane)
        models = {
            camera.id: self.cameras[camera.id].view.models
            for item in self.config.lane
            if item.id == lane
            for camera in item.camera
        }
        barrier = self.barriers[lane].snapshot()
        return {
            "unacknowledged": count,
            "oldest_unacknowledged_at": oldest,
            "clock": clock.state(),
            "models": models,
            "health": {
                "boom": barrier.boom,
                "faults": list(barrier.faults),
                "set_aside": self.store.set_aside_count(),
                "taken": self._taken(),
            },
            "box": self.afar.box(lane),
        }

    def _taken(self) -> dict[str, Any]:
        held = self.store.watch_state
        return {
            "watchlist": held.refused, "pieces_missing": held.missing, "watch_rows": held.rows,
            "watch_rows_named": list(held.named), "declarations": self.store.refused_declarations(),
        }  # fmt: skip

    # ------------------------------------------------------------ life

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set; then everything ends within two seconds and nothing is left running."""
        sock = bind(self.config.panel.host, self.config.panel.port)
        app, server = make_screen(self, self.config)
        self.accounts = app.state.accounts
        self.afar.start()
        for barrier in self.barriers.values():
            barrier.start()
        if self.uplink is not None:
            self.uplink.start()
        tasks = [asyncio.create_task(actor.run(), name=f"lane {lane}") for lane, actor in self.actors.items()]
        tasks.append(asyncio.create_task(self._beat(), name="beat"))
        beside = {f"camera {name}": camera.run for name, camera in self.cameras.items()}
        beside |= {name: partial(_now_and_then, step) for name, step in self._tidying().items()}
        beside |= {"link": self._watch_link, "accounts": self._watch_accounts}
        beside |= self.office.parts()
        tasks += [asyncio.create_task(self.sides.keep(name, work), name=name) for name, work in beside.items()]
        screen = asyncio.create_task(server.serve([sock]), name="screen")
        host, port = sock.getsockname()[:2]
        pauses.settle()
        self.watchdog.ready()
        log.info("ready: screen on http://%s:%d, %d lane(s)", host, port, len(self.actors))
        waiter = asyncio.create_task(stop.wait())
        try:
            done, _ = await asyncio.wait([*tasks, screen, waiter], return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.watchdog.stopping()
            app.state.panel.closing.set()
            server.should_exit = True
            await self._end(tasks, screen)
            waiter.cancel()
        for task in done - {waiter}:
            # A part that ended by itself is a fault: its error ends the process; the service manager starts it anew.
            task.result()

    async def _beat(self) -> None:
        """The heartbeat that the barrier loops watch, and the clock of the lanes."""
        while True:
            for barrier in self.barriers.values():
                barrier.beat()
            self.watchdog.feed()
            for actor in self.actors.values():
                actor.on_tick()
            await asyncio.sleep(BEAT_S)

    async def _watch_link(self) -> None:
        """Beside the heartbeat: what is wrong with the link or the copy is no reason to let the barriers fall back."""
        while True:
            self._link_is(up=self._link().state == "up", copied=self.uplink is not None and self.uplink.copied())
            await asyncio.sleep(BEAT_S)

    def _link_is(self, *, up: bool, copied: bool) -> None:
        """Told a few times a second. The copy is fresh only once it was seen whole (`copied`). Once the link is up
        again, forms typed on paper meet the platform's declarations."""
        heard_s = None if self.uplink is None else self.uplink.heard_s()
        self.copy_age.link(up=copied and self.store.watch_state.whole, heard_s=heard_s)
        if up and not self._was_up:
            for actor in self.actors.values():
                actor.on_declarations()
        self._was_up = up

    def _tidying(self) -> dict[str, Callable[[], Awaitable[object]]]:
        """What is done every minute, never in the way of a passage; each by itself, so that one that fails stops no
        other."""
        data_dir = Path(self.config.site.data_dir)
        return {
            "tidying": lambda: asyncio.to_thread(self.store.prune),
            "requests": lambda: asyncio.to_thread(erasing.take, self.store, data_dir),
            "overstays": self._look_for_overstays,
            "eyesight": self.eyesight.look,
            "lists": lambda: asyncio.to_thread(self.office.lists.refresh),
        }

    async def _look_for_overstays(self) -> None:
        stays = await asyncio.to_thread(self.law.overstays)
        for actor in self.actors.values():
            actor.beside.inside_too_long(stays)

    async def _watch_accounts(self) -> None:
        while True:
            await asyncio.sleep(ACCOUNTS_S)
            try:
                await self._note_accounts()
            except StoreError as error:
                log.error("changes of accounts wait for the record: %s", error)

    async def _note_accounts(self) -> None:
        """What was done to accounts, at the console too, becomes events of the signed record. Raises StoreError."""
        if self.accounts is None:
            return
        journal = next(iter(self.actors.values())).journal
        for one in await asyncio.to_thread(self.accounts.changes):
            by, _, second = one.by.partition(BESIDE)
            told = AccountChanged(
                what=one.what, account=one.account, at=one.at, by=by, second=second or None, role=one.detail or None
            )
            await journal.write(told)
            await asyncio.to_thread(self.accounts.recorded, one.seq)

    async def _end(self, tasks: list[asyncio.Task[None]], screen: asyncio.Task[None]) -> None:
        await asyncio.gather(*(camera.stop() for camera in self.cameras.values()))
        for barrier in self.barriers.values():
            await asyncio.to_thread(barrier.close)
        if self.uplink is not None:
            await asyncio.to_thread(self.uplink.stop)
        for task in tasks:
            task.cancel()
        await asyncio.gather(asyncio.wait_for(screen, SCREEN_ENDS_S), *tasks, return_exceptions=True)
        self.afar.stop()
        self.office.close()
        self.store.close()


async def _now_and_then(step: Callable[[], Awaitable[object]]) -> None:
    while True:
        await asyncio.sleep(TIDY_S)
        try:
            await step()
        except StoreError as error:
            log.error("tidying the record: %s", error)


def run(config: Config, path: Path | None = None) -> int:
    """`barie run`: until SIGTERM or Ctrl-C; SIGHUP reads `path` again. Raises BarieError where it must not start."""

    async def main() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        try:
            gate = Gate(config, path)
        except BarieError as error:
            await asyncio.to_thread(cannot_start.tell, error, config.panel.port)
            raise
        loop.add_signal_handler(signal.SIGHUP, gate.reload)
        await gate.run(stop)

    asyncio.run(main())
    return 0
