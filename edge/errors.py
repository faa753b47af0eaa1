"""The few named exceptions of the house. Each message says what is wrong, where, and what to do; chain with `from`."""

from __future__ import annotations


class BarieError(Exception):
    """Base of every error that a person may read in one line."""


class ConfigError(BarieError):
    """A configuration that must stop the start. `faults` holds every fault found, each naming its key."""

    def __init__(self, source: str, faults: list[str]) -> None:
        self.source = source
        self.faults = faults
        super().__init__("; ".join(f"{source}: {fault}" for fault in faults))


class CameraError(BarieError):
    """The stream cannot be opened, hangs, or ended. Passing: the camera process tries again."""


class ClipCutError(CameraError):
    """A recording ends before its end. What could be decoded has been given; this says that there was more."""


class ModelError(BarieError):
    """A model is missing, unreadable or not the one in the manifest. Never to be mistaken for "no plate"."""


class StoreError(BarieError):
    """The record cannot be written. Whatever waited for it must not happen."""


class StoreFullError(StoreError):
    """No room left on the disk for the record."""


class BadMessageError(BarieError):
    """A payload from outside that does not say what it must. Counted, logged and set aside; names the field."""


class OldMessageError(BadMessageError):
    """A version that is older than the one here: set aside, and nothing newer is missing for it."""


class HalfTakenError(BadMessageError):
    """A list of which the good rows count and the bad ones do not. `rows` names each bad one by its number, never by
    its content; `changed`: the copy did."""

    def __init__(self, message: str, rows: tuple[str, ...], changed: bool) -> None:
        self.rows, self.changed = rows, changed
        super().__init__(message)


class RefusedError(BarieError):
    """A person's action that may not be done now; `code` names the entry of the message catalogue."""

    def __init__(self, code: str, detail: str = "") -> None:
        self.code = code
        self.detail = detail
        super().__init__(f"{code}: {detail}" if detail else code)
