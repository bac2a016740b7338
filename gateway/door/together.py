"""Has a gateway count together with the others of its home, where `[counts] redis` says by which store."""

from gateway.door import limits
from gateway.door.limits import Limits
from gateway.door.sharing import Sharing


async def run(table: Limits, url: str) -> None:
    """Until cancelled. Raises ConfigError where the store's package is not installed."""
    async with limits.shared_store(url) as store:
        sharing = Sharing(store, table.windows, away=limits.StoreAwayError)
        table.share = sharing.note
        await sharing.run()
