"""Debian packages of the hub and of a room's agent, for several Debians and processors: `make deb`."""
