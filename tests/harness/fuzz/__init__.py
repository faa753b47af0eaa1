"""Malformed input at every door: `scripts/fuzz`."""
