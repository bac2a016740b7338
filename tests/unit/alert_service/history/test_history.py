"""The history: newest first, whole, narrowed to a scope, and honest about whose word it is."""

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete
from sqlalchemy.event import listens_for

from alert_service.chain import forms
from alert_service.chain.arrivals import Arrival
from alert_service.history import claims, history, narrowing
from alert_service.history.narrowing import Scope
from alert_service.record import records
from alert_service.tables import events
from shared.keeping.database import Store
from shared.words.internal_alerts import AuditFilter, AuditRecord
from shared.words.messages import AuditEvent, UserRef, utc
from shared.words.names import Outcome, Severity
from tests.unit.alert_service.parts import ADA, HOUSE, START, event

BOB = UserRef(id="u2", name="Bob")
EVERYTHING = Scope()
ANY = AuditFilter()
PLACES = ["hall/lamp", "hall/front-door", "hallway/lamp", "garage/door", "account", "user/u1", "hall", "gateway"]
WHATS = ["device:on", "device:off", "account:changed"]
ROOMS = {"hall", "hallway", "garage"}


async def tell(store: Store, *told: tuple[str, AuditEvent], now: float = START) -> None:
    async with store.write() as connection:
        await records.record(connection, [Arrival(*one) for one in told], now, HOUSE)


async def whole(
    store: Store, scope: Scope = EVERYTHING, wanted: AuditFilter = ANY, *, limit: int = 7
) -> list[AuditRecord]:
    found: list[AuditRecord] = []
    after: int | None = None
    async with store.read() as connection:
        while True:
            page = await history.page(connection, scope, limit=limit, after=after, wanted=wanted)
            assert len(page.events) <= limit
            found += page.events
            if page.next is None:
                return found
            after = int(page.next)


def ids(events: Iterable[AuditEvent]) -> list[str]:
    return [one.id for one in events]


async def test_pages_join_without_gap_or_repeat(store: Store) -> None:
    told = [event(id=f"e{n}", severity=Severity.INFO, user=None) for n in range(20)]
    await tell(store, *[("hall", one) for one in told])
    for limit in (1, 7, 20, 50):
        assert ids(await whole(store, limit=limit)) == ids(told[::-1])


async def test_a_record_says_where_it_stands_in_the_chain(store: Store) -> None:
    await tell(store, ("hall", event(id="e1", at=START - 5)), ("garage", event(id="e2", where="garage/door")))
    async with store.read() as connection:
        rows = await records.rows(connection, [1, 2])
    newest, first = await whole(store)
    assert (first.row, first.hash, first.source, first.received_at) == (1, rows[1].hash, "hall", utc(START))
    assert (newest.row, newest.hash, newest.source, newest.at) == (2, rows[2].hash, "garage", utc(START))


async def test_a_page_names_the_newest_row_of_all(store: Store) -> None:
    async with store.read() as connection:
        empty = await history.page(connection, EVERYTHING, limit=5, after=None)
    assert (empty.events, empty.next, empty.head) == ((), None, 0)
    await tell(store, *[("hall", event(id=f"e{n}")) for n in range(3)])
    async with store.read() as connection:
        page = await history.page(connection, Scope(user="nobody"), limit=5, after=None)
    assert (page.events, page.head) == ((), 3)


def may_see(scope: Scope, one: AuditEvent) -> bool:
    room = one.where.partition("/")[0]
    theirs = one.who.user is not None and one.who.user.id == scope.user
    listed = one.where in scope.places or f"{room}/*" in scope.places
    return scope.everything or theirs or listed or (scope.rooms and room in ROOMS)


def fits(wanted: AuditFilter, one: AuditEvent) -> bool:
    user = one.who.user.id if one.who.user is not None else None
    room = one.where.partition("/")[0]
    return (
        wanted.user in (None, user)
        and (wanted.room is None or wanted.room == room in ROOMS)
        and wanted.device in (None, one.where)
        and wanted.outcome in (None, one.outcome)
        and (wanted.what is None or fnmatchcase(one.what, wanted.what))
        and (wanted.since is None or one.at >= wanted.since)
        and (wanted.until is None or one.at < wanted.until)
    )


HOURS = st.integers(-30, 30).map(lambda hours: START + 3600 * hours)
ACTS = st.lists(
    st.tuples(
        st.sampled_from(WHATS),
        st.sampled_from(PLACES),
        st.sampled_from([ADA, BOB, None]),
        st.sampled_from([Outcome.EXECUTED, Outcome.REJECTED]),
        HOURS,  # by the producer's clock
        HOURS,  # by ours, which may jump, too
    ),
    max_size=15,
)
SCOPES = st.one_of(
    st.just(EVERYTHING),
    st.builds(
        Scope,
        user=st.sampled_from(["u1", "u2", ""]),
        rooms=st.booleans(),
        places=st.lists(st.sampled_from([*PLACES, "hall/*", "garage/*", "nowhere/x"]), max_size=3).map(tuple),
    ),
)
FILTERS = st.builds(
    AuditFilter,
    user=st.sampled_from([None, None, "u1", "u2", "u9"]),
    room=st.sampled_from([None, None, "hall", "garage", "user", "nowhere"]),
    device=st.sampled_from([None, None, *PLACES]),
    outcome=st.sampled_from([None, None, Outcome.EXECUTED, Outcome.REJECTED, Outcome.FAILED]),
    what=st.sampled_from([None, None, "device:on", "device:*", "*", "*:changed", "device.on", "gone:*"]),
    since=st.one_of(st.none(), HOURS.map(utc)),
    until=st.one_of(st.none(), HOURS.map(utc)),
)


@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(ACTS, st.lists(st.tuples(SCOPES, FILTERS), min_size=1, max_size=4))
async def test_one_finds_all_that_one_may_see_and_wants_and_nothing_else(
    store: Store,
    acts: list[tuple[str, str, UserRef | None, Outcome, float, float]],
    questions: list[tuple[Scope, AuditFilter]],
) -> None:
    async with store.write() as connection:
        await connection.execute(delete(events))
    told = []
    for number, (what, where, who, outcome, at, now) in enumerate(acts):
        one = event(id=f"e{number}", what=what, where=where, user=who, outcome=outcome, at=at, severity=Severity.INFO)
        told.append(one)
        await tell(store, ("gateway", told[-1]), now=now)
    for scope, wanted in questions:
        expected = [one for one in told if may_see(scope, one) and fits(wanted, one)]
        assert ids(await whole(store, scope, wanted, limit=3)) == ids(expected[::-1]), (scope, wanted)


@given(SCOPES, FILTERS)
def test_a_filter_never_widens_a_scope(scope: Scope, wanted: AuditFilter) -> None:
    seen = set(narrowing.arms(scope, ANY))
    for arm in narrowing.arms(scope, wanted):
        assert any(
            (wide.user in (None, arm.user))
            and (wide.place in (None, arm.place))
            and (wide.room is None or wide.room == arm.room or wide.room == forms.room_of(arm.place or ""))
            and (not wide.in_rooms or arm.in_rooms or forms.room_of(arm.room or arm.place or "") != "")
            for wide in seen
        )


async def test_a_guest_with_more_grants_than_a_union_takes_is_answered(store: Store) -> None:
    await tell(store, ("hall", event(id="e1", where="hall/lamp", user=None)))
    scope = Scope(user="guest", places=("hall/lamp", *(f"hall/d{n}" for n in range(150))))
    assert ids(await whole(store, scope)) == ["e1"]
    assert ids(await whole(store, scope, AuditFilter(until=utc(START + 1)))) == ["e1"]


@pytest.mark.parametrize(
    ("place", "room"),
    [
        ("hall/lamp", "hall"),
        ("hall", "hall"),
        ("room-9/x/y", "room-9"),
        *((f"{first}/x", "") for first in ("user", "session", "address", "client", "certificate", "room", "gateway")),
        *((place, "") for place in ("", "home", "account", "broker", "auth", "gateway-2", "Hall/x", "<b>/x", "/x")),
    ],
)
def test_what_is_no_room_has_none(place: str, room: str) -> None:
    assert forms.room_of(place) == room


QUESTIONS = [
    AuditFilter(user=user, room=room, device=device, outcome=outcome, what=what, since=since, until=until)
    for user in (None, "u2")
    for room, device in ((None, None), ("hall", None), (None, "hall/lamp"))
    for outcome in (None, Outcome.FAILED)
    for what in (None, "device:unlock", "device:*")
    for since, until in ((None, None), (utc(START), None), (utc(START), utc(START + 60)))
]


@pytest.mark.parametrize("scope", [EVERYTHING, Scope(user="u1", rooms=True), Scope(user="u1", places=("hall/lamp",))])
async def test_no_question_reads_the_whole_table(store: Store, scope: Scope) -> None:
    asked: list[tuple[str, Any]] = []

    async with store.read() as connection:

        @listens_for(connection.sync_connection, "before_cursor_execute")
        def on_execute(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
            if statement.startswith("SELECT"):
                asked.append((statement, parameters))

        for wanted in QUESTIONS:
            asked.clear()
            await history.page(connection, scope, limit=50, after=None, wanted=wanted)
            anything = scope.everything and wanted in (ANY, AuditFilter(since=wanted.since, until=wanted.until))
            for statement, parameters in asked:
                plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
                steps = [str(step.detail) for step in plan.all()]
                walks = [
                    step for step in steps if "events" in step and not re.search(r"INDEX \w*events|rowid=\?", step)
                ]
                walks = [step for step in walks if "max(" not in statement and not (anything and "rowid" in step)]
                assert walks == [] or anything, (wanted, statement, steps)
                if "at - clock" in statement:
                    assert any("events_off_clock" in step for step in steps), steps


async def test_an_empty_scope_sees_nothing(store: Store) -> None:
    await tell(store, ("hall", event()))
    assert await whole(store, Scope(user="")) == []


async def test_a_rooms_word_about_a_person_is_marked_unless_a_gateway_confirms_it(store: Store) -> None:
    await tell(
        store,
        ("gateway", event(id="asked", outcome=Outcome.ASKED, command_id="c1")),
        ("hall", event(id="done", command_id="c1")),
        ("hall", event(id="claimed", command_id="c2")),
        ("hall", event(id="swapped", command_id="c1", user=BOB)),
        ("hall", event(id="renamed", command_id="c1", user=UserRef(id=ADA.id, name="Bob"))),
        ("hall", event(id="nobody", user=None, issuer="phone", command_id="c3")),
        ("garage", event(id="elsewhere", command_id="c1", where="garage/door")),
        ("hall", event(id="button", user=None, issuer="hall", command_id="c4", detail={"button": "wall-button"})),
        ("garage", event(id="forged", user=None, issuer="hall", command_id="c4", detail={"button": "wall-button"})),
        ("hall", event(id="shifted", user=None, issuer="hall", detail={claims.CLAIMED_BY: "garage"})),
    )
    marks = {one.id: one.detail.get(claims.CLAIMED_BY) for one in await whole(store)}
    assert marks == {
        "asked": None,
        "done": None,
        "claimed": "hall",
        "swapped": "hall",
        "renamed": "hall",
        "nobody": None,
        "elsewhere": "garage",
        "button": None,
        "forged": "garage",
        "shifted": None,  # the mark is no producer's to make
    }


@pytest.mark.parametrize("limit", [1, 3])
async def test_a_mark_needs_no_luck_with_the_pages(store: Store, limit: int) -> None:
    await tell(store, ("gateway", event(id="asked", outcome=Outcome.ASKED)), ("hall", event(id="done")))
    assert all(claims.CLAIMED_BY not in one.detail for one in await whole(store, limit=limit))
