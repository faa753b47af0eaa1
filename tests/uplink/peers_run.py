"""How soon B1 knows what B2 confirmed while the centre is gone: two gates' records, a real broker, no centre.

python -m tests.uplink.peers_run [N]

Prints the wait from the confirmation's commit at B2 to its row at B1, over N confirmations, as JSON.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from contextlib import ExitStack, closing
from pathlib import Path

from edge.core.model import PEER
from tests.record.world import payload, uplink
from tests.uplink.brokers import Mosquitto, until
from tests.uplink.test_uplink_peers import confirm, open_gate, vias


def waits_s(count: int) -> list[float]:
    with ExitStack() as ends:
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="barie-peers-")))
        broker = Mosquitto(folder)
        broker.start()
        ends.callback(broker.stop)
        b1, b2 = (ends.enter_context(closing(open_gate(folder / lane, lane))) for lane in ("b1", "b2"))
        for store in (b1, b2):
            for number in range(count):
                store.put_declaration(f"CKS-{number}", payload(f"CKS-{number}"))
        for store in (b1, b2):
            link = uplink(store, broker.port)
            link.start()
            ends.callback(link.stop)
            until(lambda link=link: link.state()[0] == "up", "connected")  # type: ignore[misc]
        waited = []
        for number in range(count):
            name = f"CKS-{number}"
            began_s = time.monotonic()
            confirm(b2, "b2", name, "b2_in")
            until(lambda name=name: ("b2_in", PEER) in vias(b1, name), "B1 knows it")  # type: ignore[misc]
            waited.append(time.monotonic() - began_s)
        return waited


def main() -> int:
    waited = sorted(waits_s(int(sys.argv[1]) if len(sys.argv) > 1 else 100))
    print(
        json.dumps(
            {
                "confirmations": len(waited),
                "median_s": round(waited[len(waited) // 2], 3),
                "worst_s": round(waited[-1], 3),
            }
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
