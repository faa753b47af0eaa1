"""One lane: its actor, what it knows, what it records, what it shows."""
