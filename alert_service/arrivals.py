"""Reads what arrives on `audit/{source}`, pure: an event that fits our tables, or an incident of our own to record.

Whatever it is, it can be recorded, so that no message can be offered again and again (a poison loop).
"""

import hashlib
import unicodedata

import msgspec

from alert_service.rules import REASON
from shared import topics
from shared.messages import AuditEvent, Id, Who, decode, utc
from shared.names import Outcome, Severity, is_identity
from shared.problem import HomeError

MAX_EVENT_BYTES = 16384
MAX_DETAILS = 32
MAX_SEQ = 2**53
OURSELVES = "alerts"
_FIRST_YEAR, _LAST_YEAR = 1970, 9998
"""A room without a clock starts in 1970; at the ends of time no zone can be applied."""
COALESCED_SECONDS = 600.0
"""Incidents of one kind from one source within this time are one event."""


class _Named(msgspec.Struct, frozen=True):
    """As much of an event as its receipt needs."""

    id: Id


class Arrival(msgspec.Struct, frozen=True):
    """One event to record, from the source that the broker vouches for.

    `instead_of` names the source and id of the event that an incident stands for: its producer gets a receipt all
    the same, or what we refuse would block everything behind it in the producer's spool.
    """

    source: str
    event: AuditEvent
    instead_of: tuple[str, str] | None = None


def read(topic: str, payload: bytes, now: float) -> Arrival | None:
    """What to record for a message; None where it is no audit event at all, or one that our own topic carried."""
    parsed = topics.parse(topic)
    if parsed is None or parsed.kind is not topics.TopicKind.AUDIT:
        return None
    source = parsed.who
    if source == OURSELVES or not is_identity(source):
        return incident("malformed", "broker", "an audit topic that nobody may use", now)
    if len(payload) > MAX_EVENT_BYTES:
        return _refused("too-large", source, f"{len(payload)} bytes", payload, now)
    try:
        event = decode(AuditEvent, payload)
    except HomeError as error:
        return _refused("malformed", source, error.detail, payload, now)
    fault = _fault(event)
    return _refused("malformed", source, fault, payload, now) if fault is not None else Arrival(source, event)


def incident(slug: str, source: str, told: str, now: float) -> Arrival:
    """A security event of our own; its id is alike within the coalescing time, so that it is recorded once."""
    window = int(now // COALESCED_SECONDS)
    name = hashlib.sha256(msgspec.json.encode([slug, source])).hexdigest()[:16]
    return Arrival(
        OURSELVES,
        AuditEvent(
            id=f"{slug}:{name}:{window}",
            at=utc(now),
            what=f"audit:{slug}",
            where=source,
            who=Who(issuer=source),
            outcome=Outcome.REJECTED,
            severity=Severity.SECURITY,
            detail={REASON: slug, "told": _printable(told)[:200]},
        ),
    )


def _refused(slug: str, source: str, told: str, payload: bytes, now: float) -> Arrival:
    made = incident(slug, source, told, now)
    try:
        named = decode(_Named, payload)
    except HomeError:
        return made
    return msgspec.structs.replace(made, instead_of=(source, named.id))


def _fault(event: AuditEvent) -> str | None:
    """What of a well-formed event would not fit the tables (PostgreSQL takes no NUL, SQLite 64 bits)."""
    if not 0 <= event.seq < MAX_SEQ:
        return "seq is out of range"
    if len(event.detail) > MAX_DETAILS:
        return "too many details"
    if not _FIRST_YEAR <= event.at.year <= _LAST_YEAR:
        return "its time is out of range"
    user = event.who.user
    texts = [event.what, event.where, event.who.issuer, event.who.address, event.command_id]
    texts += [user.id, user.name] if user is not None else []
    texts += [*event.detail, *event.detail.values()]
    if any(text is not None and ("\0" in text or not _encodes(text)) for text in texts):
        return "a text holds what is no character"
    return None


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _printable(text: str) -> str:
    return "".join(" " if unicodedata.category(sign)[0] in "CZ" else sign for sign in text)
