"""Many gates against one broker and one consumer (docs/fleet.md)."""
