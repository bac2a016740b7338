"""The database's history: one file a step, applied at start by alert_service.store."""
