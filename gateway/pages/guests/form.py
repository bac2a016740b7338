"""The form for one grant, pure: what stands in it, and the grant that was typed, or which field cannot be.

Fields: `actions` "all" or "some", `do-ACTION`, `day-0` (Monday) to `day-6`, `begin` and `end` (both empty: at any
time), `since-day`, `since-time`, `until-day`, `until-time` (a day without a time: all of it).
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta, tzinfo
from typing import NamedTuple

from gateway.pages import acts, speaking
from gateway.pages.speaking import say
from shared.words import grant_text
from shared.words.grant_times import DAY
from shared.words.internal import Grant
from shared.words.names import Action

FIELDS = ("actions", "days", "hours", "since", "until")
_MONDAY = date(2024, 1, 1)
"""From which the days of the week are counted, for their names."""
_OF_A_GRANT = {
    "actions": "actions",
    "weekdays": "days",
    "from_minute": "hours",
    "to_minute": "hours",
    "since": "since",
    "until": "until",
}


class Tick(NamedTuple):
    """One box."""

    name: str
    label: str
    ticked: bool


class Filled(NamedTuple):
    """What stands in the form; `wrong` says by field what cannot be."""

    all_actions: bool
    actions: list[Tick]
    days: list[Tick]
    values: Mapping[str, str]
    wrong: Mapping[str, str]


def blank(offered: Iterable[str]) -> Filled:
    """For a grant that is new: everything, at any time."""
    return _filled(offered, None, range(7), {}, {})


def of(grant: Grant, offered: Iterable[str], zone: tzinfo) -> Filled:
    """For one that is changed."""
    values = {}
    if (grant.from_minute, grant.to_minute) != (0, DAY):
        values = {"begin": grant_text.clock(grant.from_minute), "end": grant_text.clock(grant.to_minute % DAY)}
    for name, moment in (("since", grant.since), ("until", grant.until)):
        if moment is not None:
            day, _, time = grant_text.moment(moment, zone, ends=name == "until").partition("T")
            values |= {f"{name}-day": day, f"{name}-time": time}
    return _filled(offered, grant.actions, grant.weekdays, values, {})


def typed(fields: Callable[[str], str], offered: Iterable[str], wrong: Mapping[str, str]) -> Filled:
    """What was typed, as it was typed, with what is wrong about it."""
    offered = tuple(offered)
    names = ("begin", "end", "since-day", "since-time", "until-day", "until-time")
    values = {name: fields(name)[:32] for name in names}
    chosen = tuple(Action(name) for name in offered if fields(f"do-{name}"))
    filled = _filled(offered, chosen, (day for day in range(7) if fields(f"day-{day}")), values, wrong)
    return filled._replace(all_actions=fields("actions") != "some")


def read(
    fields: Callable[[str], str], room: str, device: str, offered: Iterable[str], now: datetime
) -> tuple[Grant | None, dict[str, str]]:
    """The grant, or what is wrong, by field; `now` is in the home's zone."""
    zone, wrong = now.tzinfo, dict[str, str]()
    assert zone is not None
    offered = tuple(offered)
    actions = None if fields("actions") != "some" else tuple(Action(name) for name in offered if fields(f"do-{name}"))
    weekdays = tuple(day for day in range(7) if fields(f"day-{day}"))
    if not weekdays:
        wrong["days"] = say("Choose at least one day.")
    from_minute, to_minute = _hours(fields, wrong)
    since = _moment(fields, "since", zone, wrong)
    until = _moment(fields, "until", zone, wrong)
    if until is not None and "until" not in wrong:
        if since is not None and until <= since:
            wrong["until"] = say("It ends before it begins.")
        elif until <= now:
            wrong["until"] = say("That is over already.")
    if wrong:
        return None, wrong
    grant = Grant(
        room=room,
        device=device,
        actions=actions,
        weekdays=weekdays,
        from_minute=from_minute,
        to_minute=to_minute,
        since=since,
        until=until,
    )
    return grant, {}


def field_of(path: str) -> str | None:
    """The field of this form that the auth service means by "grants[2].until"; None where it is none of them."""
    return _OF_A_GRANT.get(path.rpartition(".")[2])


def _filled(
    offered: Iterable[str],
    actions: tuple[Action, ...] | None,
    weekdays: Iterable[int],
    values: Mapping[str, str],
    wrong: Mapping[str, str],
) -> Filled:
    chosen = set(weekdays)
    return Filled(
        all_actions=actions is None,
        actions=[Tick(f"do-{one}", acts.label(one), actions is not None and one in actions) for one in offered],
        days=[
            Tick(f"day-{number}", speaking.now().weekday(_MONDAY + timedelta(days=number)), number in chosen)
            for number in range(7)
        ],
        values=dict.fromkeys(("begin", "end", "since-day", "since-time", "until-day", "until-time"), "") | dict(values),
        wrong=dict(wrong),
    )


def _hours(fields: Callable[[str], str], wrong: dict[str, str]) -> tuple[int, int]:
    begin, end = fields("begin").strip()[:5], fields("end").strip()[:5]
    if begin == end == "":
        return 0, DAY
    try:
        from_minute, to_minute = grant_text.read_hours(f"{begin or '00:00'}-{end or '24:00'}")
    except ValueError:
        wrong["hours"] = say("Write both as hours and minutes, such as 22:00.")
        return 0, DAY
    if from_minute == (to_minute or DAY) or from_minute == to_minute:
        wrong["hours"] = say("It ends when it begins. For whole days leave both empty.")
    return from_minute, to_minute or DAY


def _moment(fields: Callable[[str], str], name: str, zone: tzinfo, wrong: dict[str, str]) -> datetime | None:
    day, time = fields(f"{name}-day").strip(), fields(f"{name}-time").strip()
    if not day and not time:
        return None
    if not day:
        wrong[name] = say("Say on which day.")
        return None
    try:
        return grant_text.read_moment(f"{day}T{time}" if time else day, zone, ends=name == "until")
    except ValueError:
        wrong[name] = say("Write the day as 2026-12-24, and the time as 18:00.")
        return None
