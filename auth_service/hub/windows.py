"""Windows that `homesystem room add` and `client add` open at the hub, for machines that come by themselves."""

import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from auth_service.config import AuthConfig
from auth_service.hub import opening
from auth_service.hub.accounts import ISSUER
from auth_service.joining.windows import Opened, Windows
from auth_service.proof import Proof
from shared.words.internal_joining import Kind
from shared.words.messages import Who


@contextlib.asynccontextmanager
async def opened(config: AuthConfig) -> AsyncIterator["AtTheHub"]:
    """Those of the home that `config` describes; migrates the database. Raises ConfigError as opening.opened does."""
    async with opening.opened(config) as (store, _, spool):
        yield AtTheHub(Windows(store, Proof(spool, now=_now), now=_now))


class AtTheHub:
    """Opens windows in the name of whoever may run `homesystem`."""

    def __init__(self, windows: Windows) -> None:
        self._windows = windows

    async def open(self, name: str, kind: Kind, devices: tuple[str, ...], *, unfinished: bool) -> Opened:
        """For a new room or client; see Windows.open, also for what it raises."""
        return await self._windows.open(name, Who(issuer=ISSUER), kind=kind, devices=devices, unfinished=unfinished)

    async def open_again(self, name: str, kind: Kind) -> Opened:
        """For a room or client that there is, see Windows.open_again. Raises HomeError: not-found, no-proof."""
        return await self._windows.open_again(name, kind, Who(issuer=ISSUER))


def _now() -> datetime:
    return datetime.now(UTC)
