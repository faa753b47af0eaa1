"""The demo's own world: camera, broker, road and guard, all played. Not part of the Debian package."""
