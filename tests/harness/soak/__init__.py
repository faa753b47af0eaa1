"""Weeks of traffic in an hour: `scripts/soak`."""
