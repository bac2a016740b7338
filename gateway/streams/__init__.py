"""What open pages hear as it happens: the event streams, the hub's time in them, and news of the record."""
