"""`python -m central.here`: the reference centre on this machine, to look at: PostgreSQL and mosquitto in folders of
their own, two workers, the province's page. Ends with Ctrl-C, and nothing of it stays."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from central.cluster import Cluster
from edge.errors import BarieError

CONFIG = """\
listener {port} 127.0.0.1
allow_anonymous true
max_inflight_messages 200
max_queued_messages 100000
max_packet_size 4000000
set_tcp_nodelay true
"""


def run(site: str, port: int, api: str) -> int:
    """Raises BarieError where a part is missing."""
    mosquitto = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    if mosquitto is None:
        raise BarieError("mosquitto is not installed: apt-get install mosquitto")
    with ExitStack() as ends:
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="barie-centre-")))
        cluster = Cluster()
        ends.callback(cluster.close)
        cluster.start()
        (folder / "mosquitto.conf").write_text(CONFIG.format(port=port))
        broker = subprocess.Popen([mosquitto, "-c", str(folder / "mosquitto.conf")])
        ends.callback(broker.terminate)
        line = [sys.executable, "-m", "edge", "central", "--store", cluster.url, "--broker", f"127.0.0.1:{port}"]
        line += ["--site", site, "--workers", "2", "--photos", str(folder / "photos"), "--api", api]
        print(f"broker 127.0.0.1:{port}, page http://{api}/, database {cluster.url}", flush=True)
        centre = subprocess.Popen(line)
        try:
            return centre.wait()
        except KeyboardInterrupt:
            centre.wait()
            return 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m central.here", description=__doc__)
    parser.add_argument("--site", default="langson")
    parser.add_argument("--port", type=int, default=1883, help="of the broker")
    parser.add_argument("--api", default="127.0.0.1:8090")
    args = parser.parse_args()
    try:
        return run(args.site, args.port, args.api)
    except BarieError as error:
        print(f"central.here: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
