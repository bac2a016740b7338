"""Watches: what nobody tells us and we see ourselves goes into the record as events of our own."""
