"""Asks the alert service for news of the record while anybody has the history open, and tells the event streams."""

import asyncio
import logging
from typing import Final, Protocol

from shared.running import backoff
from shared.running.log import facts
from shared.words.internal_alerts import AuditHead
from shared.words.problem import HomeError

log = logging.getLogger(__name__)

PAUSE_SECONDS: Final = 1.0
"""A burst of events is told once a second."""


class Record(Protocol):
    """What is asked of the alert service."""

    async def head(self, after: int, happening: int) -> AuditHead:
        """How far it goes, once it is past what is known, or after a while."""


class Followers(Protocol):
    """What is asked of the event streams."""

    async def followed(self) -> None:
        """Wait until somebody follows the record."""

    def tell_recorded(self, row: int, happening: int) -> None:
        """Tell them how far it goes."""


async def run(record: Record, followers: Followers, *, pause: float = PAUSE_SECONDS) -> None:
    """Watch until cancelled."""
    known, misses = AuditHead(row=0), 0
    while True:
        await followers.followed()
        try:
            head = await record.head(known.row, known.happening)
        except HomeError as error:
            log.info("Record cannot be followed", extra=facts(reason=error, attempt=misses))
            await asyncio.sleep(backoff.delay(misses, first=pause, most=15.0))
            misses += 1
            continue
        misses = 0
        if head != known:  # it may be less: after a restored backup
            known = head
            followers.tell_recorded(head.row, head.happening)
        await asyncio.sleep(pause)
