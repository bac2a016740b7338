"""Which events become letters, to whom and how urgent, pure: the owner's rules first, then the house's own.

The first rule that fits decides. Below both lies a floor that no rule can lower: what was or may have been done to
something critical, and every security event, reach the master users (docs/alerts.md).
"""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import NamedTuple, TypeVar

from shared.running.config import Config
from shared.words.happenings import PASSING
from shared.words.names import Outcome, Severity

MASTERS = "masters"
EVERYONE = "everyone"
PERSON = "person"
"""Whom the event is about: in a rule this word, in an audience `user/ID`."""
MISMATCH = "device:mismatch"
RESTLESS = "device:restless"
"""A pin reads something else than was written: a stuck relay, a broken wire."""

_REMEMBERED = 512

T = TypeVar("T")
_NOTHING_DONE = frozenset({Outcome.REJECTED, Outcome.EXPIRED, Outcome.FAILED})
_OPTIONAL = ("room:offline", "room:online-again", "service:replaced", "backup:failed", "backup:old")
"""Critical, and yet no action: a household with a poor radio may want to hear less of it."""


class Rule(Config, frozen=True):
    """One `[[rules]]` table. What is left out fits everything; a text is a pattern with `*` and `?`.

    `to` names `masters`, `everyone`, `person` (whom the event is about), or addresses. `urgent` left out: as usual.
    One whose `what` names happenings is about these alone (noticed.py), and only such a one has `lasting` (a length of
    time), `between` (hours), `days` and `unless`.
    """

    name: str | None = None
    what: str | tuple[str, ...] = ()
    where: str | tuple[str, ...] = ()
    source: str | tuple[str, ...] = ()
    outcome: Outcome | tuple[Outcome, ...] = ()
    severity: Severity | tuple[Severity, ...] = ()
    letter: bool = True
    to: str | tuple[str, ...] = MASTERS
    urgent: bool | None = None
    lasting: str | None = None
    between: str | None = None
    days: str | tuple[str, ...] = ()
    unless: str | None = None

    @property
    def on_happenings(self) -> bool:
        """Whether it is about happenings. They are named in full: a pattern that was there before fits none of them."""
        return not PASSING.isdisjoint(several(self.what))


class Matter(NamedTuple):
    """What rules look at. `source`: who recorded it, for a command the gateway where there is one.

    `person` is the id of the user whom it is about, where the hub itself says so.
    """

    what: str
    where: str
    source: str
    outcome: Outcome
    severity: Severity
    person: str | None = None


class Decision(NamedTuple):
    """A letter: to whom (`masters`, `everyone`, `user/ID`, addresses; sorted), and whether it is marked urgent."""

    audience: tuple[str, ...]
    urgent: bool


_DESERVES = (Severity.CRITICAL, Severity.SECURITY)
HOUSE_RULES: tuple[Rule, ...] = (
    Rule(name="lockdown", what=("home:locked-down", "home:lockdown-ended"), to=EVERYONE, urgent=True),
    Rule(name="sign-in from a new place", what="session:new-place", severity=_DESERVES, to=(PERSON, MASTERS)),
    Rule(name="changes of an account", what="account:*", severity=_DESERVES, to=(PERSON, MASTERS)),
    Rule(name="a room that is away", what="room:offline", urgent=True),
    Rule(name="a room that is back", what="room:online-again", urgent=False),
    Rule(name="a service that was replaced", what="service:replaced", urgent=False),
    Rule(name="backups that fail or are old", what="backup:*", urgent=False),
    Rule(name="all that is critical or an attack", severity=_DESERVES),
    Rule(name="everyday life", letter=False),
)
"""What stands after the owner's rules. The last but one holds every critical action, grants and certificates among
them, refusals, bursts of failed sign-ins, pins that do not follow, and whatever the record itself finds wrong."""


class Policy:
    """The rules of one home."""

    def __init__(self, rules: Iterable[Rule] = ()) -> None:
        self._rules = (*(rule for rule in rules if not rule.on_happenings), *HOUSE_RULES)
        # What happens in a home is much the same from day to day.
        self._decided = lru_cache(_REMEMBERED)(self._decide)

    def decide(self, matter: Matter) -> Decision | None:
        """The letter about `matter`, or None where there is none."""
        return self._decided(matter)

    def _decide(self, matter: Matter) -> Decision | None:
        rule = next(rule for rule in self._rules if fits(rule, matter))
        audience = {_named(word, matter) for word in several(rule.to)} if rule.letter else set()
        audience.discard("")
        if is_floor(matter) and not reaches_masters(audience):
            audience.add(MASTERS)  # the check of the configuration refuses such a rule; this holds whatever happens
        elif rule.letter and not audience:
            audience.add(MASTERS)  # about nobody whom we know
        if not audience:
            return None
        return Decision(tuple(sorted(audience)), is_urgent(matter) if rule.urgent is None else rule.urgent)


HOUSE_POLICY = Policy()
"""What a home without rules of its own has."""


def fits(rule: Rule, matter: Matter) -> bool:
    """Whether `rule` is about `matter`."""
    return (
        _one_of(rule.what, matter.what)
        and _one_of(rule.where, matter.where)
        and _one_of(rule.source, matter.source)
        and (not (outcomes := several(rule.outcome)) or matter.outcome in outcomes)
        and (not (severities := several(rule.severity)) or matter.severity in severities)
    )


def is_floor(matter: Matter) -> bool:
    """Whether the master users hear of it whatever a rule says."""
    if matter.severity is Severity.CRITICAL:
        return matter.outcome not in _NOTHING_DONE and matter.what not in _OPTIONAL
    return matter.severity is Severity.SECURITY


def may_be_floor(rule: Rule) -> bool:
    """Whether `rule` may fit something that `is_floor`, judged by what it says alone."""
    severities = several(rule.severity) or tuple(Severity)
    if Severity.SECURITY in severities:
        return True
    whats, outcomes = several(rule.what), several(rule.outcome) or tuple(Outcome)
    if Severity.CRITICAL not in severities or (whats and set(whats) <= set(_OPTIONAL)):
        return False
    return not set(outcomes) <= _NOTHING_DONE


def is_refusal(matter: Matter) -> bool:
    """Whether a critical act was refused or came too late, so that nothing moved: that is told seldom, in a digest."""
    ended = matter.outcome in {Outcome.REJECTED, Outcome.EXPIRED}
    return ended and matter.severity is Severity.CRITICAL and matter.what.startswith("device:")


def is_urgent(matter: Matter) -> bool:
    """Whether a letter is usually marked urgent: an attack, what was done or may have been, a device out of control."""
    if matter.severity is Severity.INFO:
        return False
    done = matter.outcome in {Outcome.EXECUTED, Outcome.UNKNOWN}
    return done or matter.severity is Severity.SECURITY or matter.what in {MISMATCH, RESTLESS}


def reaches_masters(audience: Iterable[str]) -> bool:
    """Whether the master users are among an audience, or among what a rule's `to` names."""
    return not {MASTERS, EVERYONE}.isdisjoint(audience)


def several(said: T | tuple[T, ...]) -> tuple[T, ...]:
    """One, or several, as several."""
    return said if isinstance(said, tuple) else (said,)


def _one_of(patterns: str | tuple[str, ...], text: str) -> bool:
    return not patterns or any(fnmatchcase(text, pattern) for pattern in several(patterns))


def _named(word: str, matter: Matter) -> str:
    if word != PERSON:
        return word
    return f"user/{matter.person}" if matter.person is not None else ""
