"""The world of the sample clips: a lane, its traffic and its weather, with true geometry (see README.md here)."""
