"""What stands for a row that a hand has spoiled or taken out, pure: it must stop neither us nor a page.

What is wrong with it is the chain's to say (`chain.verify`).
"""

import msgspec

from alert_service.chain import forms
from alert_service.chain.chain import LAST_MOMENT, Row, unflat
from alert_service.chain.forms import Flat
from shared.words import messages
from shared.words.messages import AuditEvent, Who
from shared.words.names import Outcome, Severity
from shared.words.problem import HomeError

SPOILED = "audit:spoiled"
"""What is told in place of a row that cannot be read any more."""
GONE = "audit:gone"
"""What is told in place of a row that a letter was due about and that is not there any more."""


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
