"""What people and the platform ask of a lane: each checked, done once, answered after its record."""
