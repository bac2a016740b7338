"""Whether the home is locked down, as the record has it: a letter offers no lockdown of a home that has one."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from alert_service.tables import events
from shared.words.names import Outcome

_TELLER = "auth"
"""Who locks the home down and ends that; a room's word for it counts for nothing."""
_BEGINS, _ENDS = "home:locked-down", "home:lockdown-ended"


async def stands(connection: AsyncConnection) -> bool:
    """By the newest row about it; False where the record has none."""
    rows = [await _newest(connection, what) for what in (_BEGINS, _ENDS)]
    return rows[0] > rows[1]


async def _newest(connection: AsyncConnection, what: str) -> int:
    found = select(events.c.row).where(
        events.c.what == what, events.c.outcome == Outcome.EXECUTED.value, events.c.source == _TELLER
    )
    row = (await connection.execute(found.order_by(events.c.row.desc()).limit(1))).scalar()
    return int(row) if row is not None else 0
