"""A home kept safe: as one file and back again, and mended where it is torn."""
