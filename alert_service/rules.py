"""Which audit events deserve a letter, and what part each plays in one, pure.

A critical command is told twice, by its gateway (the intent) and by its room (the outcome): one letter for both.
"""

import hashlib
from enum import StrEnum

import msgspec

from shared.messages import AuditEvent
from shared.names import Action, Outcome, Severity, is_gateway

REASON = "reason"
"""The key in an event's detail that holds the slug of a refusal."""
ID_REUSED = "id-reused"
MISMATCH = "device:mismatch"
"""A pin reads something else than was written: a stuck relay, a broken wire."""
HUB_SOURCES = frozenset({"auth", "admin", "alerts"})


class Part(StrEnum):
    """What an event is to the letters: nothing, a letter of its own, or half of a command's letter."""

    NONE = "none"
    ALONE = "alone"
    INTENT = "intent"
    OUTCOME = "outcome"


def part(source: str, event: AuditEvent) -> Part:
    """The part that `event` from `source` plays."""
    if event.severity is Severity.INFO:
        return Part.NONE
    if not _belongs_to_command(source, event):
        return Part.ALONE
    if event.outcome is Outcome.ASKED or (event.outcome is Outcome.UNKNOWN and is_gateway(source)):
        # A gateway that stopped waiting knows no more than it did: the room's word may still come.
        return Part.INTENT if is_gateway(source) else Part.ALONE
    return Part.OUTCOME


def is_trusted(source: str) -> bool:
    """Whether `source` is believed about who did something: the hub's own identities, never a room."""
    return is_gateway(source) or source in HUB_SOURCES


def speaks_for(source: str, event: AuditEvent) -> bool:
    """Whether `event` is about what `source` may speak of: a room its own devices, a gateway its own commands."""
    if is_gateway(source):
        return event.who.issuer == source
    return source in HUB_SOURCES or event.where == source or event.where.startswith(f"{source}/")


def is_urgent(event: AuditEvent) -> bool:
    """Whether the letter is marked urgent: an attack, what was done or may have been, a device out of control."""
    done = event.outcome in {Outcome.EXECUTED, Outcome.UNKNOWN}
    return done or event.severity is Severity.SECURITY or event.what == MISMATCH


def command_key(event: AuditEvent) -> str:
    """The key of a command's letter.

    Its place is part of it: two rooms may see the same id from one client, and neither hides the other's letter.
    """
    return _key("command", event.who.issuer, event.where, event.command_id or "")


def event_key(source: str, event_id: str) -> str:
    """The key of the letter about a single event."""
    return _key("event", source, event_id)


def digest_key(source: str, first_letter: int) -> str:
    """The key of a digest, which is named after the first letter that it gathers."""
    return _key("digest", source, str(first_letter))


_COMMANDS = frozenset(f"device:{action}" for action in Action)


def _belongs_to_command(source: str, event: AuditEvent) -> bool:
    """An id used twice is told apart, or the second use could take the place of the first one's letter.

    So is what a command brought to light: that a pin does not follow is no command's outcome.
    """
    if event.what not in _COMMANDS:
        return False
    if not event.command_id or event.detail.get(REASON) == ID_REUSED:
        return False
    return source not in HUB_SOURCES and speaks_for(source, event)


def _key(*parts: str) -> str:
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()
