"""Hostile cameras: `scripts/cameras`."""
