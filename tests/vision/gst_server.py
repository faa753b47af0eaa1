# mypy: ignore-errors
"""RTSP by GStreamer's own server, for the tests: run by the system's Python, which has its bindings.

    /usr/bin/python3 tests/vision/gst_server.py PORT NAME=FILE.mp4[:h265]… [--user NAME --password WORD]

Prints "ready" once it listens. Plays each file from its beginning to every caller; `--probe` only tells if it could.
"""

import argparse
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

ELEMENTS = ("qtdemux", "rtph264pay", "rtph265pay", "filesrc")


def factory(path, codec):
    made = GstRtspServer.RTSPMediaFactory()
    made.set_launch(f'( filesrc location="{path}" ! qtdemux ! rtp{codec}pay name=pay0 pt=96 config-interval=-1 )')
    return made


def locked(server, made, user, password):
    """Digest only, as cameras have it."""
    auth = GstRtspServer.RTSPAuth()
    auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
    auth.add_digest(user, password, token(user))
    server.set_auth(auth)
    for one in made:
        permissions = GstRtspServer.RTSPPermissions()
        permissions.add_permission_for_role(user, GstRtspServer.RTSP_PERM_MEDIA_FACTORY_ACCESS, True)
        permissions.add_permission_for_role(user, GstRtspServer.RTSP_PERM_MEDIA_FACTORY_CONSTRUCT, True)
        one.set_permissions(permissions)


def token(user):
    made = GstRtspServer.RTSPToken()
    made.set_string(GstRtspServer.RTSP_TOKEN_MEDIA_FACTORY_ROLE, user)
    return made


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("port", nargs="?", default="0")
    parser.add_argument("streams", nargs="*")
    parser.add_argument("--user")
    parser.add_argument("--password")
    parser.add_argument("--probe", action="store_true")
    options = parser.parse_args()
    Gst.init(None)
    missing = [name for name in ELEMENTS if Gst.ElementFactory.find(name) is None]
    if options.probe or missing:
        print("missing: " + ", ".join(missing) if missing else "ready")
        return 1 if missing else 0
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(options.port)
    made = []
    for stream in options.streams:
        name, _, path = stream.partition("=")
        path, _, codec = path.partition(":")
        made.append(factory(path, codec or "h264"))
        server.get_mount_points().add_factory("/" + name, made[-1])
    if options.user:
        locked(server, made, options.user, options.password)
    if not server.attach(None):
        print("cannot listen")
        return 1
    print("ready", flush=True)
    GLib.MainLoop().run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
