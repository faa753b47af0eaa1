"""The one message catalogue: every word on the screen, by key, in Vietnamese and English (and Chinese for drivers)."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

from edge.errors import ConfigError

LANGUAGES = ("vi", "en")
SHEETS = ("messages.toml", "messages_office.toml")
_PLACE = re.compile(r"\{(\w+)\}")

Catalogue = Mapping[str, Mapping[str, str]]
"""key -> language -> text; texts hold places like {n}. In the file's order, which is the order of lists of reasons."""


def load_catalogue(path: Path | None = None) -> Catalogue:
    """Reads and checks messages.toml and its further sheets (one file where `path` names it). Raises ConfigError naming
    each key that lacks a language or its places."""
    catalogue: dict[str, Mapping[str, str]] = {}
    for file in [path] if path else [Path(__file__).with_name(name) for name in SHEETS]:
        catalogue |= _sheet(file)
    return catalogue


def _sheet(path: Path) -> dict[str, Mapping[str, str]]:
    with path.open("rb") as file:
        raw = tomllib.load(file)
    sheet = {f"{section}.{key}": texts for section, entries in raw.items() for key, texts in entries.items()}
    faults = [fault for key, texts in sheet.items() for fault in _faults(key, texts)]
    if faults:
        raise ConfigError(path.name, faults)
    return sheet


def say(catalogue: Catalogue, language: str, key: str, **places: object) -> str:
    """The text of a key; an unknown key is shown as itself, so that a gap is seen and never hides what happened."""
    texts = catalogue.get(key)
    if texts is None:
        return key
    return _PLACE.sub(lambda match: str(places.get(match[1], match[0])), texts[language])


def say_input(catalogue: Catalogue, language: str, name: str) -> str:
    """A barrier's input by its name in words; anything else (a camera's id) as it is."""
    return say(catalogue, language, f"input.{name}") if f"input.{name}" in catalogue else name


def say_fault(catalogue: Catalogue, language: str, code: str) -> str:
    """What a code of the barrier says, "input_stuck:presence" or "fault:tamper", as `fault` of words.js does on the
    page; an unknown one as it is."""
    kind, _, about = code.removeprefix("fault:").partition(":")
    if f"fault.{kind}" not in catalogue:
        return code
    return say(catalogue, language, f"fault.{kind}", about=say_input(catalogue, language, about))


def _faults(key: str, texts: Mapping[str, str]) -> list[str]:
    lacking = [language for language in LANGUAGES if not texts.get(language)]
    if lacking:
        return [f"{key}: no text in {', '.join(lacking)}"]
    places = {language: set(_PLACE.findall(text)) for language, text in texts.items()}
    return [f"{key}: places differ in {language}" for language in places if places[language] != places["vi"]]
