"""Recording: once per source and id, in one unbroken chain, with a letter for what deserves one."""

from collections.abc import Iterable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from alert_service.chain import chain
from alert_service.chain.arrivals import Arrival
from alert_service.letters import opening
from alert_service.record import records
from alert_service.tables import events, letters
from shared.keeping.database import Store
from shared.words.messages import AuditEvent
from shared.words.names import Outcome, Severity
from tests.unit.alert_service.parts import HOUSE, START, event


async def tell(store: Store, *told: tuple[str, AuditEvent], now: float = START) -> dict[records.Key, object]:
    async with store.write() as connection:
        return {**(await records.record(connection, [Arrival(*one) for one in told], now, HOUSE)).receipts}


async def all_rows(store: Store) -> list[chain.Row]:
    async with store.read() as connection:
        return [records.as_row(x) for x in (await connection.execute(select(events).order_by(events.c.row))).all()]


async def all_letters(store: Store) -> list[tuple[object, ...]]:
    wanted = select(letters.c.kind, letters.c.state, letters.c.round, letters.c.ended).order_by(letters.c.id)
    async with store.read() as connection:
        return [tuple(x) for x in (await connection.execute(wanted)).all()]


async def test_events_come_back_as_they_went_in_and_the_chain_is_sound(store: Store) -> None:
    told = [
        ("hall", event(detail={"reason": "ü <b>", "n": "1"}, seq=2**52)),
        ("gateway", event(outcome=Outcome.ASKED, at=START + 0.123)),
        ("auth", event(what="account:created", where="bob", user=None, address=None, command_id=None)),
    ]
    await tell(store, *told[:1])
    await tell(store, *told[1:], now=START + 5)
    rows = await all_rows(store)
    assert [(x.source, x.event) for x in rows] == told
    assert chain.verify(rows) == chain.Verdict(row=3, head=rows[-1].hash)


async def test_a_repeat_is_recorded_once_and_receipted_alike(store: Store) -> None:
    one = event(severity=Severity.INFO)
    first = await tell(store, ("hall", one), ("hall", one))
    again = await tell(store, ("hall", one))
    assert first == again
    assert list(first) == [("hall", one.id)]
    assert len(await all_rows(store)) == 1


async def test_the_same_id_from_another_source_is_another_event(store: Store) -> None:
    one = event(id="same", severity=Severity.INFO)
    await tell(store, ("hall", one), ("garage", one))
    assert [x.source for x in await all_rows(store)] == ["hall", "garage"]


async def test_another_content_under_a_known_id_is_an_incident_and_the_first_stands(store: Store) -> None:
    first = event(id="e", severity=Severity.INFO)
    receipts = await tell(store, ("hall", first))
    forged = await tell(store, ("hall", event(id="e", severity=Severity.INFO, what="device:lock")))
    assert forged[("hall", "e")] == receipts[("hall", "e")]
    rows = await all_rows(store)
    assert [(x.source, x.event.what) for x in rows] == [("hall", "device:unlock"), ("alerts", "audit:id-reused")]
    assert rows[1].event.where == "hall"
    assert await all_letters(store) == [("event", "ready", 1, "rejected")]


async def test_a_thousand_forgeries_are_one_incident(store: Store) -> None:
    await tell(store, ("hall", event(id="e", severity=Severity.INFO)))
    forgeries = [("hall", event(id="e", severity=Severity.INFO, what=f"x:{n}")) for n in range(1000)]
    await tell(store, *forgeries)
    await tell(store, *forgeries)
    assert len(await all_rows(store)) == 2
    assert chain.verify(await all_rows(store)).broken is None


async def test_forgery_and_first_in_one_batch_are_told_apart(store: Store) -> None:
    await tell(store, ("hall", event(id="e", severity=Severity.INFO)), ("hall", event(id="e", what="x:y")))
    assert [x.source for x in await all_rows(store)] == ["hall", "alerts"]


async def test_our_own_events_are_numbered(store: Store) -> None:
    for n, source in enumerate(["hall", "garage", "kitchen"]):
        await tell(store, (source, event(id="e", severity=Severity.INFO)), now=START + n)
        await tell(store, (source, event(id="e", severity=Severity.INFO, what="x:y")), now=START + n)
    assert [x.event.seq for x in await all_rows(store) if x.source == "alerts"] == [1, 2, 3]


async def test_intent_and_outcome_make_one_letter(store: Store) -> None:
    await tell(store, ("gateway", event(outcome=Outcome.ASKED)))
    assert await all_letters(store) == [("command", "waiting", 1, None)]
    await tell(store, ("hall", event()))
    assert await all_letters(store) == [("command", "ready", 1, "executed")]


async def test_what_is_merely_noted_makes_no_letter(store: Store) -> None:
    await tell(store, ("hall", event(severity=Severity.INFO)))
    assert await all_letters(store) == []


async def test_an_intent_nobody_answers_becomes_unknown(store: Store) -> None:
    await tell(store, ("gateway", event(outcome=Outcome.ASKED)))
    async with store.write() as connection:
        assert await opening.expire(connection, START + 29) == 0
        assert await opening.expire(connection, START + 30) == 1
        assert await opening.expire(connection, START + 31) == 0
    await tell(store, ("hall", event()), now=START + 40)
    assert await all_letters(store) == [("command", "ready", 1, "unknown")], "it is still here, and tells it"


async def test_an_outcome_after_its_letter_left_is_a_letter_of_its_own(store: Store) -> None:
    await tell(store, ("gateway", event(outcome=Outcome.ASKED)))
    async with store.write() as connection:
        await opening.expire(connection, START + 30)
        await connection.execute(update(letters).values(state="released"))
    await tell(store, ("hall", event()), now=START + 40)
    assert await all_letters(store) == [("command", "released", 1, "unknown"), ("command", "ready", 2, "executed")]


async def test_two_outcomes_in_one_batch_are_two_letters(store: Store) -> None:
    await tell(store, ("hall", event()), ("hall", event()))
    assert await all_letters(store) == [("command", "ready", 1, "executed"), ("command", "waiting", 2, None)]


async def test_a_letter_under_way_is_not_called_back(store: Store) -> None:
    await tell(store, ("hall", event(issuer="phone")))
    async with store.write() as connection:
        await connection.execute(update(letters).values(state="released"))
    await tell(store, ("hall", event(issuer="phone", outcome=Outcome.UNKNOWN)))
    assert await all_letters(store) == [("command", "released", 1, "executed")]


async def test_an_edit_by_hand_is_found(store: Store) -> None:
    await tell(store, *[("hall", event(severity=Severity.INFO)) for _ in range(5)])
    async with store.write() as connection:
        await connection.execute(update(events).where(events.c.row == 3).values(user_name="Eve"))
    broken = chain.verify(await all_rows(store)).broken
    assert broken == chain.Broken(row=3, reason="names another person or address than was recorded")
    async with store.write() as connection:
        await connection.execute(delete(events).where(events.c.row == 2))
    assert chain.verify(await all_rows(store)).broken == chain.Broken(row=3, reason="row 2 is missing")


PAIR = [("gateway", event(id="asked", outcome=Outcome.ASKED)), ("hall", event(id="done"))]
batches = st.lists(st.lists(st.sampled_from(PAIR), min_size=1, max_size=3), min_size=1, max_size=6)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(batches, st.lists(st.floats(0, 60), min_size=6, max_size=6))
async def test_any_batches_and_timers_make_one_letter_and_a_sound_chain(
    store: Store, batches: Iterable[list[tuple[str, AuditEvent]]], waits: list[float]
) -> None:
    async with store.write() as connection:
        await connection.execute(delete(letters))
        await connection.execute(delete(events))
    now = START
    for batch, wait in zip(batches, waits, strict=False):
        await tell(store, *batch, now=now)
        now += wait
        async with store.write() as connection:
            await opening.expire(connection, now)
    await tell(store, *PAIR, now=now)
    async with store.write() as connection:
        await opening.expire(connection, now + 60)
    rows = await all_rows(store)
    assert {(x.source, x.event.id) for x in rows} == {("gateway", "asked"), ("hall", "done")}
    assert len(rows) == 2
    assert chain.verify(rows).broken is None
    made = await all_letters(store)
    assert len(made) == 1
    assert made[0][1] == "ready"
