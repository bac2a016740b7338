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
from shared.words import messages
from shared.words.messages import AuditEvent, UserRef, Who
from shared.words.names import Outcome, Severity
from shared.words.problem import HomeError

GENESIS = hashlib.sha256(b"home system audit chain 1").hexdigest()
"""What stands before the first row."""
SALT_BYTES = forms.SALT_BYTES
SPOILED = "audit:spoiled"
"""What is told in place of a row that cannot be read any more."""
GONE = "audit:gone"
"""What is told in place of a row that a letter was due about and that is not there any more."""

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
) -> tuple[Row, Flat]:
    """The same, also as the table has it: flattened once for the hash and the table."""
    made = Row(
        row=row,
        source=source,
        event=event,
        received_at=received_at,
        salt=None,
        people="",
        previous=previous,
        hash="",
        form=form,
    )
    told = forms.seal(flat(made), salt)
    return msgspec.structs.replace(made, salt=salt, people=told.people, hash=told.hash), told


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
            reason = "was changed: somebody was taken out of it, and no erasure tells of that"
        if reason is not None:
            return Verdict(row=after, head=head, broken=Broken(row=row.row, reason=reason), clock=clock)
        after, head, clock = row.row, row.hash, row.clock
    return Verdict(row=after, head=head, clock=clock)


def same_content(row: Row, event: AuditEvent) -> bool:
    """Whether `event` says what `row` recorded; who was erased is not compared."""
    told = flat(msgspec.structs.replace(row, event=event))
    return unflat(forms.as_erased(told)).event == row.event


def flat(row: Row) -> Flat:
    """The row as the table has it."""
    event, user = row.event, row.event.who.user
    return Flat(
        row=row.row,
        source=row.source,
        id=event.id,
        seq=event.seq,
        at=microseconds(event.at),
        received_at=microseconds(row.received_at),
        what=event.what,
        place=event.where,
        room=room_of(event.where),
        issuer=event.who.issuer,
        user_id=user.id if user is not None else None,
        user_name=user.name if user is not None else None,
        address=event.who.address,
        command_id=event.command_id,
        outcome=event.outcome.value,
        severity=event.severity.value,
        detail=msgspec.json.encode(event.detail).decode(),
        salt=row.salt,
        people=row.people,
        previous=row.previous,
        hash=row.hash,
        form=row.form,
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


def readable(found: Flat) -> Row:
    """A row of the table as far as it can be read: one that a hand has spoiled must neither stop us nor a page."""
    try:
        if forms.holds_texts(found):
            row = unflat(found)
            messages.decode(AuditEvent, messages.encode(row.event))  # or no gateway could read the page that it is on
            return row
    except (TypeError, ValueError, OverflowError, msgspec.MsgspecError, HomeError):
        pass
    return unflat(_spoiled(found))


def gone(row: int, at: float) -> Row:
    """What stands for a row that was taken out by hand before its letter left: the letter leaves, and says so.

    `at` is when the letter was begun, in seconds since 1970.
    """
    begun = messages.utc(at)
    return Row(
        row=row,
        source="alerts",
        event=AuditEvent(
            id=f"gone:{row}",
            at=begun,
            what=GONE,
            where="alerts",
            who=Who(issuer="alerts"),
            outcome=Outcome.UNKNOWN,
            severity=Severity.SECURITY,
            detail={"row": str(row), "told": "was taken out of the table before its letter left"},
        ),
        received_at=begun,
        salt=None,
        people="",
        previous="",
        hash="",
    )


def joinable(hash_: object) -> str:
    """What the next row joins: the newest row's hash. Where a hand has spoiled that, the record begins anew."""
    return hash_ if isinstance(hash_, str) and _HASH.fullmatch(hash_) else GENESIS


def _spoiled(found: Flat) -> Flat:
    """What is shown in its place. `verify` says what is wrong with it."""
    return found._replace(
        source=_text(found.source, 32),
        id=f"spoiled:{found.row}",
        seq=0,
        at=_moment(found.at),
        received_at=_moment(found.received_at),
        what=SPOILED,
        place=_text(found.place, 200),
        issuer=_text(found.source, 32),
        user_id=None,
        user_name=None,
        address=None,
        command_id=None,
        outcome=Outcome.UNKNOWN.value,
        severity=Severity.SECURITY.value,
        detail="{}",
        people=_text(found.people, 64),
        previous=_text(found.previous, 64),
        hash=_text(found.hash, 64),
    )


def _text(found: object, most: int) -> str:
    return found[:most] if isinstance(found, str) else ""


def _moment(found: object) -> int:
    return found if isinstance(found, int) and 0 <= found < LAST_MOMENT else 0


def microseconds(moment: datetime) -> int:
    """A moment as a whole number, exact."""
    return (moment - _EPOCH) // _MICROSECOND


def from_microseconds(number: int) -> datetime:
    """The other way round, in UTC."""
    return _EPOCH + timedelta(microseconds=number)
