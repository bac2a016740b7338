"""A table with a chain in it, for the tests of what checks, removes and erases; and its check."""

from collections.abc import Iterable

from sqlalchemy import select

from alert_service.chain import chain
from alert_service.chain.arrivals import Arrival
from alert_service.chain.chain import Verdict
from alert_service.record import records, walk
from alert_service.tables import events
from shared.keeping.database import Store
from shared.words.messages import AuditEvent, UserRef
from shared.words.names import Severity
from tests.unit.alert_service.parts import ADA, HOUSE, START, event

BOB = UserRef(id="u2", name="Bob")
DAY = 86_400.0


def acts(count: int, *, first: int = 1, user: UserRef | None = ADA) -> list[tuple[str, AuditEvent]]:
    """Plain events that make no letters, each with something personal in its detail."""
    return [
        (
            "hall" if number % 2 else "gateway",
            event(
                id=f"e{number}",
                seq=number,
                at=START + number,
                user=user,
                severity=Severity.INFO,
                detail={"user": "Ada", "reason": f"r{number}"},
            ),
        )
        for number in range(first, first + count)
    ]


async def tell(store: Store, told: Iterable[tuple[str, AuditEvent]], now: float = START) -> None:
    """Record events as the recorder would."""
    async with store.write() as connection:
        await records.record(connection, [Arrival(*one) for one in told], now, HOUSE)


async def verdict(store: Store, *, from_row: int = 1, batch: int = 3) -> Verdict:
    """What the check of the whole table finds."""
    last: Verdict | None = None
    async for one in walk.walk(store, from_row=from_row, batch=batch):
        last = one
    assert last is not None
    return last


async def all_rows(store: Store) -> list[chain.Row]:
    """Every row there is."""
    async with store.read() as connection:
        return [records.as_row(x) for x in (await connection.execute(select(events).order_by(events.c.row))).all()]
