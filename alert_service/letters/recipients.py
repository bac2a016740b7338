"""Asks the auth service whom letters go to, and remembers its last answer for when it is away."""

import asyncio
import logging
from collections.abc import Callable, Mapping

from alert_service.letters import mailbox
from shared.door.client import ServiceClient
from shared.keeping.database import Store
from shared.running import backoff
from shared.running.lifecycle import leave_if_stopped
from shared.running.log import facts
from shared.words import internal_recipients
from shared.words.problem import HomeError

log = logging.getLogger(__name__)

REFRESH_SECONDS = 60.0


async def keep_fresh(
    auth: ServiceClient,
    store: Store,
    *,
    changed: Callable[[], None],
    named: Callable[[Mapping[str, str]], None],
    now: Callable[[], float],
) -> None:
    """Ask every minute, sooner while there was no answer, until cancelled; `changed` after each answer.

    `named` is told what the master user calls rooms and devices.
    """
    attempt = 0
    while True:
        leave_if_stopped()
        try:
            answer = await auth.call("GET", internal_recipients.RECIPIENTS, internal_recipients.Recipients)
            named(answer.names)
            if any(one.master for one in answer.people):
                async with store.write() as connection:
                    await mailbox.set_people(connection, answer.people, now())
                changed()
            else:
                log.warning("Auth service names nobody to write to")
            attempt = 0
            wait = REFRESH_SECONDS
        except HomeError as error:
            log.warning("Recipients are not known anew", extra=facts(reason=error, attempt=attempt))
            wait = backoff.delay(attempt, first=0.5, most=30.0)
            attempt += 1
        leave_if_stopped()
        await asyncio.sleep(wait)
