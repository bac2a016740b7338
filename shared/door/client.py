"""Calls to the internal services over HTTPS with mutual certificates: one session, problems back as HomeError.

What kept us from an answer names addresses inside the hub, so the log alone has it; a problem goes out to people.
"""

import logging
import time
from typing import Annotated, Any, Self, TypeVar

import aiohttp
import msgspec

from shared.running.config import Config, env
from shared.running.log import facts
from shared.running.seldom import Seldom
from shared.trust import renewal, tls
from shared.words.problem import CATALOGUE, HomeError

log = logging.getLogger(__name__)

_COMPLAINT_SECONDS = 60.0
T = TypeVar("T")


class AuthAddress(Config, frozen=True):
    """Where the auth service listens, as named in its certificate."""

    port: Annotated[int, env("HOMESYSTEM_AUTH_PORT"), msgspec.Meta(ge=1, le=65535)]
    host: str = "127.0.0.1"


class AlertsAddress(Config, frozen=True):
    """Where the alert service listens, as named in its certificate."""

    port: Annotated[int, env("HOMESYSTEM_ALERTS_PORT"), msgspec.Meta(ge=1, le=65535)]
    host: str = "127.0.0.1"


class ReadingsAddress(Config, frozen=True):
    """Where the recorder listens, as named in its certificate. A home that an older version made does not say."""

    port: Annotated[int, env("HOMESYSTEM_READINGS_PORT"), msgspec.Meta(ge=1, le=65535)] = 8446
    host: str = "127.0.0.1"


Address = AuthAddress | AlertsAddress | ReadingsAddress


class ServiceClient:
    """One internal service; `absent` is the slug for when it does not answer. Use as an async context manager."""

    def __init__(self, address: Address, identity: tls.Identity, *, absent: str, seconds: float = 5.0) -> None:
        self._base = f"https://{address.host}:{address.port}"
        self._tls = renewal.client(identity)
        self._absent = absent
        self._timeout = aiohttp.ClientTimeout(total=seconds)
        self._session: aiohttp.ClientSession | None = None
        self._complained = Seldom(_COMPLAINT_SECONDS, most=16)

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=50), timeout=self._timeout)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    async def call(
        self,
        method: str,
        path: str,
        answer: type[T],
        body: msgspec.Struct | None = None,
        query: dict[str, str] | None = None,
        seconds: float | None = None,
    ) -> T:
        """Call and read the answer as `answer` (`type(None)` for none); `seconds` is for one that is long in coming.

        Raises HomeError: the service's own problem, or `absent`.
        """
        assert self._session is not None, "used outside its context"
        headers = {"Content-Type": "application/json"} if body is not None else None
        payload = msgspec.json.encode(body) if body is not None else None
        # Whoever is gone is so at once, however long an answer may take.
        usual = self._timeout
        timeout = usual if seconds is None else aiohttp.ClientTimeout(total=seconds, connect=usual.total)
        try:
            async with self._session.request(
                method,
                self._base + path,
                data=payload,
                headers=headers,
                params=query,
                timeout=timeout,
                # Connections are kept for the context they were made with: a new one is for new connections.
                ssl=self._tls.value(),
            ) as response:
                content = await response.read()
                if response.status >= 400:
                    raise self._problem(content)
        except (aiohttp.ClientError, OSError) as error:
            self._complain(tls.explain(error))
            raise HomeError(self._absent) from error
        return msgspec.json.decode(content or b"null", type=answer)

    def _complain(self, reason: str) -> None:
        """Once a minute per reason: pages ask by the second."""
        if self._complained.is_due(reason, time.monotonic()):
            log.warning("No answer", extra=facts(problem=self._absent, reason=reason))
            self._complained.said(reason, time.monotonic())

    def _problem(self, content: bytes) -> HomeError:
        try:
            document: dict[str, Any] = msgspec.json.decode(content, type=dict[str, Any])
        except msgspec.DecodeError:
            return HomeError(self._absent)
        slug = str(document.get("type", "")).rpartition("/")[2]
        known = {"type", "title", "status", "detail", "instance"}
        extra = {name: value for name, value in document.items() if name not in known}
        return HomeError(slug if slug in CATALOGUE else "internal", document.get("detail"), **extra)
