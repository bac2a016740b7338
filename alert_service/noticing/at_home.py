"""Asks the auth service whether somebody is signed in at home: that alone knows who uses which session from where."""

import logging

from shared.door.client import ServiceClient
from shared.running.log import facts
from shared.words import internal_recipients
from shared.words.problem import HomeError

log = logging.getLogger(__name__)

_PATIENCE_SECONDS = 3.0
"""A doorbell's letter waits no longer for an answer."""


async def somebody(auth: ServiceClient) -> bool | None:
    """Whether somebody is; None where there is no answer."""
    try:
        answer = await auth.call(
            "GET", internal_recipients.AT_HOME, internal_recipients.AtHome, seconds=_PATIENCE_SECONDS
        )
    except HomeError as error:
        log.warning("Whether somebody is at home is not known", extra=facts(reason=error))
        return None
    return answer.somebody
