"""The form for one grant: read as it was typed, shown as it stands, and each fault beside its field."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from gateway.pages.guests import form
from shared.words.internal import Grant
from shared.words.names import Action

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=BERLIN)
OFFERED = (Action.ON, Action.OFF)
DAYS = {f"day-{day}": "on" for day in range(7)}


def read(**fields: str) -> tuple[Grant | None, dict[str, str]]:
    typed = DAYS | {"actions": "all"} | {name.replace("_", "-"): text for name, text in fields.items()}
    return form.read(lambda name: typed.get(name, ""), "hall", "lamp", OFFERED, NOW)


@pytest.mark.parametrize(
    ("fields", "grant"),
    [
        ({}, Grant(room="hall", device="lamp")),
        (
            {"begin": "22:00", "end": "06:00", "until_day": "2026-12-24"},
            Grant(
                room="hall",
                device="lamp",
                from_minute=1320,
                to_minute=360,
                until=datetime(2026, 12, 24, 23, tzinfo=UTC),
            ),
        ),
        ({"begin": "08:00"}, Grant(room="hall", device="lamp", from_minute=480)),
        ({"begin": "22:00", "end": "00:00"}, Grant(room="hall", device="lamp", from_minute=1320)),
        ({"end": "08:00:00"}, Grant(room="hall", device="lamp", to_minute=480)),
        ({"actions": "some", "do_on": "on"}, Grant(room="hall", device="lamp", actions=(Action.ON,))),
        ({"actions": "some", "do_unlock": "on"}, Grant(room="hall", device="lamp", actions=())),
        ({"day_0": "", "day_6": ""}, Grant(room="hall", device="lamp", weekdays=(1, 2, 3, 4, 5))),
        (
            {"since_day": "2026-12-01", "since_time": "18:00"},
            Grant(room="hall", device="lamp", since=datetime(2026, 12, 1, 17, tzinfo=UTC)),
        ),
    ],
)
def test_what_was_typed_is_the_grant(fields: dict[str, str], grant: Grant) -> None:
    assert read(**fields) == (grant, {})


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({f"day_{day}": "" for day in range(7)}, {"days"}),
        ({"begin": "22", "end": "06:00"}, {"hours"}),
        ({"begin": "08:00", "end": "08:00"}, {"hours"}),
        ({"begin": "00:00", "end": "00:00"}, {"hours"}),
        ({"until_day": "2026-11-22"}, {"until"}),
        ({"until_day": "24.12.2026"}, {"until"}),
        ({"until_time": "18:00"}, {"until"}),
        ({"since_time": "18:00"}, {"since"}),
        ({"since_day": "2026-12-24", "until_day": "2026-12-23"}, {"until"}),
        ({"since_day": "x", "until_day": "y", "begin": "z"}, {"since", "until", "hours"}),
    ],
)
def test_what_cannot_be_is_said_of_each_field(fields: dict[str, str], wrong: set[str]) -> None:
    grant, told = read(**fields)
    assert grant is None
    assert set(told) == wrong
    assert wrong <= set(form.FIELDS)


@pytest.mark.parametrize(
    "grant",
    [
        Grant(room="hall", device="lamp"),
        Grant(room="hall", device="lamp", weekdays=(0, 6), from_minute=1320, to_minute=360, actions=(Action.OFF,)),
        Grant(room="hall", device="lamp", from_minute=1320, actions=()),
        Grant(room="hall", device="lamp", to_minute=30),
        Grant(
            room="hall",
            device="lamp",
            since=NOW.astimezone(UTC) + timedelta(days=1),
            until=datetime(2026, 12, 24, 23, tzinfo=UTC),
        ),
    ],
)
def test_a_grant_that_is_shown_and_sent_again_is_the_same(grant: Grant) -> None:
    filled = form.of(grant, OFFERED, BERLIN)
    typed = {one.name: "on" for one in (*filled.actions, *filled.days) if one.ticked}
    typed |= {**filled.values, "actions": "all" if filled.all_actions else "some"}
    assert form.read(lambda name: typed.get(name, ""), "hall", "lamp", OFFERED, NOW) == (grant, {})


def test_what_was_typed_stays_whatever_is_wrong_with_it() -> None:
    typed = {"actions": "some", "do-on": "on", "day-3": "on", "begin": "<x>", "until-day": "never"}
    filled = form.typed(lambda name: typed.get(name, ""), OFFERED, {"hours": "No."})
    assert not filled.all_actions
    assert [one.name for one in (*filled.actions, *filled.days) if one.ticked] == ["do-on", "day-3"]
    assert (filled.values["begin"], filled.values["until-day"], filled.wrong) == ("<x>", "never", {"hours": "No."})


@pytest.mark.parametrize(
    ("path", "field"), [("grants[2].until", "until"), ("grants[0].to_minute", "hours"), ("grants", None), ("", None)]
)
def test_the_services_fields_are_fields_of_the_form(path: str, field: str | None) -> None:
    assert form.field_of(path) == field
