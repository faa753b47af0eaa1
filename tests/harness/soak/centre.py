"""The centre's stand-in of a soak run, over TLS where the broker has it: `PORT SITE DB [TLS-FOLDER]`."""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path

from edge.uplink.central import Central
from edge.uplink.central_store import CentralStore
from edge.uplink.connection import LinkSettings
from edge.uplink.topics import Topics


def main(port: int, site: str, db: Path, tls: str) -> None:
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    store = CentralStore(db)
    central = Central(store, Topics(site), None, db.with_name("central-evidence"), lambda line: None)
    ca_file = f"{tls}/ca.pem" if tls else None
    settings = LinkSettings("127.0.0.1", port, f"soak-centre-{site}", tls=bool(tls), ca_file=ca_file)
    while not stop.is_set():
        central.serve(settings, "5", stop)
        stop.wait(0.2)
    store.close()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), sys.argv[4])
