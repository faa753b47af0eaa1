"""A hand-cranked barrier for the tests: sets inputs, turns the clock, collects what happened, and checks every tick.

The checks in `check` are written from the issue's rules, not from the code: they keep their own record of the inputs.
"""

from __future__ import annotations

from dataclasses import replace

from firmware_io.safety import BarrierSettings, Inputs, Notice, Outputs, Permit, Requests, State, recheck, start, step
from firmware_io.terms import InputName, OutputName

TICK_S = 0.05
ALL: tuple[InputName, ...] = (
    "presence", "safety_loop", "exit_loop", "photocell", "safety_edge", "limit_open", "limit_closed", "arm_torn",
    "tamper", "mains_ok", "fire", "manual_key", "high_beam",
)  # fmt: skip
CALM: dict[InputName, bool | None] = {**dict.fromkeys(ALL, False), "limit_closed": True, "mains_ok": True}
UNDER_ARM: tuple[InputName, ...] = ("safety_loop", "photocell", "high_beam", "safety_edge")
MAY_LOWER_WITH = {"host_lost", "tamper"}
CARELESS = ("input_unproven", "test_failed")
PLAIN = BarrierSettings(skeletal=False)
"""A lane where no empty container chassis comes: its times are the short ones."""


class Bench:
    def __init__(self, settings: BarrierSettings | None = None, *, ready: bool = True) -> None:
        self.settings = settings or PLAIN
        assert self.settings.faults() == []
        self.now = 500.0
        self.state: State = start(self.now)
        self.values: dict[InputName, bool | None] = dict(CALM)
        self.alive = self.host = True
        self.hold = False
        self.at_s = self.beat_s = self.now
        self.notices: list[Notice] = []
        self.dark: set[InputName] = set()
        """Beams without light because the gate takes it from them: nothing is in them, and nothing may come down."""
        self.pulses: list[tuple[float, str]] = []
        self.outputs = Outputs()
        self.done: tuple[OutputName, ...] = ()
        self.accepted: list[int] = []
        self._clear_since_s: float | None = None
        self._open_until_s = 0.0
        self._kept_up = self._is_out = self._comes_down = False
        if ready:
            self.run(self.settings.settle_s + self.settings.fault_clear_s + 0.2)
            assert self.state.faults == ()
            self.notices.clear()

    def set(self, **values: bool | None) -> Bench:
        self.values |= values  # type: ignore[arg-type]
        return self

    def run(self, for_s: float) -> list[Notice]:
        """Turn the clock; returns what happened meanwhile."""
        begin = len(self.notices)
        for _ in range(max(1, round(for_s / TICK_S))):
            self.tick()
        return self.notices[begin:]

    def kinds(self, for_s: float) -> list[str]:
        return [notice.kind for notice in self.run(for_s)]

    def offer(self, *permits: Permit) -> list[Notice]:
        return self.tick(Requests(permits=permits))

    def permit(self, serial: int = 1, age_s: float = 0.0, life_s: float = 2.0, *, emergency: bool = False) -> Permit:
        offered_s = self.now + TICK_S - age_s
        return Permit(serial, offered_s, offered_s + life_s, emergency)

    def lit(self, light: str) -> bool:
        return bool(getattr(self.outputs, light))

    def phase(self) -> str:
        return self.state.phase

    def tick(self, asked: Requests | None = None) -> list[Notice]:
        self.now += TICK_S
        self.at_s = self.now if self.alive else self.at_s
        self.beat_s = self.now if self.host else self.beat_s
        inputs = Inputs(self.at_s, **self.values)
        asked = replace(asked or Requests(), beat_s=self.beat_s, hold=self.hold, done=self.done)
        before = self.state
        self.state, self.outputs, notices = step(before, inputs, asked, self.now, self.settings)
        self.check(before, inputs, asked, list(notices))
        self.notices += notices
        self.done = ("stop",) if self.outputs.stop else ()
        for name in ("open", "close", "stop"):
            if getattr(self.outputs, name):
                self.pulses.append((self.now, name))
        return list(notices)

    # ------------------------------------------------------------ the rules, in their own words

    def check(self, before: State, inputs: Inputs, asked: Requests, notices: list[Notice]) -> None:
        out, settings = self.outputs, self.settings
        fresh = self.now - inputs.at_s <= settings.stale_s
        urgent = fresh and any(settings.has(name) and inputs.get(name) is True for name in ("fire", "manual_key"))
        lane = [inputs.get(name) if fresh else None for name in UNDER_ARM if settings.has(name)]
        is_clear = bool(lane) and all(value is False for value in lane)
        others = [inputs.get(name) for name in UNDER_ARM if settings.has(name) and name not in self.dark]
        if not (is_clear or (fresh and self.dark and all(value is False for value in others))):
            self._clear_since_s = None
        elif self._clear_since_s is None:
            self._clear_since_s = self.now
        assert not (out.open and out.close), "open and close together"
        assert recheck(out, inputs, self.state, self.now, settings) == out, "the last gate disagrees with the first"
        self._check_permits(asked, notices, urgent=urgent)
        self._comes_down |= any(notice.kind == "lowering" for notice in notices)  # and may be turned round at once
        if out.open:
            accepted = any(notice.kind == "permit_accepted" for notice in notices)
            assert accepted or urgent or (self._is_out and self._comes_down), (
                "opens with neither permit, fire, key nor a motion of ours"
            )
            self._is_out = True
            self._open_until_s = self.now + settings.pulse_s
        if out.close:
            self._check_close(is_clear=is_clear, urgent=urgent)
            assert asked.lower or not self._kept_up, "an emergency's boom lowered by nobody"
            self._is_out = True
        self._comes_down |= out.close
        if any(notice.kind in ("closed", "assumed_closed", "observed") for notice in notices):
            self._is_out &= self.state.phase != "closed"
            self._comes_down &= self.state.phase != "closed"
        if any(notice.kind in ("opened", "reopened") for notice in notices):
            assert settings.has("limit_open")
            assert inputs.limit_open is True
        unsettled = self.now - self.state.started_s < settings.settle_s
        assert not (unsettled and (out.close or (out.open and not urgent and not self._is_out))), "moved at start"

    def _check_close(self, *, is_clear: bool, urgent: bool) -> None:
        assert self.settings.closes_by == "relay"
        assert is_clear, "lowers onto an unknown or occupied lane"
        assert self._clear_since_s is not None
        assert self.now - self._clear_since_s >= self.settings.min_clear_s - 1e-6, "lowers too soon"
        assert not urgent, "lowers under fire or key"
        assert self.now >= self._open_until_s, "close while the open relay is still energised"
        found = {fault.code for fault in self.state.faults if not fault.code.startswith(CARELESS)}
        assert found <= MAY_LOWER_WITH, "lowers with a fault"

    def _check_permits(self, asked: Requests, notices: list[Notice], *, urgent: bool) -> None:
        answers = [n.serial for n in notices if n.kind in ("permit_accepted", "permit_refused")]
        assert answers == [permit.serial for permit in asked.permits], "each permit is answered once"
        accepted = [n.serial for n in notices if n.kind == "permit_accepted"]
        assert len(accepted) <= 1
        for serial in accepted:
            permit = next(permit for permit in asked.permits if permit.serial == serial)
            assert all(serial > old for old in self.accepted), "a serial came twice"
            assert permit.offered_s <= self.now <= permit.expires_s <= permit.offered_s + 2.0 + 1e-5
            assert permit.offered_s >= self.state.started_s
            assert all(fault.code.startswith(CARELESS) for fault in self.state.faults)
            assert not asked.hold
            assert not asked.stop
            assert not urgent
            assert self.now - self.beat_s <= 3.0
            assert self.outputs.open
            stands = not self.settings.has("presence") or self.state.here
            assert stands or permit.emergency or not self.settings.needs_vehicle, "opens for nobody"
            self._kept_up = permit.emergency
            self.accepted.append(serial)

    # ------------------------------------------------------------ whole stretches

    def open_for_vehicle(self, serial: int = 1) -> Bench:
        """A vehicle comes, gets its permit, and the boom is up."""
        self.set(presence=True).run(0.5)
        assert [n.kind for n in self.offer(self.permit(serial))] == ["permit_accepted", "opening"]
        self.set(limit_closed=False).run(1.5)
        assert "opened" in [n.kind for n in self.set(limit_open=True).run(0.5)]
        return self

    def drive_through(self, seconds: float = 2.0) -> Bench:
        """The vehicle drives under the arm and off all loops; nothing is waited for after that."""
        under = {name: True for name in UNDER_ARM[:3] if self.settings.has(name)}
        self.set(**under).run(seconds)
        self.set(presence=False).run(seconds)
        if self.settings.has("exit_loop"):
            self.set(exit_loop=True).run(1.0)
        self.set(**dict.fromkeys(under, False), exit_loop=False).run(TICK_S)
        return self


EVERYTHING = BarrierSettings(inputs=ALL)


def refusal(bench: Bench, permit: Permit) -> str:
    (notice,) = [n for n in bench.offer(permit) if n.serial == permit.serial and n.kind.startswith("permit")]
    assert notice.kind == "permit_refused"
    assert not bench.outputs.open
    return notice.code


def codes(bench: Bench) -> set[str]:
    return {fault.code for fault in bench.state.faults}
