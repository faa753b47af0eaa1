"""Attacks on barie as programs of their own: bounded, on loopback or in a network of their own, harmless elsewhere.

Each is `python -m tests.site.attacks.NAME`, prints what it saw as JSON, and ends with 1 where it got further than it
should (docs/security.md says which claim it attacks).
"""
