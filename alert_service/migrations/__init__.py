"""The database's history: one file a step, applied at start by shared.keeping.database."""
