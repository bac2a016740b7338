"""Readings as people look at them, pure: spans of a calendar, scales, lines and bars, and the table behind."""
