"""What a calibration found out, in words (Vietnamese first, English below), as TOML and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from edge.agent import config_file
from edge.core.camera.calibrate import Finding, rate
from edge.core.camera.view_settings import Aim
from edge.panel.messages import load_catalogue, say
from edge.technician.study import Proposal, Study


@dataclass(frozen=True, slots=True)
class Result:
    """Everything that one calibration found out. `camera` is its id in the configuration."""

    camera: str
    source: str
    aim: Aim
    study: Study
    findings: list[Finding]
    proposal: Proposal

    @property
    def keys(self) -> dict[str, Any]:
        """What the proposal would change in the camera's table; empty where it gains nothing."""
        return changed_keys(self.aim, self.proposal.aim)


def changed_keys(old: Aim, new: Aim) -> dict[str, Any]:
    """Keys of the camera's table that differ; None where the key goes away."""
    keys: dict[str, Any] = {}
    if new.region != old.region:
        keys["region"] = None if new.region is None else [list(point) for point in new.region]
    if new.line != old.line:
        keys["line"] = None if new.line is None else [list(point) for point in new.line]
    if new.look_every_s != old.look_every_s:
        keys["look_every_s"] = new.look_every_s
    if new.picture != old.picture:
        keys["picture"] = {name: value for name, value in asdict(new.picture).items() if value != _PLAIN[name]} or None
    return keys


_PLAIN = asdict(Aim().picture)


def words(code: str, language: str, numbers: Mapping[str, Any] | None = None) -> str:
    """A text of the catalogue's section `calibrate`; a direction among the numbers is put into words too."""
    catalogue = load_catalogue()
    places = dict(numbers or {})
    if "way" in places:
        places["way"] = say(catalogue, language, f"calibrate.{places['way']}")
    return say(catalogue, language, f"calibrate.{code}", **places)


def lines(result: Result) -> list[str]:
    """The report as text: Vietnamese first, English below it."""
    told = []
    numbered = [(f"{i}. ", one.code, one.numbers) for i, one in enumerate(result.findings, start=1)]
    for mark, code, numbers in numbered or [("", "good", {})]:
        told += [f"{mark}{words(code, 'vi', numbers)}", f"{' ' * len(mark)}{words(code, 'en', numbers)}"]
    read, of = rate(result.study.sights)
    told += ["", words("rate", "vi", {"read": read, "of": of}) + " / " + words("rate", "en", {"read": read, "of": of})]
    told += ["", *patch(result).splitlines()]
    return told


def patch(result: Result) -> str:
    """The proposal as TOML, to be copied into the camera's table; comments say what it gains."""
    before, after = result.proposal.before, result.proposal.after
    numbers = {"before": before[0], "after": after[0], "of": after[1]}
    if not result.keys:
        return "\n".join(f"# {words('no_gain' if result.findings else 'good', lang)}" for lang in ("vi", "en")) + "\n"
    head = [f"# {words('gain', language, numbers)}" for language in ("vi", "en")]
    return "\n".join([*head, f"# [[lane.camera]] {result.camera}", config_file.toml_of(result.keys)])


def as_json(result: Result) -> dict[str, Any]:
    way = result.study.way
    pace = result.study.pace
    return {
        "camera": result.camera,
        "source": result.source,
        "looked": result.study.looked,
        "rate": rate(result.study.sights),
        "rate_region": rate(result.study.sights, result.aim.reads_in),
        "pace": None if pace is None else asdict(pace),
        "direction": None if way is None else way.direction,
        "findings": [{"code": one.code, "weight": round(one.weight, 2), **one.numbers} for one in result.findings],
        "proposal": {"keys": result.keys, "before": result.proposal.before, "after": result.proposal.after},
    }
