"""Signing in with what is limited and remembered of it, and the sessions that come of it."""
