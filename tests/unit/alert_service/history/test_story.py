"""Acts and happenings as one history: in order, each once, none left out, whatever the pages and whatever is wanted."""

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any, Literal, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete
from sqlalchemy.event import listens_for

from alert_service.chain.arrivals import Arrival
from alert_service.happenings import keeping
from alert_service.happenings.passing import Kept
from alert_service.history import happened, history
from alert_service.history.narrowing import Scope
from alert_service.record import records
from alert_service.tables import events, happenings
from shared.keeping.database import Store
from shared.words.internal_alerts import CURSOR, AuditFilter, AuditPage
from shared.words.messages import AuditEvent, UserRef, utc
from shared.words.names import Outcome, Severity
from tests.unit.alert_service.parts import ADA, HOUSE, START, event

EVERYTHING = Scope()
GUEST = Scope(user="guest", places=("hall/door", "garage/*"))
PLACES = ["hall/door", "hall/motion", "garage/door", "kitchen"]
Mode = Literal["none", "too", "only"]


class Told(NamedTuple):
    """One thing that was told: by whose doing, when it was by its own clock, and when it came."""

    kind: Literal["act", "happening"]
    what: str
    where: str
    who: UserRef | None
    at: float
    came: float

    @property
    def is_act(self) -> bool:
        return self.kind == "act"


def event_of(number: int, one: Told) -> AuditEvent:
    return event(
        id=f"e{number}",
        seq=number + 1,
        at=one.at,
        what=one.what,
        where=one.where,
        user=one.who,
        severity=Severity.INFO,
        command_id=None,
    )


async def tell(store: Store, told: Sequence[Told]) -> None:
    async with store.write() as connection:
        await connection.execute(delete(events))
        await connection.execute(delete(happenings))
    for number, one in enumerate(told):
        made = event_of(number, one)
        async with store.write() as connection:
            if one.is_act:
                await records.record(connection, [Arrival("gateway", made)], one.came, HOUSE)
            else:
                source = "alerts" if one.what.startswith("room:") else "hall"
                await keeping.keep(connection, [Arrival(source, made)], one.came, Kept(10_000))


async def ids(store: Store, scope: Scope, wanted: AuditFilter, mode: Mode, limit: int) -> list[str]:
    """What all pages have, one after another, each page put in order as a reader of it would."""
    found: list[str] = []
    after: str | None = None
    async with store.read() as connection:
        while True:
            page = await history.page(connection, scope, limit=limit, after=after, wanted=wanted, happenings=mode)
            assert len(page.events) + len(page.happenings) <= limit
            found += await in_order(store, page)
            if page.next is None:
                return found
            assert re.fullmatch(CURSOR, page.next)
            assert page.events or page.happenings, "a page that is not the last has something"
            after = page.next


async def in_order(store: Store, page: AuditPage) -> list[str]:
    async with store.read() as connection:
        clocks = {one.row: one.clock for one in (await connection.execute(events.select())).all()}
    placed = [(clocks[one.row], 1, one.row, one.id) for one in page.events]
    placed += [(round(one.at.timestamp() * 1e6), 0, one.number, one.id) for one in page.happenings]
    return [one[-1] for one in sorted(placed, reverse=True)]


def expected(told: Sequence[Told], scope: Scope, wanted: AuditFilter, mode: Mode) -> list[str]:
    """The slow way: everything, looked at one by one."""
    clock = row = number = 0.0
    placed = []
    for count, one in enumerate(told):
        if one.is_act:
            row, clock = row + 1, max(clock, one.came)
            key = (clock, 1, row)
        else:
            number += 1
            key = (min(one.at, one.came), 0, number)
        if is_seen(one, scope) and is_wanted(one, key[0], wanted, mode):
            placed.append((*key, f"e{count}"))
    return [one[-1] for one in sorted(placed, reverse=True)]


def is_seen(one: Told, scope: Scope) -> bool:
    theirs = one.is_act and one.who is not None and one.who.id == scope.user
    room = one.where.partition("/")[0]
    listed = one.where in scope.places or f"{room}/*" in scope.places
    return scope.everything or theirs or listed or scope.rooms


def is_wanted(one: Told, moment: float, wanted: AuditFilter, mode: Mode) -> bool:
    if mode == ("none" if not one.is_act else "only"):
        return False
    if not one.is_act and (wanted.user is not None or wanted.outcome is not None):
        return False
    at = utc(one.at if one.is_act else moment)
    return (
        (wanted.user is None or (one.who is not None and one.who.id == wanted.user))
        and wanted.room in (None, one.where.partition("/")[0])
        and wanted.device in (None, one.where)
        and wanted.outcome in (None, Outcome.EXECUTED)
        and (wanted.what is None or fnmatchcase(one.what, wanted.what))
        and (wanted.since is None or at >= wanted.since)
        and (wanted.until is None or at < wanted.until)
    )


MOMENTS = st.integers(-5, 5).map(lambda step: START + 1800 * step)
ACTS = st.builds(
    Told,
    kind=st.just("act"),
    what=st.sampled_from(["device:on", "device:opened"]),
    where=st.sampled_from(PLACES),
    who=st.sampled_from([ADA, None]),
    at=MOMENTS,
    came=MOMENTS,
)
HAPPENED = st.builds(
    Told,
    kind=st.just("happening"),
    what=st.sampled_from(["device:opened", "device:motion", "device:pressed"]),
    where=st.sampled_from(PLACES[:3]),
    who=st.none(),
    at=MOMENTS,
    came=MOMENTS,
) | st.builds(
    Told,
    kind=st.just("happening"),
    what=st.sampled_from(["room:away", "room:back"]),
    where=st.sampled_from(["kitchen", "hall"]),
    who=st.none(),
    at=MOMENTS,
    came=MOMENTS,
)
FILTERS = st.builds(
    AuditFilter,
    user=st.sampled_from([None, None, None, "u1"]),
    room=st.sampled_from([None, None, "hall", "kitchen"]),
    device=st.sampled_from([None, None, "hall/door"]),
    outcome=st.sampled_from([None, None, None, Outcome.EXECUTED]),
    what=st.sampled_from([None, None, "device:opened", "device:*", "room:*", "*"]),
    since=st.one_of(st.none(), MOMENTS.map(utc)),
    until=st.one_of(st.none(), MOMENTS.map(utc)),
)
SCOPES = st.sampled_from([EVERYTHING, GUEST, Scope(user="u1", rooms=True), Scope(user="u1")])
MODES = st.sampled_from(["none", "too", "too", "only"])


@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(ACTS | HAPPENED, max_size=16), st.lists(st.tuples(SCOPES, FILTERS, MODES), min_size=1, max_size=4))
async def test_both_are_one_history(
    store: Store, told: list[Told], questions: list[tuple[Scope, AuditFilter, Mode]]
) -> None:
    await tell(store, told)
    for scope, wanted, mode in questions:
        for limit in (1, 3):
            assert await ids(store, scope, wanted, mode, limit) == expected(told, scope, wanted, mode)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(ACTS | HAPPENED, min_size=1, max_size=40), st.data())
async def test_a_page_about_a_row_has_it_and_no_hole(store: Store, told: list[Told], data: st.DataObject) -> None:
    await tell(store, told)
    rows = sum(one.is_act for one in told)
    row = data.draw(st.integers(1, rows + 2))
    wanted = AuditFilter()
    async with store.read() as connection:
        page = await history.page(
            connection, EVERYTHING, limit=25, after=None, wanted=wanted, happenings="too", around=row
        )
    shown = await in_order(store, page)
    whole = expected(told, EVERYTHING, wanted, "too")
    first = whole.index(shown[0]) if shown else 0
    assert shown == whole[first : first + 25]
    assert (row in [one.row for one in page.events]) == (row <= rows)


async def test_a_row_is_found_among_any_number_of_happenings(store: Store) -> None:
    def motion(minute: int) -> Told:
        at = START + 60 * minute
        return Told("happening", "device:motion", "hall/motion", None, at, at)

    act = Told("act", "device:on", "hall/door", ADA, START + 60 * 50.5, START + 60 * 50.5)
    await tell(store, [*map(motion, range(51)), act, *map(motion, range(51, 200))])
    async with store.read() as connection:
        page = await history.page(connection, EVERYTHING, limit=50, after=None, happenings="too", around=1)
    assert [one.row for one in page.events] == [1]
    assert [one.at for one in page.happenings] == [utc(START + 60 * minute) for minute in range(59, 10, -1)]


async def test_an_old_cursor_goes_on_where_it_was(store: Store) -> None:
    told = [
        Told("happening" if n % 2 else "act", "device:opened", "hall/door", None, START + n, START + n)
        for n in range(8)
    ]
    await tell(store, told)
    async with store.read() as connection:
        page = await history.page(connection, EVERYTHING, limit=9, after=3, happenings="too")
    assert await in_order(store, page) == ["e3", "e2", "e1", "e0"]


async def test_what_came_last_at_each_place(store: Store) -> None:
    def at(where: str, second: int, what: str) -> Told:
        return Told("happening", what, where, None, START + second, START + 100)

    await tell(
        store,
        [
            at("hall/door", 5, "device:closed"),
            at("hall/door", 3, "device:opened"),  # came later, was earlier
            at("hall/motion", 1, "device:motion"),
            at("garage/door", 9, "device:opened"),
        ],
    )
    async with store.read() as connection:
        found = await happened.last(connection, ["hall/door", "hall/motion", "nowhere/x", "hall/door"])
        assert await happened.last(connection, []) == []
        many = await happened.last(connection, [*(f"hall/d{n}" for n in range(120)), "garage/door"])
    assert {(one.where, one.what, one.at) for one in found} == {
        ("hall/door", "device:closed", utc(START + 5)),
        ("hall/motion", "device:motion", utc(START + 1)),
    }
    assert [one.where for one in many] == ["garage/door"]


@pytest.mark.parametrize("scope", [EVERYTHING, GUEST, Scope(user="u1", rooms=True)])
async def test_no_question_reads_all_happenings(store: Store, scope: Scope) -> None:
    asked: list[tuple[str, Any]] = []

    async with store.read() as connection:

        @listens_for(connection.sync_connection, "before_cursor_execute")
        def on_execute(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
            if statement.startswith("SELECT") and "happenings" in statement and "max(" not in statement:
                asked.append((statement, parameters))

        for room, device in ((None, None), ("hall", None), (None, "hall/door")):
            for what in (None, "device:motion", "device:*"):
                for since in (None, utc(START)):
                    wanted = AuditFilter(room=room, device=device, what=what, since=since)
                    await history.page(
                        connection, scope, limit=50, after="1800000000000000.7", wanted=wanted, happenings="only"
                    )
        assert asked
        for statement, parameters in asked.copy():
            plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            steps = [str(step.detail) for step in plan.all()]
            looks = [step for step in steps if re.search(r"happenings", step)]
            assert looks
            assert all("SEARCH happenings USING" in step for step in looks), (statement, steps)
            assert not any("TEMP B-TREE" in step for step in steps), (statement, steps)
