"""What the gateway asks of the alert service: the history."""

from typing import Self

from gateway.guards import Scope, as_shown
from shared import internal, tls
from shared.client import AlertsAddress, ServiceClient


class AlertsClient:
    """The alert service over HTTPS with mutual certificates. Use as an async context manager."""

    def __init__(self, address: AlertsAddress, identity: tls.Identity) -> None:
        self._service = ServiceClient(address, identity, absent="alerts-unreachable")

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
