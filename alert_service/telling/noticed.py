"""What a rule on happenings means, pure: which happening it is about, and whether its letter is due.

Each rule stands for itself: every one that a happening fits has its letter. Times are microseconds since 1970.
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import tzinfo
from enum import Enum
from fnmatch import fnmatchcase

import msgspec

from alert_service.chain import chain
from alert_service.telling import hours
from alert_service.telling.hours import Hours
from alert_service.telling.policy import Rule, several
from shared.words.happenings import PASSING

SOMEBODY_AT_HOME = "somebody-at-home"
ENDS = {"device:opened": "device:closed", "room:away": "room:back"}
"""What lasts, and what ends it."""
SECOND = 1_000_000
GRACE = 5 * SECOND
"""So long after a rule's time the word of an end before it may still be under way."""


class Happening(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the happenings, as far as a rule or a letter looks at it; of summed ones `until` is the last."""

    number: int
    source: str
    id: str
    seq: int
    what: str
    place: str
    at: int
    until: int
    received_at: int
    times: int = 1
    event: str = ""


class NoticeRule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule on happenings, read. `key` is what it asks for, so that it stays the same where others are written."""

    key: str
    name: str
    what: tuple[str, ...]
    where: tuple[str, ...]
    source: tuple[str, ...]
    hours: Hours
    lasting: int | None
    """Microseconds."""
    unless_home: bool
    letter: bool
    to: tuple[str, ...]
    urgent: bool

    def fits(self, happening: Happening) -> bool:
        """Whether it is about such a thing at such a place."""
        return (
            happening.what in self.what
            and _one_of(self.where, happening.place)
            and _one_of(self.source, happening.source)
        )


class Verdict(Enum):
    """What is to be done about a happening that a rule fits."""

    NOTHING = "nothing"
    WAIT = "wait"
    TELL = "tell"


def read(rules: Iterable[Rule]) -> tuple[NoticeRule, ...]:
    """The rules that are on happenings, in their order. They were checked: raises ValueError for what is wrong."""
    return tuple(_read(rule) for rule in rules if rule.on_happenings)


def wanted(rules: Sequence[NoticeRule], happening: Happening) -> list[NoticeRule]:
    """The rules that want a letter of it: all that fit, down to one that says `letter = false`."""
    found = []
    for rule in rules:
        if rule.fits(happening):
            if not rule.letter:
                break
            found.append(rule)
    return found


def due(rule: NoticeRule, happening: Happening, zone: tzinfo) -> int | None:
    """The moment from which there is something to tell, where it still lasts then; None where there never is.

    Of what is to last it is the first moment in the rule's hours after that time, counted from the last of summed ones.
    """
    if rule.lasting is None:
        first = _first(rule, happening.at, zone)
        return first if first <= happening.until else None
    return _first(rule, happening.until + rule.lasting, zone)


def judge(moment: int | None, rule: NoticeRule, ended_at: int | None, now: int) -> Verdict:
    """What `moment`, which is `due`, comes to, as far as is known `now`."""
    if moment is None:
        return Verdict.NOTHING
    if rule.lasting is None:
        return Verdict.TELL
    if ended_at is not None:
        return Verdict.TELL if ended_at >= moment else Verdict.NOTHING
    return Verdict.TELL if now >= moment + GRACE else Verdict.WAIT


def ends(end: Happening, begun: Happening) -> bool:
    """Whether one ended the other. Of summed ones, which have no order among them, the last of each counts."""
    if ENDS.get(begun.what) != end.what:
        return False
    if end.times > 1 or begun.times > 1:
        return end.until >= begun.until
    return follows(end, begun)


def follows(later: Happening, earlier: Happening) -> bool:
    """Whether one came after the other. A room counts what it tells, so its order holds whatever its clock does."""
    if later.source == earlier.source and later.seq and earlier.seq:
        return (later.seq, later.number) > (earlier.seq, earlier.number)
    return later.number > earlier.number


def _first(rule: NoticeRule, moment: int, zone: tzinfo) -> int:
    if rule.hours.always:
        return moment
    return chain.microseconds(rule.hours.first(chain.from_microseconds(moment), zone))


def _read(rule: Rule) -> NoticeRule:
    start, end = hours.between(rule.between) if rule.between is not None else (0, 24 * 60)
    days = hours.days(several(rule.days)) if several(rule.days) else Hours().days
    asked = (rule.what, rule.where, rule.source, rule.lasting, rule.between, rule.days, rule.unless)
    return NoticeRule(
        key=hashlib.sha256(msgspec.json.encode(asked)).hexdigest(),
        name=rule.name or "",
        what=tuple(word for word in several(rule.what) if word in PASSING),
        where=several(rule.where),
        source=several(rule.source),
        hours=Hours(start, end, days),
        lasting=hours.lasting(rule.lasting) * SECOND if rule.lasting is not None else None,
        unless_home=rule.unless is not None,
        letter=rule.letter,
        to=several(rule.to),
        urgent=bool(rule.urgent),
    )


def _one_of(patterns: tuple[str, ...], text: str) -> bool:
    return not patterns or any(fnmatchcase(text, pattern) for pattern in patterns)
