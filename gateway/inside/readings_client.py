"""What the gateway asks of the recorder: readings of one device, in points."""

from typing import Self

from shared.door.client import ReadingsAddress, ServiceClient
from shared.trust import tls
from shared.words import internal
from shared.words.internal_readings import ReadingsPage, ReadingsQuery


class ReadingsClient:
    """The recorder over HTTPS with mutual certificates. Use as an async context manager."""

    def __init__(self, address: ReadingsAddress, identity: tls.Identity) -> None:
        self._service = ServiceClient(address, identity, absent="readings-unreachable")

    async def __aenter__(self) -> Self:
        await self._service.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._service.__aexit__()

    async def ask(self, query: ReadingsQuery) -> ReadingsPage:
        """The points. Raises "readings-unreachable", and "invalid-value" with what would be right."""
        return await self._service.call("POST", internal.READINGS, ReadingsPage, query)
