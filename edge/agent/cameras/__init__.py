"""The cameras of this gate: their processes watched, their settings, how well they read."""
