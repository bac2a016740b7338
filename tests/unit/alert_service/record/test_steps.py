"""What a batch costs in SQLite does not grow with the record: a home's tenth year is recorded like its first."""

import itertools
from collections.abc import Callable

from sqlalchemy.ext.asyncio import AsyncConnection

from alert_service.chain.arrivals import Arrival
from alert_service.record import records
from shared.keeping.database import Store
from shared.words.messages import UserRef
from shared.words.names import Severity
from tests.unit.alert_service.parts import HOUSE, START, event

_FEW, _MANY = 100, 2_000
_numbers = itertools.count(1)


def batch(size: int, severity: Severity = Severity.INFO) -> list[Arrival]:
    """Events as a gateway tells them, one after the other."""
    told = [
        event(
            id=f"e{number:08}",
            seq=number,
            at=START + number,
            severity=severity,
            command_id=f"c{number:08}",
            user=UserRef(id=f"u{number % 3}", name="Ada"),
        )
        for number in itertools.islice(_numbers, size)
    ]
    return [Arrival("gateway", one) for one in told]


async def steps(store: Store, told: list[Arrival]) -> int:
    """How many instructions SQLite's machine carries out to record these."""
    taken = 0

    def step() -> int:
        nonlocal taken
        taken += 1
        return 0

    async with store.write() as connection:
        await _watch(connection, step)
        await records.record(connection, told, START, HOUSE)
        await _watch(connection, None)
    return taken


async def _watch(connection: AsyncConnection, step: Callable[[], int] | None) -> None:
    driver = (await connection.get_raw_connection()).driver_connection
    assert driver is not None
    await driver.set_progress_handler(step, 1)


async def grow(store: Store, size: int) -> None:
    async with store.write() as connection:
        await records.record(connection, batch(size), START, HOUSE)


async def test_a_batch_takes_as_many_steps_however_long_the_record_is(store: Store) -> None:
    for severity, size in ((Severity.INFO, 20), (Severity.CRITICAL, 1)):
        await grow(store, _FEW)
        first = await steps(store, batch(size, severity))
        await grow(store, _MANY)
        later = await steps(store, batch(size, severity))
        assert first > size, "nothing was counted"
        assert later - first < _MANY // 20, (severity, first, later)
