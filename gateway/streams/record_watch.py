"""Asks the alert service for news of the record while anybody has the history open, and tells the event streams."""

import asyncio
import logging
from typing import Final, Protocol

from shared.running import backoff
from shared.running.log import facts
from shared.words.problem import HomeError

log = logging.getLogger(__name__)

PAUSE_SECONDS: Final = 1.0
"""A burst of events is told once a second."""


class Record(Protocol):
    """What is asked of the alert service."""

    async def head(self, after: int) -> int:
        """The newest row, once it is past `after`, or after a while."""


class Followers(Protocol):
    """What is asked of the event streams."""

    async def followed(self) -> None:
        """Wait until somebody follows the record."""

    def tell_recorded(self, row: int) -> None:
        """Tell them how far it goes."""


async def run(record: Record, followers: Followers, *, pause: float = PAUSE_SECONDS) -> None:
    """Watch until cancelled."""
    known, misses = 0, 0
    while True:
        await followers.followed()
        try:
            row = await record.head(known)
        except HomeError as error:
            log.info("Record cannot be followed", extra=facts(reason=error, attempt=misses))
            await asyncio.sleep(backoff.delay(misses, first=pause, most=15.0))
            misses += 1
            continue
        misses = 0
        if row != known:  # it may be less: after a restored backup
            known = row
            followers.tell_recorded(row)
        await asyncio.sleep(pause)
