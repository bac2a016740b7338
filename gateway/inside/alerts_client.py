"""What the gateway asks of the alert service: the history, its newest row, whether its chain is whole, and how the
letters fare.
"""

import asyncio
import time
from typing import Self

from gateway.picture import guards
from gateway.picture.guards import Scope
from shared.door.client import AlertsAddress, ServiceClient
from shared.trust import tls
from shared.words import internal
from shared.words.internal_alerts import (
    AlertsReady,
    AuditFilter,
    AuditHead,
    AuditPage,
    AuditQuery,
    AuditScope,
    ChainStatus,
    MailStatus,
)
from shared.words.problem import HomeError

_HEAD_SECONDS = 35.0
"""The alert service holds the question for 25 seconds."""
MAIL_FRESH_SECONDS = 10.0
MAIL_PATIENCE_SECONDS = 0.3
"""A page waits no longer than this to know how the letters fare: it is asked for beside what the page is about."""


class AlertsClient:
    """The alert service over HTTPS with mutual certificates. Use as an async context manager."""

    def __init__(self, address: AlertsAddress, identity: tls.Identity) -> None:
        self._service = ServiceClient(address, identity, absent="alerts-unreachable")
        self._mail: MailStatus | None = None
        self._mail_asked_at = float("-inf")

    async def __aenter__(self) -> Self:
        await self._service.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._service.__aexit__()

    async def history(self, scope: Scope, wanted: AuditFilter, *, limit: int, after: int | None = None) -> AuditPage:
        """A page of the history, newest first: what is in `scope` and `wanted`. Raises "alerts-unreachable"."""
        if not guards.may_look_for(scope, wanted):
            return AuditPage(events=(), next=None)
        seen = None
        if scope.user is not None:
            seen = AuditScope(user=scope.user, rooms=scope.rooms, places=scope.places)
        query = AuditQuery(scope=seen, filter=wanted, limit=limit, after=after)
        page = await self._service.call("POST", internal.AUDIT, AuditPage, query)
        shown = tuple(guards.as_shown(scope, event) for event in page.events)
        return AuditPage(events=shown, next=page.next, head=page.head)

    async def head(self, after: int) -> int:
        """The newest row, once it is past `after`, or after a while. Raises "alerts-unreachable"."""
        query = {"after": str(after)}
        answer = await self._service.call("GET", internal.HEAD, AuditHead, query=query, seconds=_HEAD_SECONDS)
        return answer.row

    async def chain(self) -> ChainStatus | None:
        """Whether the chain is whole; None where no row was looked at yet. Raises "alerts-unreachable"."""
        found = await self._service.call("GET", internal.AUDIT_CHAIN, ChainStatus)
        looked_at = found.checked_at is not None and found.row > 0
        return found if looked_at or found.broken is not None else None

    async def mail(self) -> MailStatus | None:
        """How the letters fare, some seconds old at most; None where the alert service does not say so at once."""
        if time.monotonic() - self._mail_asked_at >= MAIL_FRESH_SECONDS:
            self._mail_asked_at = time.monotonic()  # first: whoever comes meanwhile need not ask too
            try:
                async with asyncio.timeout(MAIL_PATIENCE_SECONDS):
                    self._mail = (await self._service.call("GET", internal.READY, AlertsReady)).mail
            except (HomeError, TimeoutError):
                self._mail = None
        return self._mail
