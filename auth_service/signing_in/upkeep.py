"""What a running service does once a minute: forget what is past its time, and tell what could not be told at once."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime

from auth_service.confirming import code_rows
from auth_service.people import email_rows
from auth_service.proof import Proof
from auth_service.signing_in import place_rows
from auth_service.signing_in.sessions import Sessions
from shared.keeping.database import Store
from shared.running.log import facts
from shared.words.problem import HomeError

log = logging.getLogger(__name__)

_SECONDS = 60.0


async def keep(
    store: Store,
    sessions: Sessions,
    proof: Proof,
    sweeps: tuple[Callable[[], Awaitable[None]], ...],
    *,
    now: Callable[[], datetime],
) -> None:
    """Once a minute: forget what is past its time, and tell of failures that were only counted, or could not be."""
    while True:
        await proof.write_owed()
        try:
            await sessions.drop_expired()
            async with store.write() as connection:
                await code_rows.drop_expired(connection, now())
                await place_rows.drop_expired(connection, now())
                await email_rows.drop_expired(connection, now())
            for sweep in sweeps:
                await sweep()
        except HomeError as error:
            log.warning("Upkeep failed", extra=facts(reason=error))
        await asyncio.sleep(_SECONDS)
