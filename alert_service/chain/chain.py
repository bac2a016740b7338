"""The chain of proof, pure: every row's hash covers the row before it, so that no edit, deletion or swap goes unseen.

People enter as a salted digest: without its salt a row still verifies, so that a person can be erased from it.
forms.py says what exactly a hash covers.
"""

import hashlib
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import msgspec

from alert_service.chain import forms
from alert_service.chain.forms import Flat, room_of
from alert_service.chain.spans import Spans
from shared.words.languages import later
from shared.words.messages import AuditEvent, UserRef, Who
from shared.words.names import Outcome, Severity

GENESIS = hashlib.sha256(b"home system audit chain 1").hexdigest()
"""What stands before the first row."""
SALT_BYTES = forms.SALT_BYTES

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NOBODY = Spans()
LAST_MOMENT = 253_000_000_000_000_000
"""In the year 9987, in microseconds: no zone takes it past the last year that there is."""
_HASH = re.compile(r"[0-9a-f]{64}")


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One recorded event. `salt` is None once its person was erased; `people` is the digest that stays.

    A longer salt is what remains of it where the person whom the event tells of was erased, but not who acted.
    """

    row: int
    source: str
    event: AuditEvent
    received_at: datetime
    salt: bytes | None
    people: str
    previous: str
    hash: str
    form: int = forms.FORM


class Broken(msgspec.Struct, frozen=True, kw_only=True):
    """The first row that does not fit, and why."""

    row: int
    reason: str


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What `verify` found: the last sound row, its hash and its clock, and the first broken one, if any."""

    row: int
    head: str
    broken: Broken | None = None
    clock: int | None = None


def append(
    source: str,
    event: AuditEvent,
    *,
    received_at: datetime,
    salt: bytes,
    row: int = 1,
    previous: str = GENESIS,
    form: int = forms.FORM,
) -> Row:
    """The row that follows `previous`; `row` is its position, counted from 1."""
    made, _ = sealed(source, event, received_at=received_at, salt=salt, row=row, previous=previous, form=form)
    return made


def sealed(
    source: str,
    event: AuditEvent,
    *,
    received_at: datetime,
    salt: bytes,
    row: int,
    previous: str,
    form: int = forms.FORM,
    clock: int = 0,
) -> tuple[Row, Flat]:
    """The same, also as the table has it: flattened once for the hash and the table. `clock` is the row before's."""
    at = microseconds(received_at)
    told = forms.seal(_flat(source, event, at, row, previous, form, clock=max(clock, at)), salt)
    made = Row(
        row=row,
        source=source,
        event=event,
        received_at=received_at,
        salt=salt,
        people=told.people,
        previous=previous,
        hash=told.hash,
        form=form,
    )
    return made, told


def erase(row: Row, user_id: str | None = None) -> Row:
    """The same row without its people; it verifies as before. With `user_id`: as far as it tells of that user."""
    return unflat(forms.without_person(flat(row)) if user_id is None else forms.without_user(flat(row), user_id))


def verify(rows: Iterable[Row], *, after: int = 0, head: str = GENESIS) -> Verdict:
    """Walk the rows in order; `after` and `head` name the last row already known to be sound."""
    for row in map(flat, rows):
        reason = forms.fault(row, after + 1, head)
        if reason is not None:
            return Verdict(row=after, head=head, broken=Broken(row=row.row, reason=reason))
        after, head = row.row, row.hash
    return Verdict(row=after, head=head)


def verify_flat(rows: Iterable[Flat], known: Verdict, erased: Spans = _NOBODY) -> Verdict:
    """The same for rows as the table has them, from the last one that is known to be sound, with their clocks.

    `erased` are the rows of which the record itself tells that somebody was taken out of them.
    """
    after, head, clock = known.row, known.head, known.clock
    for row in rows:
        reason = forms.fault(row, after + 1, head) or forms.fault_of_clock(row, clock)
        if reason is None and forms.is_bare(row) and row.row not in erased:
            reason = later("was changed: somebody was taken out of it, and no erasure tells of that")
        if reason is not None:
            return Verdict(row=after, head=head, broken=Broken(row=row.row, reason=reason), clock=clock)
        after, head, clock = row.row, row.hash, row.clock
    return Verdict(row=after, head=head, clock=clock)


def same_content(row: Row, event: AuditEvent) -> bool:
    """Whether `event` says what `row` recorded; who was erased is not compared."""
    told = flat(msgspec.structs.replace(row, event=event))
    return unflat(forms.as_erased(told)).event == row.event


def flat(row: Row, clock: int = 0) -> Flat:
    """The row as the table has it."""
    at = microseconds(row.received_at)
    return _flat(
        row.source, row.event, at, row.row, row.previous, row.form, row.salt, row.people, row.hash, clock=clock
    )


def _flat(
    source: str,
    event: AuditEvent,
    received_at: int,
    row: int,
    previous: str,
    form: int,
    salt: bytes | None = None,
    people: str = "",
    hash_: str = "",
    *,
    clock: int,
) -> Flat:
    user = event.who.user
    return Flat(
        row,
        source,
        event.id,
        event.seq,
        microseconds(event.at),
        received_at,
        event.what,
        event.where,
        room_of(event.where),
        event.who.issuer,
        user.id if user is not None else None,
        user.name if user is not None else None,
        event.who.address,
        event.command_id,
        event.outcome.value,
        event.severity.value,
        msgspec.json.encode(event.detail).decode() if event.detail else "{}",
        salt,
        people,
        previous,
        hash_,
        form,
        clock,
    )


def unflat(found: Flat) -> Row:
    """The other way round."""
    user = UserRef(id=found.user_id, name=found.user_name or "") if found.user_id is not None else None
    return Row(
        row=found.row,
        source=found.source,
        event=AuditEvent(
            id=found.id,
            seq=found.seq,
            at=from_microseconds(found.at),
            what=found.what,
            where=found.place,
            who=Who(issuer=found.issuer, user=user, address=found.address),
            command_id=found.command_id,
            outcome=Outcome(found.outcome),
            severity=Severity(found.severity),
            detail=msgspec.json.decode(found.detail, type=dict[str, str]),
        ),
        received_at=from_microseconds(found.received_at),
        salt=found.salt,
        people=found.people,
        previous=found.previous,
        hash=found.hash,
        form=found.form,
    )


def joinable(hash_: object) -> str:
    """What the next row joins: the newest row's hash. Where a hand has spoiled that, the record begins anew."""
    return hash_ if isinstance(hash_, str) and _HASH.fullmatch(hash_) else GENESIS


def microseconds(moment: datetime) -> int:
    """A moment as a whole number, exact."""
    return (moment - _EPOCH) // _MICROSECOND


def from_microseconds(number: int) -> datetime:
    """The other way round, in UTC."""
    return _EPOCH + timedelta(microseconds=number)
