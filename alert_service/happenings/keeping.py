"""Happenings in SQL: kept once each, and what need not be asked for once more; in the transaction of a batch."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from alert_service.chain import arrivals
from alert_service.chain.arrivals import Arrival
from alert_service.happenings import passing
from alert_service.happenings.passing import Kept
from alert_service.tables import happenings
from shared.words.messages import ReceiptLine, utc

_NAMES = tuple(column.name for column in happenings.columns if column.name != "number")
# A known one is offered again after every crash: whichever of its keys it meets, it stands.
_KEEP = text(
    f"INSERT INTO happenings ({', '.join(_NAMES)}) VALUES ({', '.join(f':{name}' for name in _NAMES)})"
    " ON CONFLICT DO NOTHING"
)
_PASS = text(
    "INSERT INTO passed (source, seq, received_at) VALUES (:source, :seq, :received_at) ON CONFLICT DO NOTHING"
)


async def keep(
    connection: AsyncConnection, told: Sequence[Arrival], now: float, kept_as: Kept
) -> dict[tuple[str, str], ReceiptLine]:
    """Keep what is new; returns a receipt for every one, kept or not: its producer has done its part.

    It has no row in the chain, so it is receipted with row 0 and without a hash.
    """
    received = utc(now)
    oldest = oldest_kept(now, kept_as)
    kept: list[dict[str, Any]] = []
    gone: list[dict[str, Any]] = []
    for arrival in told:
        made = passing.row(arrival, received, oldest)
        is_kept = kept_as.days > 0 and not passing.is_off(arrival.event.where, kept_as.off)
        (kept if is_kept else gone).append(made)
    if kept:
        await connection.execute(_KEEP, kept)
    await pass_by(connection, [(one["source"], one["seq"], one["received_at"]) for one in gone])
    return {(arrival.source, arrival.event.id): ReceiptLine(id=arrival.event.id, row=0, hash="") for arrival in told}


async def pass_by(connection: AsyncConnection, numbers: Iterable[tuple[str, int, int]]) -> None:
    """Remember that these came: source, its number (0: it has none), and when, in microseconds since 1970."""
    rows = [
        {"source": source, "seq": seq, "received_at": at}
        for source, seq, at in numbers
        if seq > 0 and source != arrivals.OURSELVES
    ]
    if rows:
        await connection.execute(_PASS, rows)


async def newest(connection: AsyncConnection) -> int:
    """The number of the newest happening; 0 before the first."""
    return (await connection.execute(select(func.max(happenings.c.number)))).scalar() or 0


def oldest_kept(now: float, kept_as: Kept) -> datetime:
    """What happened before this is to go."""
    return utc(now) - timedelta(days=kept_as.days)
