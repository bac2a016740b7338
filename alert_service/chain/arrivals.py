"""Reads what arrives on `audit/{source}`, pure: an event that fits our tables, or an incident of our own to record.

Whatever it is, it can be recorded, so that no message can be offered again and again (a poison loop).
"""

import hashlib
import unicodedata
from collections.abc import Iterator

import msgspec

from alert_service.chain.sources import REASON, speaks_for
from shared.proof import together
from shared.words import topics
from shared.words.messages import AuditEvent, Id, M, Who, decode, utc
from shared.words.names import Outcome, Severity, is_identity
from shared.words.problem import HomeError

MAX_EVENT_BYTES = 16384
MAX_DETAILS = 32
MAX_SEQ = 2**53
OURSELVES = "alerts"
_FIRST_YEAR, _LAST_YEAR = 1970, 9998
"""A room without a clock starts in 1970; at the ends of time no zone can be applied."""
COALESCED_SECONDS = 600.0
"""Incidents of one kind from one source within this time are one event."""


FUTURE_SECONDS = 86400.0
"""An event further ahead of our clock is recorded, and told: a clock is wrong, or somebody lies about when."""


class _Named(msgspec.Struct, frozen=True):
    """As much of an event as its receipt needs."""

    id: Id


class _Numbered(msgspec.Struct, frozen=True):
    """As much of an event as is needed to know that it came."""

    seq: int


class Arrival(msgspec.Struct, frozen=True):
    """One event to record, from the source that the broker vouches for.

    `instead_of` names the source and id of the event that an incident stands for: its producer gets a receipt all
    the same, or what we refuse would block everything behind it in the producer's spool; `number` is that event's
    `seq`. `remarks` are incidents to be recorded where the event itself is new.
    """

    source: str
    event: AuditEvent
    instead_of: tuple[str, str] | None = None
    number: int | None = None
    remarks: tuple["Arrival", ...] = ()


def read_all(topic: str, payload: bytes, now: float) -> list[Arrival]:
    """What to record for a message, which may carry several events: each is read as if it had come alone."""
    told = (read(topic, one, now) for one in together.opened(payload))
    return [arrival for arrival in told if arrival is not None]


def read(topic: str, payload: bytes, now: float) -> Arrival | None:
    """What to record for one event; None where its topic is not for audit events."""
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
    # Without a backslash JSON can write neither NUL nor half a character, and its bytes were found to be UTF-8.
    fault = _fault(event, texts=b"\\" in payload)
    if fault is not None:
        return _refused("malformed", source, fault, payload, now)
    return Arrival(source, event, remarks=tuple(_remarks(source, event, now)))


def whose(arrival: Arrival) -> str:
    """Who sent what became this arrival: of an incident, the source that it is about."""
    return arrival.event.where if arrival.source == OURSELVES else arrival.source


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
    named, numbered = _part(_Named, payload), _part(_Numbered, payload)
    return msgspec.structs.replace(
        made,
        instead_of=(source, named.id) if named is not None else None,
        number=numbered.seq if numbered is not None and 0 < numbered.seq < MAX_SEQ else None,
    )


def _part(kind: type[M], payload: bytes) -> M | None:
    try:
        return decode(kind, payload)
    except HomeError:
        return None


def _remarks(source: str, event: AuditEvent, now: float) -> Iterator[Arrival]:
    """What is odd about an event that is recorded all the same, as its source's claim."""
    if event.at.timestamp() > now + FUTURE_SECONDS:
        yield incident("from-future", source, f"event {event.id} is dated {event.at:%Y-%m-%d %H:%M} UTC", now)
    if not speaks_for(source, event):
        told = f"event {event.id} is about {event.where}, by {event.who.issuer}"
        yield incident("not-its-own", source, told, now)


def _fault(event: AuditEvent, *, texts: bool) -> str | None:
    """What of a well-formed event would not fit the tables (PostgreSQL takes no NUL, SQLite 64 bits).

    `texts`: whether its texts are to be looked at as well.
    """
    if not 0 <= event.seq < MAX_SEQ:
        return "seq is out of range"
    if len(event.detail) > MAX_DETAILS:
        return "too many details"
    if not _FIRST_YEAR <= event.at.year <= _LAST_YEAR:
        return "its time is out of range"
    if texts and not all(text is None or ("\0" not in text and _encodes(text)) for text in _texts(event)):
        return "a text holds what is no character"
    return None


def _texts(event: AuditEvent) -> list[str | None]:
    user = event.who.user
    named = [user.id, user.name] if user is not None else []
    who = event.who
    return [
        event.what,
        event.where,
        who.issuer,
        who.address,
        event.command_id,
        *named,
        *event.detail,
        *event.detail.values(),
    ]


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _printable(text: str) -> str:
    return "".join(" " if unicodedata.category(sign)[0] in "CZ" else sign for sign in text)
