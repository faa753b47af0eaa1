"""The gate's TOML file: the example is whole, and every fault stops the start with its key."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest
from pydantic import BaseModel

from edge.config import Config, LaneConfig, load_config, parse_config
from edge.errors import ConfigError
from firmware_io.board import BoardSettings
from firmware_io.terms import BarrierSettings

EXAMPLE = Path(__file__).parents[2] / "config" / "gate.example.toml"
TEXT = EXAMPLE.read_text(encoding="utf-8")
EVERY_KEY = "\n".join(re.sub(r"^# (?=[a-z_]+ = )", "", line) for line in TEXT.splitlines())


def faults(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_config(text, "gate.toml")
    return "\n".join(caught.value.faults)


def test_the_example_is_good_and_so_is_every_default_that_it_tells_of() -> None:
    assert load_config(EXAMPLE) == parse_config(TEXT, "gate.toml")
    defaults = "\n".join(
        line
        for line in EVERY_KEY.splitlines()
        if not line.startswith(("region", "line", "look_every_s", "plate_", "user = ", "password_file", "road"))
    )  # have no default to show
    assert parse_config(defaults, "gate.toml").lane == load_config(EXAMPLE).lane
    assert parse_config(EVERY_KEY, "gate.toml").lane[0].camera[0].region is not None


def keys_of(model: type[BaseModel]) -> set[str]:
    found: set[str] = set()
    for name, info in model.model_fields.items():
        found.add(name)
        inner = info.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            found |= keys_of(inner)
    return found


def test_the_example_tells_of_every_key_there_is() -> None:
    keys = keys_of(Config) | keys_of(LaneConfig)
    keys |= {one.name for one in fields(BoardSettings)} | {one.name for one in fields(BarrierSettings)}
    told = set(re.findall(r"\b([a-z][a-z0-9_]*)\b", TEXT))
    assert keys - told == set()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('id = "b1-out"\n', 'id = "b1-out"\ncolour = "red"\n', "lane.0.colour: unknown key"),
        ('place = "b1"', 'place = "b3"', "lane.0.place"),
        ('id = "b1-out"\n', 'id = "watchlist"\n', "lane.0.id: must be none of centre, declaration, watchlist"),
        ('direction = "out_of_area"', 'direction = "in"', "is not a way through b1"),
        ("limit_open = 4", "limit_open = 1", "channel 1 is used twice"),
        ("outputs = { open = 1,", "outputs = {", '"open" has no channel'),
        ("presence = 1, ", "", "presence exists but board.inputs gives it no channel"),
        ("# permit_max_s = 2.0", "permit_max_s = 5.0", "permit_max_s: must be between 0.5 and 2"),
        ("# port = 8080", 'port = "8080"', "panel.port"),
        ('# sign_in = "accounts"', 'sign_in = "demo"', "only allowed where every lane says simulated"),
        ('url = "rtsp://192.0.2.10/stream1"', 'url = "file.mp4"', "lane.0.camera.0.url"),
        ("# region = [[0.1, 0.3]", "region = [[10, 0.3]", "fractions between 0 and 1"),
        ("[site]", "[site", "not valid TOML"),
    ],
)
def test_a_fault_names_its_key(old: str, new: str, said: str) -> None:
    assert old in TEXT
    assert said in faults(TEXT.replace(old, new, 1))


def test_every_fault_is_told_at_once() -> None:
    told = faults(TEXT.replace('place = "b1"', 'place = "b3"', 1).replace("# port = 8080", "port = -1", 1))
    assert "lane.0.place" in told
    assert "panel.port" in told


def second_lane() -> str:
    """The example's lane again, under other names but on the same board."""
    lane = TEXT[TEXT.index("[[lane]]") :]
    return lane.replace('"b1-out"', '"b1-in"').replace("b1-out-front", "b1-in-front").replace("2.10/", "2.11/")


def test_two_lanes_may_share_a_module_but_no_relay_and_no_sensor() -> None:
    second = second_lane()
    told = faults(TEXT + second)
    assert "lane.board of b1-out and b1-in: outputs: channel 1 would move both booms" in told
    assert "lane.board of b1-out and b1-in: inputs: channel 3 is photocell of one and photocell of the other" in told
    good = second.replace("usb-example-if00", "usb-example-if01")
    assert len(parse_config(TEXT + good, "gate.toml").lane) == 2
    other_unit = second.replace("# unit = 1 ", "unit = 2 ")
    assert len(parse_config(TEXT + other_unit, "gate.toml").lane) == 2
    assert "baud: one line has one, not 9600 and 19200" in faults(
        TEXT + other_unit.replace("# baud = 9600", "baud = 19200")
    )


def test_one_module_under_two_names_is_found_out(tmp_path: Path) -> None:
    device, by_id = tmp_path / "ttyUSB0", tmp_path / "usb-relay-if00"
    device.touch()
    by_id.symlink_to(device)
    name = "/dev/serial/by-id/usb-example-if00"
    text = TEXT.replace(name, str(device)) + second_lane().replace(name, str(by_id))
    assert "outputs: channel 1 would move both booms" in faults(text)


def test_a_profile_that_does_not_fit_stops_the_start() -> None:
    assert "Waveshare Modbus RTU Relay, 8 relays, no inputs has none" in faults(
        TEXT.replace('profile = "waveshare-8ch"', 'profile = "waveshare-relay-8ch"')
    )
    assert "board.profile: no profile" in faults(TEXT.replace('profile = "waveshare-8ch"', 'profile = "waveshare"'))


def test_a_camera_url_with_a_password_is_never_repeated_in_a_fault() -> None:
    lane = TEXT[TEXT.index("[[lane]]") :]
    text = (TEXT + lane).replace("rtsp://192.0.2.10/stream1", "rtsp://user:hush@192.0.2.10/stream1")
    assert "hush" not in faults(text)


def test_a_file_that_is_not_there_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path / "nothing.toml")


def test_a_config_nested_beyond_reason_is_a_fault_and_no_crash() -> None:
    assert "nested too deeply" in faults("a = " + "[" * 5_000)
