"""Happenings that a rule wants told: watched, each told once, and again when it has ended."""
