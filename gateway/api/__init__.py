"""The JSON API under /api/v1, one file per resource, and the health probes. DESIGN §5 is its contract."""
