"""The barrier on simulated time: `barie sim`."""
