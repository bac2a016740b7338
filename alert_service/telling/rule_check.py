"""What is wrong with an owner's rules, pure: everything at once, each line naming its rule and what would be right."""

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase

from alert_service.telling import notice_check
from alert_service.telling.policy import EVERYONE, MASTERS, PERSON, Rule, may_be_floor, reaches_masters, several
from alert_service.telling.wording import KNOWN
from shared.words import addresses
from shared.words.happenings import PASSING

MOST_RULES = 200
_PLACE = re.compile(r"[a-z0-9/.:*?\[\]!_-]+")
_SOURCE = re.compile(r"[a-z0-9*?\[\]!-]+")
_WORDS = (MASTERS, EVERYONE, PERSON)


def complaints(rules: Sequence[Rule]) -> Iterator[str]:
    """Everything that is wrong, in the order of the rules."""
    if len(rules) > MOST_RULES:
        yield f"rules: more than {MOST_RULES}; gather what belongs together in lists"
    for index, rule in enumerate(rules):
        place = f'rules[{index}] ("{rule.name}")' if rule.name else f"rules[{index}]"
        yield from (f"{place}{complaint}" for complaint in _of(rule))
        if index and _fits_all(rules[index - 1]):
            yield f"{place}: is never reached, the one before it fits everything; put that one last"


def _of(rule: Rule) -> Iterator[str]:
    for pattern in several(rule.what):
        if pattern not in PASSING and not any(fnmatchcase(known, pattern) for known in KNOWN):
            yield f'.what: "{pattern}" fits no event{_nearest(pattern, (*KNOWN, *PASSING))}; docs/alerts.md lists them'
    for pattern in several(rule.where):
        if not _PLACE.fullmatch(pattern):
            yield f'.where: "{pattern}" fits no place; write one like "hall/front-door", "garage/*" or "user/*"'
    for pattern in several(rule.source):
        if not _SOURCE.fullmatch(pattern):
            yield f'.source: "{pattern}" fits no source; write a room, "gateway*", "auth", "admin" or "alerts"'
    yield from _addressees(rule)
    if rule.on_happenings:
        yield from notice_check.of_happenings(rule)
        return
    yield from notice_check.of_others(rule)
    if may_be_floor(rule) and not (rule.letter and reaches_masters(several(rule.to))):
        yield (
            ": would keep from the master users what was done to something critical, or security events; "
            + ('add "masters" to `to`, or narrow it' if rule.letter else "narrow it")
            + ' with severity = "info", or with severity = "critical" and outcome = ["rejected", "expired", "failed"]'
        )


def _addressees(rule: Rule) -> Iterator[str]:
    named = several(rule.to)
    if rule.letter and not named:
        yield ".to: is empty; name somebody, or write letter = false"
    for word in named:
        if word in _WORDS:
            continue
        if "@" not in word or "/" in word:
            yield f'.to: "{word}" is nobody{_nearest(word, _WORDS)}; write {", ".join(_WORDS)} or an address'
        elif (fault := addresses.fault(word)) is not None:
            yield f'.to: "{word}": {fault}'
    if not rule.letter and (rule.to != MASTERS or rule.urgent is not None):
        yield ": says letter = false, and to whom or how urgent; leave one of them out"


def _fits_all(rule: Rule) -> bool:
    patterns = (several(rule.what), several(rule.where), several(rule.source))
    return (
        all(not some or "*" in some for some in patterns) and not several(rule.outcome) and not several(rule.severity)
    )


def _nearest(text: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(text, list(known), n=1, cutoff=0.5)
    return f'; did you mean "{near[0]}"?' if near else ""
