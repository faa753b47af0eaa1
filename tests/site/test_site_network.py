"""Whom the installed units may exchange anything with: what the config names, and nothing else."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from edge.config import Config, load_config, parse_config
from edge.errors import BarieError, ConfigError
from edge.technician import doctor, network

EXAMPLE = Path("config/gate.example.toml").read_text(encoding="utf-8")


def config(**changes: str) -> Config:
    text = EXAMPLE
    for old, new in changes.items():
        text = text.replace({"panel": "[panel]  ", "broker": '"broker.example"'}[old], new, 1)
    return parse_config(text, "gate.toml")


def resolve(host: str) -> list[str]:
    if host == "broker.example":
        return ["192.0.2.5", "2001:db8::5"]
    if host == "nowhere.example":
        raise OSError("name not known")
    return [host]


def test_the_gate_reaches_its_broker_and_boards_and_the_cameras_only_their_cameras(tmp_path: Path) -> None:
    resolver = tmp_path / "resolv.conf"
    resolver.write_text("nameserver 192.0.2.53\nnameserver 127.0.0.53\n")
    one = config()
    gate = network.addresses(one, "gate", resolve, resolver)
    camera = network.addresses(one, "camera", resolve, resolver)
    assert gate[0] == camera[0] == "localhost"
    assert {"192.0.2.5", "2001:db8::5", "192.0.2.53"} <= set(gate)
    assert "127.0.0.53" not in gate, "is this machine"
    urls = {named.host for named in network.named(one, "camera")}
    assert urls <= set(camera), urls
    assert not urls & set(gate), "the gate process calls no camera"
    assert "192.0.2.5" not in camera
    assert "any" not in gate + camera


def test_a_screen_for_others_is_opened_to_the_networks_that_the_config_names() -> None:
    listens = '[panel]\nhost = "192.0.2.1"\nallow = ["198.51.100.0/24"]\n#'
    assert "198.51.100.0/24" in network.addresses(config(panel=listens), "gate", resolve)
    assert "any" in network.addresses(config(panel='[panel]\nhost = "192.0.2.1"\n#'), "gate", resolve)
    with pytest.raises(ConfigError, match=r"panel\.allow\.0"):
        config(panel='[panel]\nallow = ["198.51.100.7/24"]\n#')


def test_a_name_that_nobody_knows_is_told_with_its_key_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(BarieError, match=r"mqtt\.host: nowhere\.example is not resolved"):
        network.write(config(broker='"nowhere.example"'), tmp_path, resolve)
    assert list(tmp_path.rglob("*")) == []


def test_what_is_shut_out_is_a_finding_of_doctor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, after = config(), config(broker='"192.0.2.77"')
    network.write(before, tmp_path, resolve)
    assert network.lacking(before, tmp_path, resolve) == []
    assert network.lacking(after, tmp_path, resolve) == ["gate: 192.0.2.77"]
    assert network.write(before, tmp_path, resolve) == [], "what is so already is left alone"
    monkeypatch.setattr(network, "installed", lambda: True)
    monkeypatch.setattr(network, "lacking", lambda config: ["gate: 192.0.2.77"])
    (found,) = doctor._network(after)
    assert (found.mark, "barie network" in found.detail) == ("FAIL", True)


def test_the_service_manager_reads_the_drop_ins(tmp_path: Path) -> None:
    """With its own parser: systemd-analyze, on the package's units beside the drop-ins."""
    units = tmp_path / "units"
    units.mkdir()
    for unit in Path("packaging/root/usr/lib/systemd/system").glob("barie*"):
        text = unit.read_text().replace("/opt/barie/current/bin/python3", "/bin/true")
        (units / unit.name).write_text(text)
    network.write(load_config(Path("config/gate.example.toml")), units, resolve)
    line = ["systemd-analyze", "verify", "--recursive-errors=no", str(units / "barie.service")]
    try:
        told = subprocess.run(line, capture_output=True, text=True, check=False, timeout=60)
    except FileNotFoundError:
        pytest.skip("no systemd-analyze on this machine")
    assert "IPAddress" not in told.stderr
