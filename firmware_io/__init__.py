"""The boom side: the last gate before the relay, real boards, and the simulator. Imports nothing of `edge`."""
