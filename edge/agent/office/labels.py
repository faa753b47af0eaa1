"""A person says at the screen whether a photo was read right: kept as one of the site's own tests, and on record.

The event names the passage as `labelled`: it is no part of it, for it may come weeks after.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from edge import clock, resources
from edge.agent.cameras import site_clips
from edge.agent.lane.lane_journal import LaneJournal
from edge.agent.lane.notes import LABEL
from edge.agent.office.history import Past
from edge.core.bodies import Labelled
from edge.core.plate.table import parse as parse_plates
from edge.core.record.dossier import Dossier, Mark, Shot
from edge.core.record.history import PassageRow
from edge.errors import RefusedError, StoreError
from edge.ports import Person
from edge.store import Store

log = logging.getLogger(__name__)


class Labels:
    """`dossier` and `label` as in `ports.Office`."""

    def __init__(self, data_dir: Path, store: Store, past: Past, journals: Mapping[str, LaneJournal]) -> None:
        self._folder, self._store, self._past, self._journals = data_dir / site_clips.FOLDER, store, past, journals
        self._plates = parse_plates(*resources.config_text("plates.toml"))

    async def dossier(self, passage: str) -> Dossier | None:
        """With the marks that its photos bear."""
        told = await self._past.dossier(passage)
        return None if told is None else replace(told, shots=await asyncio.to_thread(self._marked, told.shots))

    def _marked(self, shots: tuple[Shot, ...]) -> tuple[Shot, ...]:
        notes = {shot.id: LABEL.of(self._store, shot.id) for shot in shots}
        return tuple(replace(shot, mark=mark) if (mark := notes[shot.id]) else shot for shot in shots)

    async def label(self, passage: str, photo: str, mark: Mark, by: Person) -> str:
        try:
            told = await self._past.dossier(passage)
            shot = next((one for one in told.shots if one.id == photo), None) if told else None
            if told is None or shot is None:
                return "label.no_photo"
            await self._keep(told.row, shot, mark, by)
        except RefusedError as error:
            return f"label.{error.code}"
        except StoreError as error:
            log.error("a label is not kept: %s", error)
            return "label.store_failed"
        return "label.kept"

    async def _keep(self, row: PassageRow, shot: Shot, mark: Mark, by: Person) -> None:
        """The picture first, then the event that says who marked it; without the event there is no picture either.
        Raises RefusedError, StoreError."""
        wanted = site_clips.wanted(shot, mark, self._plates)
        still = await asyncio.to_thread(self._write, row, shot, wanted)
        truth = wanted[0]["plate"] if wanted and not mark.right else ""
        said = Mark(mark.right, truth, by.id, clock.wall_iso())
        body = Labelled(
            stage="labelled_right" if mark.right else "labelled_wrong",
            labelled=row.id,
            photo=shot.id,
            read=shot.plate,
            typed=truth,
            by=by.id,
            role=by.role,
        )
        try:
            await self._journals[row.lane].write(body, also=lambda tx, _: LABEL.keep(tx, shot.id, said))
        except StoreError:
            await asyncio.to_thread(site_clips.forget, still)
            raise

    def _write(self, row: PassageRow, shot: Shot, wanted: list[dict[str, Any]]) -> Path:
        if self._store.room() == "full":
            raise RefusedError("store_full")
        path = self._store.evidence_path(shot.id)
        try:
            jpeg = None if path is None else path.read_bytes()
        except FileNotFoundError:
            jpeg = None
        except OSError as error:
            raise StoreError(f"{path}: cannot be read: {error.strerror}") from error
        if jpeg is None:
            raise RefusedError("no_photo")
        return site_clips.keep(
            self._folder, shot, jpeg, site_clips.told(row.place, row.direction, row.id, shot, wanted)
        )
