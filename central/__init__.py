"""The reference centre: many sites on PostgreSQL, any number of workers, a registry of the gates' keys, a read API.

Its own extra (`pip install 'barie[central]'`), never on a barrier PC. It shows what docs/protocol.md asks of a centre;
the demo and the kit have theirs on SQLite (edge/uplink/central.py).
"""
