"""What a room remembers and what it proves: one SQLite file, whose ids are whose, and what becomes of a torn card."""
