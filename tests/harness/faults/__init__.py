"""Kills, power failures, full and failing disks: `scripts/faults`."""
