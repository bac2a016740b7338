"""A room's agent: one inbox, one loop, and the only hands on the pins."""
