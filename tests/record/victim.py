"""A gate process that records until it is killed, telling its parent, after each commit, what is now on disk.

`python -m tests.record.victim FOLDER`: one line `seq serial` for each finished transaction, and `half` inside one.
"""

from __future__ import annotations

import sys
from pathlib import Path

from edge.store import Store
from edge.store.keys import load_or_create_signer


def main() -> None:
    folder = Path(sys.argv[1])
    store = Store.open(folder, site="testsite", lanes=["b1"], signer=load_or_create_signer(folder / "keys"))
    print("open", flush=True)
    while True:
        photo = store.stage_evidence(b"photo" * 2000)
        with store.transaction("b1") as tx:
            serial = tx.permit_serial()
            event = tx.event("passage", {"serial": serial}, photos=[photo])
            tx.action(f"key-{event.seq}", {"seq": event.seq})
            print("half", flush=True)
        print(event.seq, serial, flush=True)


if __name__ == "__main__":
    main()
