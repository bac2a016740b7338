"""The database's history: one file a step, applied at start by auth_service.store."""
