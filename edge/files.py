"""Files that a power failure leaves whole: the old content or the new, never a part of either."""

from __future__ import annotations

import os
from pathlib import Path


def write_whole(path: Path, content: bytes, mode: int) -> None:
    """Beside the old one, fsynced, then renamed over it; `mode` is what the file may ever have been read by. Raises
    OSError; the old file is then still there."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as handle:
        handle.write(content)
        handle.flush()
        os.fsync(handle.fileno())
    fresh.replace(path)
    fsync_directory(path.parent)


def fsync_directory(path: Path) -> None:
    """Makes the names in it durable: a file's own fsync does not. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
