"""A row that a hand has spoiled: the check names it, and nothing else stops because of it."""

import msgspec
import pytest
from sqlalchemy import text

from alert_service import history, records
from alert_service.narrowing import Scope
from shared import messages
from shared.database import Store
from shared.internal_alerts import AuditPage
from tests.unit.alert_service.record_parts import acts, all_rows, tell

SPOILED = [
    ("outcome", "'splendid'"),
    ("outcome", "x'7b179cbad79d'"),
    ("severity", "'huge'"),
    ("detail", "'no JSON'"),
    ("detail", "'[]'"),
    ("detail", "'{\"user\": 1}'"),
    ("detail", "x'ff'"),
    ("at", str(2**62)),
    ("received_at", str(2**62)),
    ("at", "'soon'"),
    ("what", "x'ff'"),
    ("place", "x'ff'"),
    ("issuer", "x'ff'"),
    ("user_name", "x'ff'"),
    ("hash", "x'ff'"),
    ("seq", "'many'"),
    ("what", "hex(zeroblob(200))"),
    ("id", "'no id'"),
]


@pytest.mark.parametrize(("column", "value"), SPOILED)
async def test_a_spoiled_row_is_shown_as_one_and_stops_nothing(store: Store, column: str, value: str) -> None:
    await tell(store, acts(5))
    async with store.write() as connection:
        await connection.execute(text(f"UPDATE events SET {column} = {value} WHERE row = 4"))
    async with store.read() as connection:
        page = await history.page(connection, Scope(), limit=10, after=None)
    heard = messages.decode(AuditPage, msgspec.json.encode(page))  # as a gateway reads it
    assert [event.row for event in heard.events] == [5, 4, 3, 2, 1]
    assert heard.events[1].what == "audit:spoiled"
    async with store.read() as connection:
        assert (await records.rows(connection, [4]))[4].event.what == "audit:spoiled"
    # Its producer, who tells it again, is answered, and what it tells beside it is recorded.
    await tell(store, acts(6))
    assert {row.event.id for row in await all_rows(store)} >= {"e5", "e6"}
