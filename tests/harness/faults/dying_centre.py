"""A centre that dies at one exact point of its work, once: `python -m tests.harness.faults.dying_centre POINT N ARGS…`
runs `barie ARGS…` and kills itself the N-th time that it gets to POINT."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from edge.cli import main
from edge.uplink import connection, consumer
from edge.uplink.central_store import CentralStore

POINTS = (
    "photo_arrived", "photo_on_disk", "photo_in_transaction", "photo_committed", "photo_acknowledged",
    "event_in_transaction", "event_committed", "event_acknowledged",
)  # fmt: skip
"""In the order in which a centre comes by them."""


def arm(point: str, number: int) -> None:
    passes = 0

    def here(name: str) -> None:
        nonlocal passes
        passes += name == point
        if passes == number:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(holder: Any, name: str, before: str = "", after: str = "") -> None:
        real: Callable[..., Any] = getattr(holder, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            here(before)
            value = real(*args, **kwargs)
            here(after)
            return value

        setattr(holder, name, call)

    around(consumer, "photo_of", before="photo_arrived")
    around(consumer, "write_photo", after="photo_on_disk")
    stores: list[Any] = [CentralStore]
    try:
        from central.store import SiteStore

        stores.append(SiteStore)
    except ImportError:
        pass
    for store in stores:
        around(store, "put_photo", after="photo_in_transaction")
        around(store, "take", after="event_in_transaction")
    real_publish = connection.Link.publish

    def publish(self: Any, topic: str, payload: bytes, **more: Any) -> int:
        kind = "photo" if topic.endswith("/evidence_ack") else "event" if topic.endswith("/ack") else ""
        here(f"{kind}_committed")
        mid = real_publish(self, topic, payload, **more)
        here(f"{kind}_acknowledged")
        return mid

    connection.Link.publish = publish  # type: ignore[method-assign]


if __name__ == "__main__":
    arm(sys.argv[1], int(sys.argv[2]))
    main(sys.argv[3:])
