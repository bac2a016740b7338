"""What the gateway asks of the alert service: the history, and how the letters fare."""

import asyncio
import time
from typing import Self

from gateway.guards import Scope, as_shown
from shared import internal, tls
from shared.client import AlertsAddress, ServiceClient
from shared.problem import HomeError

MAIL_FRESH_SECONDS = 10.0
MAIL_PATIENCE_SECONDS = 0.3
"""A page waits no longer than this to know how the letters fare: it is asked for beside what the page is about."""


class AlertsClient:
    """The alert service over HTTPS with mutual certificates. Use as an async context manager."""

    def __init__(self, address: AlertsAddress, identity: tls.Identity) -> None:
        self._service = ServiceClient(address, identity, absent="alerts-unreachable")
        self._mail: internal.MailStatus | None = None
        self._mail_asked_at = float("-inf")

    async def __aenter__(self) -> Self:
        await self._service.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._service.__aexit__()

    async def history(self, scope: Scope, *, limit: int, after: str | None = None) -> internal.AuditPage:
        """A page of the history within `scope`, newest first. Raises "alerts-unreachable"."""
        query = {"limit": str(limit)}
        if after is not None:
            query["after"] = after
        if scope.user is not None:
            query["user"] = scope.user
            query["devices"] = ",".join(scope.places)
        page = await self._service.call("GET", internal.AUDIT, internal.AuditPage, query=query)
        return internal.AuditPage(events=tuple(as_shown(scope, event) for event in page.events), next=page.next)

    async def mail(self) -> internal.MailStatus | None:
        """How the letters fare, some seconds old at most; None where the alert service does not say so at once."""
        if time.monotonic() - self._mail_asked_at >= MAIL_FRESH_SECONDS:
            self._mail_asked_at = time.monotonic()  # first: whoever comes meanwhile need not ask too
            try:
                async with asyncio.timeout(MAIL_PATIENCE_SECONDS):
                    self._mail = (await self._service.call("GET", internal.READY, internal.AlertsReady)).mail
            except (HomeError, TimeoutError):
                self._mail = None
        return self._mail
