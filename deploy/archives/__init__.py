"""A home as one archive: packed, sealed, carried to its target, and the list of who was revoked beside it."""
