"""One passage as a sheet of paper says it: facts, photos, the chain of what happened and why. Made once, and set as a
self-contained page or as PDF."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from edge.core.record.dossier import Dossier, Line
from edge.panel import wording
from edge.panel.messages import Catalogue, say, say_fault

SHORT_HASH = 16
REASONS = {"override": "override_reason", "override_emergency": "emergency_open_reason"}
"""By what happened, the catalogue's section that its reasons stand in; all else is a turning away."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the chain, in words. `why`: the law's reasons and what it misses, with articles."""

    number: str
    when: str
    what: str
    who: str
    facts: tuple[str, ...]
    why: tuple[str, ...]
    hash: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """`head` and `entries` are what a person reads; `photos` are (what it shows, JPEG)."""

    language: str
    title: str
    head: tuple[tuple[str, str], ...]
    columns: tuple[str, str, str, str]
    chain: str
    entries: tuple[Entry, ...]
    photos: tuple[tuple[str, bytes], ...]
    no_photos: str
    foot: str
    blank: str


class Words:
    """The catalogue in one language, and what it says of a code that it may not have."""

    def __init__(self, catalogue: Catalogue, language: str) -> None:
        self.catalogue, self.language = catalogue, language

    def __call__(self, key: str, **places: object) -> str:
        return say(self.catalogue, self.language, key, **places)

    def of(self, section: str, code: str | None) -> str:
        """The word of a section, or the code itself."""
        if not code:
            return self("office.none")
        return self(f"{section}.{code}") if f"{section}.{code}" in self.catalogue else code

    def either(self, text: str) -> str:
        """One half of the desk's own "Vietnamese / English" texts."""
        parts = text.split(" / ")
        return parts[0 if self.language == "vi" else 1] if len(parts) == 2 else text

    def article(self, text: str) -> str:
        """ "27/2025 Art. 4.2.g" as people there write it."""
        return wording.article(self, text)


def make_sheet(
    told: Dossier, words: Words, lane: str, printed: tuple[str, str], photo: Callable[[str], bytes | None]
) -> Sheet:
    """`lane` is the lane's name, `printed` when and by whom, `photo` a picture by its id."""
    when, who = printed
    pictures = [(words.of("picture", name), photo(id)) for id, name in told.photos]
    return Sheet(
        words.language,
        words("passage_page.title"),
        tuple(facts(told, words, lane)),
        tuple(words(f"passage_page.{key}") for key in ("number", "when", "what", "who")),  # type: ignore[arg-type]
        words("passage_page.chain"),
        tuple(entry(line, words) for line in told.lines),
        tuple((name, jpeg) for name, jpeg in pictures if jpeg is not None),
        words("passage_page.no_photos"),
        words("passage_page.printed", time=wording.full_clock(words.language, when), who=who),
        words("passage_page.blank"),
    )


def facts(told: Dossier, words: Words, lane: str) -> list[tuple[str, str]]:
    """(label, value) of the passage as a whole."""
    row, language = told.row, words.language
    wait_s = None if row.wait_ms is None else row.wait_ms / 1000
    reason = words.of("override_reason" if row.how == "overridden" else "turn_away_reason", row.reason)
    outcome = words.of("outcome", row.outcome) if row.outcome else words("history.standing")
    found = {
        "gate": f"{told.site} · {lane}",
        "arrived": wording.full_clock(language, row.began_ms),
        "vehicle": vehicle(told.who, words),
        "beside": beside(told.who, words),
        "plates": ", ".join(row.plates) or words("history.no_plate"),
        "read": words.of("read", row.read),
        "declaration": row.declaration or words("office.none"),
        "verdict": words.of("verdict", row.verdict),
        "outcome": f"{outcome} ({reason})" if row.outcome == "turned_away" and row.reason else outcome,
        "how": f"{words.of('how', row.how)} ({reason})" if row.how == "overridden" else words.of("how", row.how),
        "wait": wording.span(language, wait_s) or words("office.none"),
        "people": ", ".join(row.people) or words("office.none"),
        "id": row.id,
    }
    return [(words(f"passage_page.{key}"), value) for key, value in found.items()]


def vehicle(who: Mapping[str, Any] | None, words: Words) -> str:
    """Which vehicle it was, and by which plate and from whom that is known."""
    if not who or not (who.get("vehicle") or who.get("plate")):
        return words("office.none")
    plates = " + ".join(who.get("vehicle") or [str(who["plate"])])
    source = f"known_by.{'typed_over' if who.get('over') else who.get('source')}"
    if source not in words.catalogue:
        return plates
    return f"{plates} ({words(source, plate=who.get('plate') or '', by=who.get('by') or '', over=who.get('over'))})"


def beside(who: Mapping[str, Any] | None, words: Words) -> str:
    """Every other plate that was in view, as it stood."""
    others = (who or {}).get("beside", ())
    told = (f"{one['plate']} ({words.of('standing', one['standing'])})" for one in others)
    return ", ".join(told) or words("office.none")


def entry(line: Line, words: Words) -> Entry:
    who = " + ".join(one for one in (line.by, line.second) if one)
    return Entry(
        str(line.seq),
        wording.full_clock(words.language, line.at),
        words.of("event", line.code),
        who,
        tuple(f"{words.of('fact', key)}: {_value(key, value, line, words)}" for key, value in line.facts),
        tuple(why(line.verdict, words)) if line.verdict else (),
        line.hash[:SHORT_HASH],
    )


def why(verdict: Mapping[str, Any], words: Words) -> list[str]:
    """The verdict, its reasons, and what is missing in the legal order, each with its article."""
    told = [words.of("verdict", str(verdict.get("verdict")))]
    for reason in verdict.get("reasons", ()):
        if reason["code"] != "missing":
            told.append(_with_article(words.either(str(reason["text"])), str(reason.get("article") or ""), words))
    in_full = [words.either(str(one["text"])) for one in verdict.get("reasons", ()) if one["code"] == "missing"]
    for number, missing in enumerate(verdict.get("missing", ())):
        codes = str(missing["authority"]).split("|")
        who = f" {words('missing.or')} ".join(words.of("authority", one) for one in codes)
        what = f"{words.of('act', missing['act'])} ({words.of('step', missing['step'])})"
        text = words("passage_page.missing", who=who, what=what)
        if number < len(in_full) and not all(f"authority.{one}" in words.catalogue for one in codes):
            text = in_full[number]  # an authority that only the rule table knows is named in its words
        told.append(_with_article(text, str(missing.get("article") or ""), words))
    return told


def _with_article(text: str, article: str, words: Words) -> str:
    return f"{text} [{words.article(article)}]" if article else text


def _value(key: str, value: object, line: Line, words: Words) -> str:
    if value is True:
        return words("fact.yes")
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    if key == "code":
        return say_fault(words.catalogue, words.language, str(value))
    if key == "reason":
        return words.of(REASONS.get(line.code, "turn_away_reason"), str(value))
    return words.of("outcome", str(value)) if key == "outcome" else str(value)
