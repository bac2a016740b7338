"""The chain of proof, pure: every row's hash covers the row before it, so that no edit, deletion or swap goes unseen.

People enter as a salted digest: without its salt a row still verifies, so that a person can be erased from it.
"""

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import msgspec

from shared.messages import AuditEvent, UserRef

GENESIS = hashlib.sha256(b"home system audit chain 1").hexdigest()
"""What stands before the first row."""
SALT_BYTES = 16

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FORM = 1
"""The canonical form below; a new one gets a new number, so that old rows still verify."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One recorded event. `salt` is None once its person was erased; `people` is the digest that stays."""

    row: int
    source: str
    event: AuditEvent
    received_at: datetime
    salt: bytes | None
    people: str
    previous: str
    hash: str


class Broken(msgspec.Struct, frozen=True, kw_only=True):
    """The first row that does not fit, and why."""

    row: int
    reason: str


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What `verify` found: the last sound row and its hash, and the first broken one, if any."""

    row: int
    head: str
    broken: Broken | None = None


def append(
    source: str, event: AuditEvent, *, received_at: datetime, salt: bytes, row: int = 1, previous: str = GENESIS
) -> Row:
    """The row that follows `previous`; `row` is its position, counted from 1."""
    people = digest_people(salt, event.who.user, event.who.address)
    return Row(
        row=row,
        source=source,
        event=event,
        received_at=received_at,
        salt=salt,
        people=people,
        previous=previous,
        hash=_hash(previous, row, source, event, received_at, people),
    )


def erase(row: Row) -> Row:
    """The same row without its person; it verifies as before."""
    who = msgspec.structs.replace(row.event.who, user=None, address=None)
    return msgspec.structs.replace(row, event=msgspec.structs.replace(row.event, who=who), salt=None)


def verify(rows: Iterable[Row], *, after: int = 0, head: str = GENESIS) -> Verdict:
    """Walk the rows in order; `after` and `head` name the last row already known to be sound."""
    for row in rows:
        reason = _fault(row, after + 1, head)
        if reason is not None:
            return Verdict(row=after, head=head, broken=Broken(row=row.row, reason=reason))
        after, head = row.row, row.hash
    return Verdict(row=after, head=head)


def digest_people(salt: bytes, user: UserRef | None, address: str | None) -> str:
    """Person and address as one digest that nobody can guess without the salt."""
    named = [user.id, user.name] if user is not None else None
    return hashlib.sha256(salt + msgspec.json.encode([named, address])).hexdigest()


def same_content(row: Row, event: AuditEvent) -> bool:
    """Whether `event` says what `row` recorded; an erased person is not compared."""
    if row.salt is None:
        who = msgspec.structs.replace(event.who, user=None, address=None)
        event = msgspec.structs.replace(event, who=who)
    return row.event == event


def microseconds(moment: datetime) -> int:
    """A moment as a whole number, exact."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def from_microseconds(number: int) -> datetime:
    """The other way round, in UTC."""
    return _EPOCH + timedelta(microseconds=number)


def _fault(row: Row, expected: int, head: str) -> str | None:
    if row.row != expected:
        return f"row {expected} is missing" if row.row > expected else "stands where another row belongs"
    if row.previous != head:
        return "does not follow the row before it"
    if row.hash != _hash(head, row.row, row.source, row.event, row.received_at, row.people):
        return "was changed"
    who = row.event.who
    if row.salt is None:
        return "names a person although it was erased" if who.user is not None or who.address is not None else None
    if row.people != digest_people(row.salt, who.user, who.address):
        return "names another person or address than was recorded"
    return None


def _hash(previous: str, row: int, source: str, event: AuditEvent, received_at: datetime, people: str) -> str:
    canonical = msgspec.json.encode(
        [
            _FORM,
            row,
            source,
            event.id,
            event.seq,
            microseconds(event.at),
            microseconds(received_at),
            event.what,
            event.where,
            event.who.issuer,
            event.command_id,
            event.outcome,
            event.severity,
            sorted(event.detail.items()),
            people,
        ]
    )
    return hashlib.sha256(bytes.fromhex(previous) + canonical).hexdigest()
