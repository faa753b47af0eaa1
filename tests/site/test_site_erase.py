"""`barie evidence delete`: beside a running agent and without one; what commands make belongs to the service's user."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from edge import cli
from edge.agent.cameras import site_clips
from edge.agent.office import erasing
from edge.agent.office.erasing import Request
from edge.config import load_config
from edge.errors import BarieError
from edge.store import Store, db
from edge.store.keys import open_key
from edge.technician import evidence
from tests.uplink.brokers import until

LANE = "b1-out"
ASKED = Request(("p-1",), "BP-0001", "request 12/2026")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A gate's config, and its record with one photo of passage p-1."""
    example = Path("config/gate.example.toml").read_text(encoding="utf-8")
    path = tmp_path / "gate.toml"
    data = f'data_dir = "{tmp_path / "data"}" #'
    path.write_text(example.replace('# data_dir = "/var/lib/barie"', data), encoding="utf-8")
    store = opened(path)
    photo = store.stage_evidence(b"\xff\xd8photo\xff\xd9")
    with store.transaction(LANE) as tx:
        tx.event("passage", {"passage": "p-1"}, photos=[photo])
    store.close()
    return path


def opened(config: Path) -> Store:
    data_dir = Path(load_config(config).site.data_dir)
    key = open_key(data_dir / "keys")
    return Store.open(data_dir, site="huu-nghi", lanes=[LANE], signer=key.sign, check=key.check)


def told(store: Store) -> list[dict[str, Any]]:
    return [one["body"] for one in store.recent(LANE) if one["body"].get("stage") == "deleted"]


def says(config: Path, *more: str) -> int:
    with pytest.raises(SystemExit) as ended:
        cli.main(["evidence", "delete", "--config", str(config), "--by", "BP-0001", "--reason", "12/2026", *more])
    return int(ended.value.code or 0)


def test_without_an_agent_the_command_does_it_and_the_record_says_who_and_why(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert says(config, "--passage", "p-1") == 0
    assert "1 photo(s) deleted" in capsys.readouterr().out
    store = opened(config)
    (body,) = told(store)
    assert (body["by"], body["reason"], body["passages"], body["photos"]) == (
        "BP-0001",
        "12/2026",
        ["p-1"],
        {"asked": 1},
    )
    assert store.verify() == []
    store.close()
    assert says(config, "--passage", "p-1") == 1
    assert "nothing was recorded" in capsys.readouterr().err


def test_beside_an_agent_it_is_asked_and_answers(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data_dir = Path(load_config(config).site.data_dir)
    with OpenedHere(config) as agent:
        assert db.is_held(data_dir)
        asking = threading.Thread(target=lambda: says(config, "--passage", "p-1"))
        asking.start()
        until(lambda: any((data_dir / erasing.FOLDER).glob(f"*{erasing.REQUEST}")), "a request is there", 30.0)
        erasing.take(agent, data_dir)
        asking.join(30)
        assert not asking.is_alive()
        assert len(told(agent)) == 1
        assert list((data_dir / erasing.FOLDER).iterdir()) == []
    assert "1 photo(s) deleted" in capsys.readouterr().out


class OpenedHere:
    """The record open in this process, as an agent has it."""

    def __init__(self, config: Path) -> None:
        self._store = opened(config)

    def __enter__(self) -> Store:
        return self._store

    def __exit__(self, *_: object) -> None:
        self._store.close()


@pytest.mark.parametrize(
    "bad", ["[]", "{}", '{"passages": "p-1", "by": "a", "reason": "b"}', "\xff", '{"passages": [1]}']
)
def test_a_request_that_is_none_is_refused_and_answered_once(config: Path, bad: str) -> None:
    data_dir = Path(load_config(config).site.data_dir)
    answer = erasing.put(data_dir, "one", ASKED)
    answer.with_suffix(erasing.REQUEST).write_bytes(bad.encode("latin-1"))
    with OpenedHere(config) as agent:
        erasing.take(agent, data_dir)
        assert "refused" in json.loads(answer.read_text())
        assert not answer.with_suffix(erasing.REQUEST).exists()
        assert told(agent) == []


def test_its_copy_among_the_sites_own_test_pictures_goes_too(config: Path) -> None:
    data_dir = Path(load_config(config).site.data_dir)
    with OpenedHere(config) as agent:
        photo = agent.recent(LANE)[0]["body"]["evidence"][0]["id"]
        folder = data_dir / site_clips.FOLDER
        folder.mkdir()
        for one in (photo, "another"):
            (folder / f"2026-11-22T100000-{one}{site_clips.STILL}").write_bytes(b"x")
            (folder / f"2026-11-22T100000-{one}.still.expected.json").write_text("{}")
        erasing.erase(agent, data_dir, ASKED)
        assert sorted({path.name[18:25] for path in folder.iterdir()}) == ["another"]


@pytest.mark.parametrize(("by", "reason"), [("", "x"), ("x", " "), ("x" * 301, "x")])
def test_without_a_name_and_a_reason_nothing_is_deleted(config: Path, by: str, reason: str) -> None:
    with pytest.raises(BarieError, match="stands in the record"):
        evidence.delete(load_config(config), ["p-1"], by, reason)
    with OpenedHere(config) as store:
        assert store.next_evidence(LANE) is None
        assert len(store.recent(LANE)) == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_root_makes_nothing_that_the_service_could_not_write(config: Path) -> None:
    """A first account added by root before the first start: its file was root's, and the agent could not open it."""
    data_dir = Path(load_config(config).site.data_dir)
    for path in (data_dir.parent, data_dir, *data_dir.rglob("*")):
        os.chown(path, 4_321, 4_321)
    code = "from pathlib import Path; from edge.technician.owner import become_owner; become_owner(Path('.'))"
    line = [sys.executable, "-c", f"{code}; Path('made').write_text('x')"]
    subprocess.run(line, check=True, timeout=60, cwd=data_dir)
    made = (data_dir / "made").stat()
    assert (made.st_uid, made.st_gid) == (4_321, 4_321)


def test_what_the_program_starts_takes_no_code_from_the_folder_one_stands_in(tmp_path: Path) -> None:
    code = (
        "import os, sys; from edge import cli; sys.argv = ['barie', 'config', 'check', 'none.toml']\n"
        "try: cli.main()\nexcept SystemExit: print(os.environ['PYTHONSAFEPATH'])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert ran.stdout.strip() == "1"
