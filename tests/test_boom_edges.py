"""The safety gate at its very edges: the last tick that counts and the first that does not. Ticks check invariants."""

from __future__ import annotations
