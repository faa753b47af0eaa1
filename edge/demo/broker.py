"""An MQTT broker that installs with pip, for the demo and the tests: iotcore (rumqttd), on this machine only.

Never for a site: it keeps everything in memory. MQTT 5 on one port; `port_v3` adds a listener for MQTT 3.1.1.
"""

from __future__ import annotations

from pathlib import Path

from edge.errors import BarieError

_CONFIG = """\
id = 0

[router]
id = 0
max_connections = 1000
max_outgoing_packet_count = 200
max_segment_size = 10485760
max_segment_count = 10
"""

_LISTENER = """
[{version}.1]
name = "{version}"
listen = "127.0.0.1:{port}"
next_connection_delay_ms = 1
[{version}.1.connections]
connection_timeout_ms = 10000
max_payload_size = 4194304
max_inflight_count = 100
dynamic_filters = true
"""


class EmbeddedBroker:
    """`directory` takes its configuration file."""

    def __init__(self, port: int, directory: Path, *, port_v3: int | None = None) -> None:
        self.port, self.port_v3 = port, port_v3
        self._path = directory / "broker.toml"
        text = _CONFIG + _LISTENER.format(version="v5", port=port)
        if port_v3 is not None:
            text += _LISTENER.format(version="v4", port=port_v3)
        directory.mkdir(parents=True, exist_ok=True)
        self._path.write_text(text, encoding="utf-8")
        self._broker: object | None = None

    def start(self) -> None:
        """Returns when it accepts connections. Raises BarieError: not installed, port taken, did not come up."""
        try:
            from iotcore import Broker
        except ImportError as error:
            raise BarieError(
                "the demo's broker is not installed: on a gate's PC apt-get install ./barie-demo_*.deb, "
                "elsewhere pip install 'iotcore==0.4.0'"
            ) from error
        try:
            self._broker = Broker(config_path=str(self._path)).start()
        except (OSError, RuntimeError, ValueError) as error:
            raise BarieError(f"the demo's broker does not start on 127.0.0.1:{self.port}: {error}") from error

    def stop(self) -> None:
        """Ends its process. Safe to call twice."""
        if self._broker is not None:
            self._broker.stop()  # type: ignore[attr-defined]
            self._broker = None
