"""Users, confirmation codes, sessions, grants, and the registry of rooms and devices."""
