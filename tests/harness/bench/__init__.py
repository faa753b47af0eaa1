"""The figures that the README quotes: `barie bench`."""
