"""What the outbox asks at every turn costs what waits, and not what ever left: as the database plans it."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy.event import listens_for
from sqlalchemy.ext.asyncio import AsyncConnection

from alert_service.letters import mailbox, release
from shared.keeping.database import Store

NOW = 2e9
ASKED: dict[str, Callable[[AsyncConnection], Awaitable[object]]] = {
    "count": mailbox.count,
    "accepted": mailbox.accepted_at,
    "due": lambda connection: mailbox.due(connection, "mail", NOW, 20),
    "next": lambda connection: mailbox.next_delivery(connection, "mail"),
    "stale": lambda connection: mailbox.stale(connection, "mail", NOW),
    "refusals": lambda connection: mailbox.refusals(connection, 5),
    "regather": lambda connection: release.regather(connection, NOW, 20),
    "left alone": lambda connection: release._left_alone(connection, NOW),
    "next time": release.next_time,
}
WHOLE = re.compile(
    r"SCAN (letters|deliveries)\b|SEARCH letters USING (COVERING )?INDEX letters_by_\w+ \(state=\?\)|released_at<\?"
    r"|SEARCH deliveries USING (COVERING )?INDEX \w+ \(way=\?\)"
)
"""A walk through a table, or through all that left: of letters in one state, "released" are those of all years."""


@pytest.mark.parametrize("asked", ASKED)
async def test_nothing_walks_through_all_that_left(store: Store, asked: str) -> None:
    statements: list[tuple[str, Any]] = []
    async with store.read() as connection:
        if connection.dialect.name != "sqlite":
            pytest.skip("its planner goes by what is in the tables, and these are empty")

        @listens_for(connection.sync_connection, "before_cursor_execute")
        def on_execute(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
            if statement.startswith("SELECT"):
                statements.append((statement, parameters))

        await ASKED[asked](connection)
        assert statements
        for statement, parameters in statements:
            if "released" not in parameters and "sent" not in parameters and "pending" not in parameters:
                continue  # asks for what waits alone
            plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            steps = [str(step.detail) for step in plan.all()]
            assert [step for step in steps if WHOLE.search(step)] == [], (statement, steps)
            if asked == "accepted":
                assert not any("TEMP B-TREE" in step for step in steps), steps
