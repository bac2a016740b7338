"""The story day by day, pure: acts and happenings in one order, and what belongs together as one line.

What was asked and how it ended are one line, where both are on the page and say the same of the same wish; a room's
going and coming are one absence.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from gateway.inside import one_order
from gateway.inside.one_order import Thing
from gateway.pages import times
from gateway.pages.story import acts, happened
from gateway.pages.story.lines import Line
from gateway.picture import guards
from gateway.picture.views import RoomView
from shared.words.internal_alerts import AuditPage, AuditRecord, Happening
from shared.words.names import Outcome

Wish = tuple[str | None, ...]


class Day(NamedTuple):
    """The lines of one day, newest first."""

    name: str
    lines: tuple[Line, ...]


def days(page: AuditPage, rooms: Iterable[RoomView], now: datetime) -> list[Day]:
    """The page's things by day."""
    found: list[Day] = []
    for one in _lines(one_order.merged(page), tuple(rooms), now):
        name = times.day(one.at, now)
        if found and found[-1].name == name:
            found[-1] = Day(name, (*found[-1].lines, one))
        else:
            found.append(Day(name, (one,)))
    return found


def _lines(things: Sequence[Thing], rooms: tuple[RoomView, ...], now: datetime) -> Iterable[Line]:
    asked = _asked(things)
    ended = {_wish(one) for one in things if isinstance(one, AuditRecord) and one.outcome is not Outcome.ASKED}
    aways = _aways(things)
    told: set[int] = set()
    for one in things:
        if isinstance(one, Happening):
            if one.number in aways.values():
                continue
            yield _happened(one, next((x for x in things if _is_number(x, aways.get(one.number))), None), rooms, now)
            continue
        if one.row in told:
            continue
        intents = () if one.outcome is Outcome.ASKED else tuple(asked.pop(_same(one), ()))
        told |= {intent.row for intent in intents}
        yield acts.line(one, rooms, now, intents=intents, ended=_wish(one) in ended)


def _is_number(thing: Thing, number: int | None) -> bool:
    return isinstance(thing, Happening) and thing.number == number


def _happened(one: Happening, away: Thing | None, rooms: tuple[RoomView, ...], now: datetime) -> Line:
    if isinstance(away, Happening):
        return happened.gone_and_back(one, away, rooms)
    line = happened.line(one, rooms)
    return line._replace(what=line.what + happened.several(one, times.clock(one.until, one.at.astimezone(now.tzinfo))))


def _aways(things: Sequence[Thing]) -> dict[int, int]:
    """For each number of a room's coming back that of its going, the next older one of the same room."""
    open_: dict[str, int] = {}
    found: dict[int, int] = {}
    for one in things:
        if isinstance(one, Happening) and one.what == happened.BACK:
            open_[one.where] = one.number
        elif isinstance(one, Happening) and one.what == happened.AWAY:
            back = open_.pop(one.where, None)
            if back is not None:
                found[back] = one.number
    return found


def _asked(things: Sequence[Thing]) -> dict[Wish, list[AuditRecord]]:
    found: dict[Wish, list[AuditRecord]] = {}
    for one in things:
        if isinstance(one, AuditRecord) and one.command_id is not None and one.outcome is Outcome.ASKED:
            found.setdefault(_same(one), []).append(one)
    return found


def _wish(event: AuditRecord) -> Wish | None:
    """Issuer and id name one command; other events have none."""
    return (event.who.issuer, event.command_id) if event.command_id is not None else None


def _same(event: AuditRecord) -> Wish:
    """What two rows must agree in to be one line: a room's mere claim is never put into the mouth of the hub."""
    who = event.who
    person = who.user.id if who.user is not None else None
    claim = event.detail.get(guards.CLAIMED_BY)
    return (who.issuer, event.command_id, event.where, event.what, person, claim)
