"""What events say: the bytes of each body as before bodies had classes, and every key that a body may have."""

from __future__ import annotations

import json
import re
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import jsonschema

from edge import clock
from edge.agent.actions.remote import RemoteCommands
from edge.config import YardConfig
from edge.core.alarm.alarms import Condition
from edge.core.bodies import BODIES, Body
from edge.core.json_shape import keys_of, schema
from edge.wire import Command
from tests.lane.test_agent_ways import LEADER, hold
from tests.lane.world import OPERATOR, World, ready
from tests.panel.test_office_agent import NEXT, TORN, OfficeWorld

GOLDEN = Path(__file__).parent.parent / "data" / "event_bodies.jsonl"
"""Written by the code before (`kind`, then the body); times, ids and hashes stand as one letter."""
CHANGING = (
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "I"),
    (re.compile(r"\d{4}-\d\d-\d\dT[0-9:.]+(\+\d\d:\d\d)?"), "T"),
    (re.compile(r"\"[0-9a-f]{64}\""), '"H"'),
    (re.compile(r"\"waited_s\":[0-9.]+"), '"waited_s":0'),
    (re.compile(r"\"software\":\"[0-9a-z.]+\""), '"software":"V"'),
)


def command(action: str, id: str) -> Command:
    now = datetime.now(clock.VIETNAM)
    return Command(id=id, issued_at=now, action=action, by="TT-0003", reason="lệnh")  # type: ignore[arg-type]


def through_and_overridden(world: World) -> None:
    world.declares_ready()
    world.arrives()
    world.run(world.press("confirm"))
    world.passes()
    world.run(world.notice("left"))
    hold(world, "CU")
    world.declares(replace(ready("EX-IN", "b1_out", "12C67890"), id="CKS-OTHER"))
    world.arrives("12C67890")
    world.run(world.press("type_plate", value="12C67891"))
    world.run(world.press("type_plate", value="12C67891", reason="over_sure"))
    world.run(world.press("override", reason="ordered", words="theo lệnh", second=LEADER))
    world.run(world.notice("permit_refused", "busy"), world.notice("left"))
    world.arrives("29A99999")
    world.run(world.press("turn_away", reason="no_declaration"))
    world.run(world.notice("left"))


def boom_and_commands(world: World) -> None:
    for name in ("stop", "hold", "release_hold", "close", "reset"):
        world.run(world.press(name))
    world.run(world.press("emergency_open", reason="ambulance", words="cấp cứu"))
    world.run(world.notice("opened"), world.notice("tailgate", "presence"), world.notice("fault", "arm_torn"))
    world.commands = RemoteCommands(world.actor, lambda: "synced")
    for action in ("stop", "hold", "paper_on", "paper_off", "open"):
        world.commands.put(command(action, f"c-{action}"), retained=False)
        world.run(world.notice("lowering"))
    world.commands.put(command("open", "c-old"), retained=True)
    world.run(world.notice("lowering"))
    world.run(world.press("paper_mode", value="off"))


def alarms_and_shift(world: OfficeWorld) -> None:
    world.run(world.sees(TORN, Condition("b1-out/x", "camera_down", 2, "b1-out", "front")))
    world.answers("alarm_ack")
    world.answers("alarm_shelve", "b1-out/x", minutes=60, words="đang sửa")
    world.answers("alarm_unshelve", "b1-out/x")
    world.arrives()
    world.run(world.press("handover_write", words="Xe chờ hải quan"))
    world.run(world.press("handover_sign", second=NEXT))


def in_the_yard(world: World) -> None:
    world.declares_ready()
    world.arrives()
    world.passes()
    world.run(world.notice("left"))
    world.run(world.press("yard_count", value="7", words="đếm", person=OPERATOR))
    world.run(world.press("yard_entry", value="12C54321", person=OPERATOR))


def said(world: World) -> list[str]:
    found = []
    for event in world.events():
        body = json.dumps(event["body"], sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        for pattern, letter in CHANGING:
            body = pattern.sub(letter, body)
        found.append(f"{event['kind']} {body}")
    return found


def walked(folder: Path) -> list[str]:
    found = []
    with closing(OfficeWorld(folder / "b1")) as world:
        through_and_overridden(world)
        boom_and_commands(world)
        found += said(world)
    with closing(OfficeWorld(folder / "shift")) as world:
        alarms_and_shift(world)
        found += said(world)
    with closing(World(folder / "yard", "yard_in", yard=YardConfig(capacity=2))) as yard:
        in_the_yard(yard)
        found += said(yard)
    return found


def test_every_body_says_the_same_bytes_as_before(tmp_path: Path) -> None:
    assert walked(tmp_path) == GOLDEN.read_text(encoding="utf-8").splitlines()


def test_every_body_on_record_has_the_keys_of_one_class() -> None:
    for line in GOLDEN.read_text(encoding="utf-8").splitlines():
        kind, _, text = line.partition(" ")
        assert any(fits(body, kind, set(json.loads(text))) for body in BODIES), line


def fits(body: type[Body], kind: str, keys: set[str]) -> bool:
    known = list(keys_of(body))
    return (
        kind == body.KIND
        and keys - {"evidence"} <= {one.name for one in known}
        and {one.name for one in known if one.required} <= keys
    )


def test_every_body_on_record_is_as_its_classs_schema_says() -> None:
    schemas: dict[str, list[dict[str, Any]]] = {}
    for body in BODIES:
        schemas.setdefault(body.KIND, []).append(schema(body))
    for line in GOLDEN.read_text(encoding="utf-8").splitlines():
        kind, _, text = line.partition(" ")
        jsonschema.validate(json.loads(text), {"anyOf": schemas[kind]})
