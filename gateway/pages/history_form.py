"""The history's filter as a form, pure: what can be chosen, what is chosen, and the address without each of it."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from yarl import URL

from gateway.inside import audit_query
from gateway.inside.audit_query import FIELDS
from gateway.pages import times
from gateway.pages.speaking import say
from gateway.pages.story import acts, kinds
from gateway.pages.story.lines import named
from gateway.picture import guards
from gateway.picture.plain import plain
from gateway.picture.views import RoomView
from shared.words.internal import User
from shared.words.internal_alerts import AuditFilter, AuditRecord
from shared.words.names import Outcome

PAGE = "/history"
EXPORT = "/api/v1/audit/export"


class Choice(NamedTuple):
    """One entry of a list."""

    value: str
    name: str
    chosen: bool


class Group(NamedTuple):
    """The entries of one room."""

    name: str
    choices: list[Choice]


class Chip(NamedTuple):
    """One part of the filter in words, and the address of the page without it."""

    text: str
    without: str


class Moment(NamedTuple):
    """A field for a time: what kind of field, and what stands in it."""

    kind: str
    value: str


class FilterForm(NamedTuple):
    """Everything that the form shows; `problem` says what of it cannot be."""

    people: list[Choice]
    rooms: list[Choice]
    devices: list[Group]
    whats: list[Choice]
    outcomes: list[Choice]
    since: Moment
    until: Moment
    chips: list[Chip]
    exports: list[Chip]
    problem: str | None


def active(query: Mapping[str, str]) -> dict[str, str]:
    """What of the filter is given, as it was written."""
    return {name: query[name] for name in FIELDS if query.get(name)}


def address(given: Mapping[str, str], path: str = PAGE, **more: str) -> str:
    """A page's address with this filter."""
    return str(URL(path).with_query({**given, **more}))


def people(viewer: User, known: Iterable[User], events: Iterable[AuditRecord]) -> dict[str, str]:
    """Whom one may choose by id: oneself, whom one was told of, and whoever stands on the page.

    Not whom a room alone names: it could give anybody another's name.
    """
    found = {viewer.id: say("{name} (you)", name=plain(viewer.name))}
    told = [(user.id, user.name) for user in known]
    certain = (event.who.user for event in events if guards.CLAIMED_BY not in event.detail)
    told += [(user.id, user.name) for user in certain if user is not None]
    for user_id, name in told:
        found.setdefault(user_id, plain(name))
    return found


def make(
    given: Mapping[str, str],
    wanted: AuditFilter | None,
    names: Mapping[str, str],
    rooms: tuple[RoomView, ...],
    now: datetime,
    problem: str | None,
) -> FilterForm:
    """The form for what was `given`; `wanted` is None where that cannot be."""
    device = wanted.device if wanted is not None and wanted.device is not None else given.get("device")
    return FilterForm(
        people=_choices(names, given.get("user")),
        rooms=_choices({room.id: plain(room.name) for room in rooms}, given.get("room")),
        devices=_devices(rooms, device),
        whats=_choices({what: say(told) for what, told in kinds.KINDS.items()}, given.get("what")),
        outcomes=_choices({one.value: say(acts.OUTCOMES[one][0]) for one in Outcome}, given.get("outcome")),
        since=_moment(given.get("since"), wanted.since if wanted is not None else None, now),
        until=_moment(given.get("until"), wanted.until if wanted is not None else None, now),
        chips=[] if wanted is None else list(_chips(given, wanted, names, rooms, now)),
        exports=[
            Chip(kind, address(given, EXPORT, happenings="too", format=value))
            for value, kind in (("csv", "CSV"), ("jsonl", say("JSON lines")))
        ],
        problem=problem,
    )


def _choices(names: Mapping[str, str], chosen: str | None) -> list[Choice]:
    """By name; what is chosen stands there even if it is none of them any more."""
    every = dict(names) if chosen is None or chosen in names else {**names, chosen: plain(chosen)}
    return [Choice(value, name, value == chosen) for value, name in every.items()]


def _devices(rooms: Iterable[RoomView], chosen: str | None) -> list[Group]:
    found, known = [], False
    for room in rooms:
        choices = [
            Choice(f"{room.id}/{one.id}", plain(one.name), f"{room.id}/{one.id}" == chosen) for one in room.devices
        ]
        known = known or any(one.chosen for one in choices)
        found.append(Group(plain(room.name), choices))
    if chosen is not None and not known:
        found.append(Group(say("Others"), [Choice(chosen, plain(chosen), chosen=True)]))
    return found


def _moment(text: str | None, moment: datetime | None, now: datetime) -> Moment:
    if text is None or audit_query.is_date(text):
        return Moment("date", text or "")
    if moment is None:
        return Moment("text", text)
    return Moment("datetime-local", f"{moment.astimezone(now.tzinfo):%Y-%m-%dT%H:%M:%S}")


def _chips(
    given: Mapping[str, str], wanted: AuditFilter, names: Mapping[str, str], rooms: tuple[RoomView, ...], now: datetime
) -> Iterable[Chip]:
    told = {
        "user": names.get(wanted.user or "", plain(wanted.user or "")),
        "room": next((plain(room.name) for room in rooms if room.id == wanted.room), wanted.room or ""),
        "device": named(wanted.device or "", rooms),
        "what": kinds.named(given.get("what", "")),
        "outcome": say(acts.OUTCOMES[wanted.outcome][0]) if wanted.outcome is not None else "",
        "since": say("from {when}", when=_when(given.get("since", ""), wanted.since, now)),
        "until": say("until {when}", when=_when(given.get("until", ""), wanted.until, now)),
    }
    for name in given:
        yield Chip(told[name], address({key: value for key, value in given.items() if key != name}))


def _when(text: str, moment: datetime | None, now: datetime) -> str:
    if moment is None or now.tzinfo is None:
        return ""
    if audit_query.is_date(text):
        return times.date(datetime.fromisoformat(text).replace(tzinfo=now.tzinfo), now)
    return times.full(moment, now.tzinfo)
