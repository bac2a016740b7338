"""The JSON API under /api/v1, one file per resource, and the health probes. docs/api.md is its contract."""
