"""What the gateway asks of the alert service: the history, its newest row, whether its chain is whole, and how the
letters fare.
"""

import asyncio
import time
from collections.abc import Iterable
from typing import Self

import msgspec

from gateway.inside.audit_query import Happenings
from gateway.picture import guards
from gateway.picture.guards import Scope
from shared.door.client import AlertsAddress, ServiceClient
from shared.trust import tls
from shared.words import internal
from shared.words.internal_alerts import (
    MOST_PLACES,
    AlertsReady,
    AuditFilter,
    AuditHead,
    AuditPage,
    AuditQuery,
    AuditScope,
    ChainStatus,
    Happening,
    LastHappenings,
    LastQuery,
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

    async def history(
        self,
        scope: Scope,
        wanted: AuditFilter,
        *,
        limit: int,
        after: str | None = None,
        around: int | None = None,
        happenings: Happenings = "none",
    ) -> AuditPage:
        """A page of the history, newest first: what is in `scope` and `wanted`. Raises "alerts-unreachable"."""
        if not guards.may_look_for(scope, wanted):
            return AuditPage(events=(), next=None)
        seen = None
        if scope.user is not None:
            seen = AuditScope(user=scope.user, rooms=scope.rooms, places=scope.places)
        query = AuditQuery(scope=seen, filter=wanted, limit=limit, after=after, around=around, happenings=happenings)
        page = await self._service.call("POST", internal.AUDIT, AuditPage, query)
        return msgspec.structs.replace(page, events=tuple(guards.as_shown(scope, event) for event in page.events))

    async def head(self, after: int, happening: int) -> AuditHead:
        """How far record and happenings go, once one of them is past what is known, or after a while.

        Raises "alerts-unreachable".
        """
        query = {"after": str(after), "happening": str(happening)}
        return await self._service.call("GET", internal.HEAD, AuditHead, query=query, seconds=_HEAD_SECONDS)

    async def last(self, places: Iterable[str]) -> tuple[Happening, ...]:
        """What happened last at each of these places. Raises "alerts-unreachable"."""
        query = LastQuery(places=tuple(places)[:MOST_PLACES])
        return (await self._service.call("POST", internal.HAPPENINGS_LAST, LastHappenings, query)).happenings

    async def chain(self) -> ChainStatus | None:
        """Whether the chain is whole; None where no row was looked at yet. Raises "alerts-unreachable"."""
        found = await self._service.call("GET", internal.AUDIT_CHAIN, ChainStatus)
        looked_at = found.checked_at is not None and found.row > 0
        return found if looked_at or found.broken is not None else None

    async def ready(self) -> AlertsReady:
        """How record and letters stand. Raises "alerts-unreachable"."""
        return await self._service.call("GET", internal.READY, AlertsReady)

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
