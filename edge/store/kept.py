"""One typed note for each kind of what is kept across a restart: written as its JSON, read as its class again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, Protocol, TypeVar

from edge.core.json_shape import object_of, read
from edge.errors import StoreError

T = TypeVar("T")


class Notes(Protocol):
    """`Store`: what is on disk now."""

    def notes(self, kind: str, key: str | None = None) -> Mapping[str, Mapping[str, Any]]: ...


class Writing(Protocol):
    """`Transaction`: read and written together with what it belongs to."""

    def notes(self, kind: str, key: str) -> Mapping[str, Any] | None: ...
    def keep(self, kind: str, key: str, body: Mapping[str, Any] | None) -> None: ...


class Kept(Generic[T]):
    """Notes of one kind, by key. `made`: types whose JSON is read otherwise. What cannot be read is a StoreError naming
    kind, key and field: it is not taken for nothing."""

    def __init__(self, kind: str, note: type[T], made: Mapping[type, Callable[[Any], Any]] | None = None) -> None:
        self.kind, self._note, self._made = kind, note, made

    def all(self, store: Notes) -> dict[str, T]:
        """In the order in which they were first written."""
        return {key: self._read(key, row) for key, row in store.notes(self.kind).items()}

    def of(self, store: Notes, key: str) -> T | None:
        row = store.notes(self.kind, key).get(key)
        return None if row is None else self._read(key, row)

    def now(self, tx: Writing, key: str) -> T | None:
        """Inside a transaction."""
        row = tx.notes(self.kind, key)
        return None if row is None else self._read(key, row)

    def keep(self, tx: Writing, key: str, note: T | None) -> None:
        """None forgets it."""
        tx.keep(self.kind, key, None if note is None else object_of(note))

    def _read(self, key: str, row: Mapping[str, Any]) -> T:
        try:
            note: T = read(self._note, row, self._made)
        except (ValueError, TypeError) as error:
            raise StoreError(f"note {self.kind} {key}: {error}") from error
        return note
