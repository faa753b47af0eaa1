"""A replay as one self-contained HTML record: expected against got, timeline, best frames, votes, misses and why.

Signed with the gate's key it is the acceptance record of a site: whoever has the public key can check it years later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

from edge import __version__
from edge.clock import wall_iso
from edge.config import load_config
from edge.core.camera.measured_plate import Cause
from edge.core.camera.region import inside
from edge.core.camera.view_settings import Aim
from edge.core.plate.vote import USUAL, VoteRules
from edge.errors import BarieError
from edge.panel.messages import load_catalogue, say
from edge.ports import Detector, Frame, Reader
from edge.technician import expected, html, signed
from edge.technician.expected import Passage, Row
from edge.technician.trace import AIDED_MOST, Trace, Vote, miss_cause, survey_cause, why_decided
from edge.vision.survey import Surveyor

WIDTH_PX = 960
GREEN, GREY = "#0a6b2d", "#b8c2cb"
Frames = Callable[[], Iterable[Frame]]


@dataclass(slots=True)
class ClipReport:
    """One clip: its passages, what was expected (None: nothing said), the trace where a report was asked for."""

    name: str
    passages: list[dict[str, Any]]
    wanted: list[dict[str, Any]] | None
    trace: Trace | None = None
    aim: Aim = field(default_factory=Aim)
    vote: VoteRules = USUAL
    causes: dict[str, Cause] = field(default_factory=dict)
    """Plate -> why it was missed."""
    cut: str = ""
    """Where the recording ends before its end: what was said of that."""

    @property
    def differences(self) -> list[str]:
        return [] if self.wanted is None else expected.differences(self.wanted, self.passages)

    @property
    def rows(self) -> list[Row]:
        return expected.table(self.wanted or [], self.passages)

    def explain(self, frames: Frames, detector: Detector, reader: Reader) -> None:
        """Find the cause of every miss; where the trace saw nothing at all, look at the whole picture with aids."""
        if self.trace is None:
            return
        for asked in [row.wanted for row in self.rows if row.mark == "missed" and row.wanted is not None]:
            span = float(asked.get("appears_s", 0.0)), float(asked.get("gone_s", 1e9))
            found = miss_cause(self.trace, *span, asked["plate"])
            if found == "unseen":
                found = self._surveyed(frames(), span, Surveyor(detector, reader, self.vote.sure))
            self.causes[asked["plate"]] = found

    def _surveyed(self, frames: Iterable[Frame], span: tuple[float, float], surveyor: Surveyor) -> Cause:
        within = [frame for frame in frames if span[0] <= frame.captured_mono_ns / 1e9 <= span[1]]
        few = within[:: max(1, len(within) // AIDED_MOST)][:AIDED_MOST]
        sights = [sight for frame in few for sight in surveyor.look(frame, aided=True)]
        region = self.aim.reads_in
        return survey_cause(sights, [region is None or inside(sight.middle, region) for sight in sights])


def table_lines(reports: Sequence[ClipReport]) -> list[str]:
    """Expected against got, one line for each plate, for the console."""
    rows = [_cells(one, row) for one in reports for row in one.rows]
    head = ("", "clip", "expected", "got", "decided", "why")
    widths = [max(len(line[i]) for line in [head, *rows]) for i in range(len(head))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in [head, *rows]]


def _cells(one: ClipReport, row: Row) -> tuple[str, ...]:
    wanted = row.wanted["plate"] if row.wanted else "–"
    got = row.got["plate"] if row.got else "–"
    decided = f"{row.got['decided_s']:.2f} s" if row.got else ""
    why = one.causes.get(wanted, "") if row.mark == "missed" else ""
    return (row.mark if one.wanted is not None else "", one.name, wanted, got, decided, why)


def compared(before: Sequence[Passage], reports: Sequence[ClipReport]) -> list[str]:
    """What differs between an earlier run's passages and this one's, in words; clips in only one run are left out."""
    return [f"{clip}: {plate}: {old} -> {new}" for clip, plate, old, new, same in _pairs(before, reports) if not same]


def _pairs(before: Sequence[Passage], reports: Sequence[ClipReport]) -> Iterator[tuple[str, str, str, str, bool]]:
    """(clip, plate, before, now, whether equal) of every plate of clips in both runs."""
    for one in reports:
        old = {p["plate"]: p for p in before if p["clip"] == one.name}
        new = {p["plate"]: p for p in one.passages}
        for plate in [*old, *(plate for plate in new if plate not in old)] if old else ():
            was, now = _brief(old.get(plate)), _brief(new.get(plate))
            yield one.name, plate, was, now, was == now


def _brief(passage: Passage | None) -> str:
    if passage is None:
        return "not there"
    if not passage["decided"]:
        return f"undecided, {passage['votes']} vote(s)"
    return f"decided at {passage['decided_s']:.2f} s"


# ---------------------------------------------------------------- the page


def record(path: Path, reports: Sequence[ClipReport], before: Sequence[Passage] | None, sign_with: Path | None) -> None:
    """Write the page; `sign_with` is a config whose gate key signs it. Raises BarieError."""
    text = page(reports, before)
    if sign_with is not None:
        text = signed.sign(text, Path(load_config(sign_with).site.data_dir))
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BarieError(f"--report {path}: cannot be written: {error.strerror}") from error


def page(reports: Sequence[ClipReport], before: Sequence[Passage] | None = None) -> str:
    """The whole record. Its only time is when it was made."""
    good = sum(row.mark == "ok" for one in reports for row in one.rows if row.wanted)
    wanted = sum(len(one.wanted or ()) for one in reports)
    rows = [(one, row) for one in reports for row in one.rows]
    parts = [
        f"<p>{wall_iso()} · barie {escape(__version__)} · {len(reports)} clip(s) · {good}/{wanted} as expected</p>",
        html.table(
            ("", "clip", "expected", "got", "decided", "why"),
            [_cells(one, row) for one, row in rows],
            ["" if one.wanted is None else "good" if row.mark == "ok" else "bad" for one, row in rows],
        ),
        _comparison(before, reports) if before is not None else "",
        *(_clip(one) for one in reports),
    ]
    return html.document("Phát lại / Replay", parts)


def _comparison(before: Sequence[Passage], reports: Sequence[ClipReport]) -> str:
    pairs = list(_pairs(before, reports))
    cells = [(clip, plate, old, new) for clip, plate, old, new, _ in pairs]
    classes = ["" if same else "bad" for *_, same in pairs]
    return f"<h2>Trước và sau / Before and after</h2>{html.table(('clip', 'plate', 'before', 'now'), cells, classes)}"


def _clip(one: ClipReport) -> str:
    parts = [f"<h2>{escape(one.name)}</h2>", _timeline(one)]
    parts += [_missed(one, row.wanted) for row in one.rows if row.mark == "missed" and row.wanted is not None]
    parts += [_passage(one, passage) for passage in one.passages]
    return "\n".join(parts)


def _missed(one: ClipReport, asked: Passage) -> str:
    cause, catalogue = one.causes.get(asked["plate"], "unseen"), load_catalogue()
    said = html.both(say(catalogue, "vi", f"cause.{cause}"), say(catalogue, "en", f"cause.{cause}"))
    return f'<div class="passage miss"><h3>{escape(asked["plate"])}: không đọc được / missed</h3><p>{said}</p></div>'


def _passage(one: ClipReport, passage: Passage) -> str:
    votes = one.trace.votes.get(passage["track"], []) if one.trace else []
    best = one.trace.best.get(passage["track"]) if one.trace else None
    pictures = ""
    if best is not None:
        both = html.jpeg_picture(best.photo, "frame") + html.jpeg_picture(best.crop, "plate", "crop")
        pictures = f'<div class="side">{both}</div>'
    kind = "ok" if passage["decided"] else "miss"
    title = " · ".join(escape(passage[key]) for key in ("plate", "kind", "layout"))
    why = escape(why_decided(votes, one.vote))
    return f'<div class="passage {kind}"><h3>{title}</h3><p>{why}</p>{pictures}{_votes(votes)}</div>'


def _votes(votes: Sequence[Vote]) -> str:
    head = ("s", "frame", "read", "raw", "kind", "confidence", "leader", "votes", "decided")
    rows = [
        (
            f"{v.at_s:.2f}", str(v.frame), v.text, v.raw.replace("\n", " / "), v.kind, f"{v.confidence:.3f}", v.leader,
            str(v.votes), "yes" if v.decided else "",
        )
        for v in votes
    ]  # fmt: skip
    classes = ["good" if v.text == v.leader else "bad" for v in votes]
    return f"<details><summary>{len(votes)} readings</summary>{html.table(head, rows, classes)}</details>"


def _timeline(one: ClipReport) -> str:
    """Looks as ticks, expected plates as grey bars, passages as bars with the moment of their decision."""
    looks = one.trace.looks if one.trace else []
    ends = [float(p["gone_s"] or p["decided_s"] or p["first_s"]) for p in one.passages]
    ends += [float(p["gone_s"]) for p in one.wanted or () if "gone_s" in p]
    length_s = max([1.0, *(look.at_s for look in looks), *ends])
    scale = WIDTH_PX / length_s
    ticks = "".join(_rect(look.at_s * scale, 0, 2, 8, GREEN if look.inside else GREY) for look in looks)
    bars, y = [], 14
    for asked in one.wanted or ():
        bars.append(_bar(asked.get("appears_s", 0.0), asked.get("gone_s", length_s), scale, y, GREY, asked["plate"]))
        y += 20
    for passage in one.passages:
        colour = GREEN if passage["decided"] else "#a11616"
        bars.append(_bar(passage["first_s"], passage["gone_s"] or length_s, scale, y, colour, passage["plate"]))
        if passage["decided_s"] is not None:
            bars.append(
                f'<rect x="{passage["decided_s"] * scale:.1f}" y="{y - 2}" width="3" height="18" fill="#16202a"/>'
            )
        y += 20
    size = f'viewBox="0 0 {WIDTH_PX} {y}" width="{WIDTH_PX}" height="{y}"'
    return f'<svg {size} role="img" aria-label="timeline of {length_s:.1f} s">{ticks}{"".join(bars)}</svg>'


def _bar(from_s: float, to_s: float, scale: float, y: int, colour: str, text: str) -> str:
    x, width = from_s * scale, max(2.0, (to_s - from_s) * scale)
    label = f'<text x="{x + 4:.1f}" y="{y + 12}" font-size="12" fill="#fff">{escape(text)}</text>'
    return _rect(x, y, width, 15, colour) + label


def _rect(x: float, y: float, width: float, height: float, colour: str) -> str:
    return f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{height}" fill="{colour}"/>'
