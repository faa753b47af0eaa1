"""Cameras, pure: where a picture is read, how well, and what may be handed out of it."""
