"""Which audit events deserve a letter, and what part each plays in one, pure.

A critical command is told twice, by its gateway (the intent; of a trusted client's by the room) and by its room (the
outcome): one letter for both.
"""

import hashlib
import re
from enum import StrEnum

import msgspec

from alert_service.chain.sources import HUB_SOURCES, ID_REUSED, REASON, is_trusted, speaks_for
from shared.words.messages import AuditEvent
from shared.words.names import Action, Outcome, Severity, is_gateway

_OF_AN_ID = frozenset({ID_REUSED, "id-used"})
"""Refusals for the id alone: they say nothing of the command that it belongs to."""
_USER_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Part(StrEnum):
    """What an event is to the letters: nothing, a letter of its own, or half of a command's letter."""

    NONE = "none"
    ALONE = "alone"
    INTENT = "intent"
    OUTCOME = "outcome"


def part(source: str, event: AuditEvent, *, wanted: bool = False) -> Part:
    """The part that `event` from `source` plays; an ordinary one plays one only where a rule wants a letter about it.

    What is critical or an attack is always followed: how it ends decides whether there is a letter.
    """
    if event.severity is Severity.INFO and not wanted:
        return Part.NONE
    if not _belongs_to_command(source, event):
        return Part.ALONE
    if event.outcome is Outcome.ASKED:
        # What a trusted client, or a button, asks for only its room can tell; of a gateway's wishes it never does.
        return Part.INTENT if is_gateway(source) or not is_gateway(event.who.issuer) else Part.ALONE
    return Part.OUTCOME


def person_of(source: str, event: AuditEvent) -> str | None:
    """The id of the user whom an event is about: whose account it is, else who did it. A room's word names nobody."""
    kind, _, account = event.where.partition("/")
    user = event.who.user
    found = account if kind == "user" else user.id if user is not None else None
    return found if found is not None and is_trusted(source) and _USER_ID.fullmatch(found) else None


def thread_of(event: AuditEvent) -> str:
    """What letters about one thing have in common: its place; for sign-ins, which have a place each, the person."""
    user = event.who.user
    if event.what.startswith("session:") and user is not None:
        return _key("thread", "user", user.id)
    return thread_of_place(event.where)


def thread_of_place(where: str) -> str:
    """What letters about one place have in common."""
    return _key("thread", "place", where)


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


def digest_thread(source: str) -> str:
    """What the digests of one source have in common."""
    return _key("thread", "source", source)


_COMMANDS = frozenset(f"device:{action}" for action in Action)


def _belongs_to_command(source: str, event: AuditEvent) -> bool:
    """An id used twice is told apart, or the second use could take the place of the first one's letter.

    So is what a command brought to light: that a pin does not follow is no command's outcome.
    """
    if event.what not in _COMMANDS:
        return False
    if not event.command_id or event.detail.get(REASON) in _OF_AN_ID:
        return False
    return source not in HUB_SOURCES and speaks_for(source, event)


def _key(*parts: str) -> str:
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()
