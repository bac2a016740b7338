"""Pins that do not do what they are told, pure: what is known of such a fault, and the audit event about it."""

from typing import NamedTuple

from shared.words.messages import AuditEvent, Who, utc
from shared.words.names import Outcome, Severity

MISMATCH = "mismatch"
"""The fault, as a state names it, of an output whose pin reads something else than was written."""
SENSOR = "sensor"
"""That of an input that gives no reading."""
RESTLESS = "restless"
"""That of an input that does not hold still, as on a long wire beside a mains cable: what it reads means nothing."""


class Fault(NamedTuple):
    """A pin that reads something else than was written, None where it cannot be read; `why` it cannot be written.

    `stuck`: it does not even come to rest, and is told to again and again.
    """

    pin: int
    wrote: int
    reads: int | None
    stuck: bool
    why: str = ""

    @property
    def words(self) -> str:
        """What happened, for who wanted it to move."""
        return (
            self.why
            or f"Pin {self.pin} was set to {self.wrote} and reads {'nothing' if self.reads is None else self.reads}."
        )

    def is_over(self, pin: int, level: int) -> bool:
        """Whether the pin has now done what it once did not."""
        return pin == self.pin and (level > 0) == (self.wrote > 0)


_AILMENTS = {SENSOR: ("device:unreadable", "device:reads-again"), RESTLESS: ("device:restless", "device:holds-still")}
"""What is told of an input that has got a fault, and of one that has it no more."""


def ailing(id_: str, place: str, room: str, fault: str, wall: float, *, over: bool) -> AuditEvent:
    """What is recorded of the input at `place` that has this fault, or has it no more."""
    return AuditEvent(
        id=id_,
        at=utc(wall),
        what=_AILMENTS[fault][over],
        where=place,
        who=Who(issuer=room),
        outcome=Outcome.EXECUTED if over else Outcome.FAILED,
        severity=Severity.INFO if over else Severity.CRITICAL,
    )


def event(id_: str, place: str, room: str, fault: Fault | None, wall: float) -> AuditEvent:
    """What is recorded of a fault at `place`, and, with None, of its end; `wall` is seconds since 1970."""
    detail = {}
    if fault is not None:
        reads = "unreadable" if fault.reads is None else str(fault.reads)
        detail = {"pin": str(fault.pin), "wrote": str(fault.wrote), "reads": reads}
    return AuditEvent(
        id=id_,
        at=utc(wall),
        what="device:follows-again" if fault is None else "device:mismatch",
        where=place,
        who=Who(issuer=room),
        outcome=Outcome.EXECUTED if fault is None else Outcome.FAILED,
        severity=Severity.INFO if fault is None else Severity.CRITICAL,
        detail=detail,
    )
