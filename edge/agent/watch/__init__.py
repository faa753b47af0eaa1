"""How the gate itself is: its health, the PC, metrics, the age of its copy."""
