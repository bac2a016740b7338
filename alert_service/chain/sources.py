"""Whose word an event is, pure: what each source may speak of, and who is believed about people."""

from shared.words.messages import AuditEvent
from shared.words.names import is_gateway

REASON = "reason"
"""The key in an event's detail that holds the slug of a refusal."""
ID_REUSED = "id-reused"
"""Such a refusal: the id stands for something else already."""
HUB_SOURCES = frozenset({"auth", "admin", "alerts", "signer"})


def is_trusted(source: str) -> bool:
    """Whether `source` is believed about who did something: the hub's own identities, never a room."""
    return is_gateway(source) or source in HUB_SOURCES


def speaks_for(source: str, event: AuditEvent) -> bool:
    """Whether `event` is about what `source` may speak of: a room its own devices, a gateway its own commands."""
    if is_gateway(source):
        return event.who.issuer == source
    return source in HUB_SOURCES or event.where == source or event.where.startswith(f"{source}/")
