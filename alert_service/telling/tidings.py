"""What one letter about happenings says, as it was when the letter was made. Times are microseconds since 1970."""

import hashlib
from typing import Literal

import msgspec

from alert_service.telling.noticed import Happening, NoticeRule

Form = Literal["began", "both", "ended", "sum"]
LINES = 20
"""So many of a sum are told one by one."""
DAY = 86_400_000_000


class Doubt(msgspec.Struct, frozen=True):
    """Why nobody can be sure that it still lasts, and since when: the room is away, or its contact says nothing."""

    why: Literal["room-away", "unreadable", "restless"]
    since: int


class Tiding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened. `ended_at` is None while it lasts, and of what does not last.

    `shift`: the hub's clock was set by so much since. `told_after` of what lasts: the rule's time.
    `nobody_home` is None where the rule does not ask, and False where nobody knows.
    """

    what: str
    place: str
    at: int
    until: int
    received_at: int
    times: int = 1
    event: str = ""
    shift: int = 0
    ended_at: int | None = None
    end_received_at: int | None = None
    told_after: int | None = None
    nobody_home: bool | None = None
    doubts: tuple[Doubt, ...] = ()

    @property
    def lasted(self) -> int | None:
        """From its beginning, of summed ones the last, to its end; None where that is not known.

        The clock of a room may have been set back in between.
        """
        if self.ended_at is None:
            return None
        lasted = self.ended_at - (self.until + self.shift)
        return lasted if lasted >= 0 else None


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """A letter about happenings: one that began, that is over already, that ended after it was told, or a sum.

    `tidings` are the first LINES of a sum, of `count` in all; else the one. `rule` is the rule's name.
    """

    form: Form
    rule: str
    urgent: bool
    made_at: int
    tidings: tuple[Tiding, ...]
    count: int = 1
    last_at: int = 0
    late: bool = False


def tiding(happening: Happening, rule: NoticeRule, *, shift: int = 0, end: Happening | None = None) -> Tiding:
    """What is told of a happening and its end."""
    return Tiding(
        what=happening.what,
        place=happening.place,
        at=happening.at,
        until=happening.until,
        received_at=happening.received_at,
        times=happening.times,
        event=happening.event,
        shift=shift,
        ended_at=end.until if end is not None else None,
        end_received_at=end.received_at if end is not None else None,
        told_after=rule.lasting,
        nobody_home=False if rule.unless_home else None,
    )


def key(form: str, *parts: str) -> str:
    """The key of a letter in the outbox: of one happening, one rule and one form there is one."""
    return hashlib.sha256(msgspec.json.encode(("happening", form, *parts))).hexdigest()
