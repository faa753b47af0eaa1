"""The way to the centre over MQTT, and the stand-in for the centre (docs/storage.md, docs/protocol.md)."""
