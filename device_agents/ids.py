"""An id for what nobody gave one: an event of the room's own, or a command that came without."""

import secrets


def made_id() -> str:
    """Never the same twice."""
    return secrets.token_hex(16)
