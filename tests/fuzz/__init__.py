"""Fuzzers for a running home: HTTP from raw bytes up, and MQTT through the broker; seeded, so that runs repeat."""
