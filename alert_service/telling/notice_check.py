"""What is wrong with a rule on happenings, pure: each line names what would be right."""

import difflib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from alert_service.telling import hours
from alert_service.telling.noticed import ENDS, SOMEBODY_AT_HOME
from alert_service.telling.policy import PERSON, Rule, several
from shared.words.happenings import PASSING
from shared.words.names import Kind

_OF_HAPPENINGS = ("lasting", "between", "days", "unless")


def of_others(rule: Rule) -> Iterator[str]:
    """Of a rule that names no happening: what only one on happenings may say."""
    for name in _OF_HAPPENINGS:
        if getattr(rule, name):
            yield f".{name}: is for happenings; name them in `what`: {_words(sorted(PASSING))}"


def of_happenings(rule: Rule) -> Iterator[str]:
    """Of a rule that names happenings."""
    whats = several(rule.what)
    if others := [word for word in whats if word not in PASSING]:
        known = _words(sorted(PASSING))
        yield f'.what: "{others[0]}" is none of the happenings ({known}); write a rule of its own for it'
    for name, said in (("outcome", rule.outcome), ("severity", rule.severity)):
        if several(said):
            yield f".{name}: a happening has none; leave it out"
    if PERSON in several(rule.to):
        yield f'.to: "{PERSON}" is nobody, since a happening is about no person; write masters, everyone or an address'
    if not rule.letter:
        told = [name for name in ("lasting", "unless") if getattr(rule, name)]
        yield from (f".{name}: means nothing where letter = false; leave it out" for name in told)
    yield from _said(".between", rule.between, hours.between)
    yield from _said(".lasting", rule.lasting, hours.lasting)
    if several(rule.days):
        yield from _said(".days", several(rule.days), hours.days)
    if rule.lasting is not None:
        endless = [word for word in whats if word in PASSING and word not in ENDS]
        yield from (f'.lasting: "{word}" does not last; {_words(sorted(ENDS))} do, until {_ends()}' for word in endless)
    if rule.unless not in (None, SOMEBODY_AT_HOME):
        yield f'.unless: "{rule.unless}" is not known; write "{SOMEBODY_AT_HOME}", or leave it out'


def _said(name: str, value: object, read: Callable[..., object]) -> Iterator[str]:
    if value is None:
        return
    try:
        read(value)
    except ValueError as error:
        yield f"{name}: {error}"


def _ends() -> str:
    return " or ".join(f'"{ENDS[word]}"' for word in sorted(ENDS))


def _words(words: list[str]) -> str:
    return ", ".join(f'"{word}"' for word in words)


_KINDS = {
    "device:opened": Kind.CONTACT,
    "device:closed": Kind.CONTACT,
    "device:motion": Kind.MOTION,
    "device:pressed": Kind.BUTTON,
}
"""Which kind of device tells of which happening."""


def against(rules: Iterable[Rule], devices: Mapping[str, Kind], rooms: Collection[str]) -> Iterator[str]:
    """Where rules on happenings name a place in full that the home does not have, or that tells of no such thing.

    `devices` are `room/device` and their kinds. What stands in a pattern may come later, so nothing is said of it.
    """
    for index, rule in enumerate(rules):
        if not rule.on_happenings:
            continue
        place = f'rules[{index}] ("{rule.name}")' if rule.name else f"rules[{index}]"
        kinds = {_KINDS[what] for what in several(rule.what) if what in _KINDS}
        fitting = [name for name, kind in devices.items() if kind in kinds]
        if any(what.startswith("room:") for what in several(rule.what)):
            fitting += rooms
        for where in several(rule.where):
            if any(sign in where for sign in "*?[") or where in fitting:
                continue
            near = difflib.get_close_matches(where, fitting, n=1, cutoff=0.5)
            hint = f'; did you mean "{near[0]}"?' if near else ""
            if where in devices:
                yield f'{place}.where: "{where}" is a {devices[where]}, which tells of no such thing{hint}'
            else:
                yield f'{place}.where: there is no "{where}" here{hint}'
