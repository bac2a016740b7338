"""The history: newest first, whole, narrowed to a scope, and honest about whose word it is."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from alert_service import history, records
from alert_service.arrivals import Arrival
from alert_service.history import Scope
from alert_service.tables import events
from shared.database import Store
from shared.messages import AuditEvent, UserRef
from shared.names import Outcome, Severity
from tests.unit.alert_service.parts import ADA, START, event

BOB = UserRef(id="u2", name="Bob")
EVERYTHING = Scope()
PLACES = ["hall/lamp", "hall/front-door", "hallway/lamp", "garage/door", "account"]


async def tell(store: Store, *told: tuple[str, AuditEvent]) -> None:
    async with store.write() as connection:
        await records.record(connection, [Arrival(*one) for one in told], START)


async def whole(store: Store, scope: Scope = EVERYTHING, *, limit: int = 7) -> list[AuditEvent]:
    found: list[AuditEvent] = []
    after: int | None = None
    async with store.read() as connection:
        while True:
            page = await history.page(connection, scope, limit=limit, after=after)
            assert len(page.events) <= limit
            found += page.events
            if page.next is None:
                return found
            after = int(page.next)


async def test_pages_join_without_gap_or_repeat(store: Store) -> None:
    told = [event(id=f"e{n}", severity=Severity.INFO, user=None) for n in range(20)]
    await tell(store, *[("hall", one) for one in told])
    for limit in (1, 7, 20, 50):
        assert await whole(store, limit=limit) == told[::-1]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(PLACES), st.sampled_from([ADA, BOB, None])), max_size=25),
    st.sampled_from(["u1", "u2", ""]),
    st.lists(st.sampled_from([*PLACES, "hall/*", "garage/*", "nowhere/x"]), max_size=3),
)
async def test_a_scope_shows_ones_own_acts_and_places_and_nothing_else(
    store: Store, acts: list[tuple[str, UserRef | None]], user: str, places: list[str]
) -> None:
    async with store.write() as connection:
        await connection.execute(delete(events))
    told = [event(id=f"e{n}", where=where, user=who, severity=Severity.INFO) for n, (where, who) in enumerate(acts)]
    await tell(store, *[("gateway", one) for one in told])
    seen = await whole(store, Scope(user=user, places=tuple(places)))
    expected = [
        one
        for one in told
        if (one.who.user is not None and one.who.user.id == user)
        or one.where in places
        or f"{one.where.partition('/')[0]}/*" in places
    ]
    assert seen == expected[::-1]


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
        ("hall", event(id="nobody", user=None, issuer="phone", command_id="c3")),
        ("garage", event(id="elsewhere", command_id="c1", where="garage/door")),
        ("hall", event(id="button", user=None, issuer="hall", command_id="c4", detail={"button": "wall-button"})),
        ("garage", event(id="forged", user=None, issuer="hall", command_id="c4", detail={"button": "wall-button"})),
    )
    marks = {one.id: one.detail.get(history.CLAIMED_BY) for one in await whole(store)}
    assert marks == {
        "asked": None,
        "done": None,
        "claimed": "hall",
        "swapped": "hall",
        "nobody": None,
        "elsewhere": "garage",
        "button": None,
        "forged": "garage",
    }


@pytest.mark.parametrize("limit", [1, 3])
async def test_a_mark_needs_no_luck_with_the_pages(store: Store, limit: int) -> None:
    await tell(store, ("gateway", event(id="asked", outcome=Outcome.ASKED)), ("hall", event(id="done")))
    assert all(history.CLAIMED_BY not in one.detail for one in await whole(store, limit=limit))
