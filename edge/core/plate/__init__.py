"""Plates, pure: what a text may be, and when the readings of one plate over many frames may be trusted."""
