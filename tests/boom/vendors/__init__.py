"""Relay modules as their vendors describe them, written from the vendors' maps: not one line of barie is used here."""
