"""A master user opens a window from a page: who they are, proved just now, is looked at with the change itself."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.account import telling
from auth_service.home import room_rows
from auth_service.joining import granted
from auth_service.joining.windows import Windows
from auth_service.people import masters
from auth_service.signing_in.session_rows import is_proved
from auth_service.signing_in.sessions import Sessions
from shared.words.internal_joining import WindowOpened, WindowWish
from shared.words.problem import HomeError


class WindowsByPerson:
    """Opens them for whoever is signed in. `issuer` in its method is the gateway that asks."""

    def __init__(self, windows: Windows, sessions: Sessions, *, now: Callable[[], datetime]) -> None:
        self._windows = windows
        self._sessions = sessions
        self._now = now

    async def open(self, wanted: WindowWish, issuer: str) -> WindowOpened:
        """For a new room, or a client that may command and hear devices of the registry.

        Raises HomeError: sign-in-required, forbidden (no master user), step-up-required; invalid-value and
        already-exists (`field` "name"); invalid-value and unknown-device (`field` "may"); no-proof.
        """
        devices = tuple(dict.fromkeys(wanted.may)) if wanted.kind == "client" else ()
        session = await self._sessions.verify(wanted.token)

        async def may(connection: AsyncConnection) -> None:
            await masters.held(connection, session.user.id, _masters_only)
            if not is_proved(session, self._now()):
                raise HomeError("step-up-required")
            if wanted.kind == "client":
                granted.check_count(devices)
                granted.check_known(devices, await room_rows.critical_among(connection, devices))

        who = telling.by(session.user, wanted.address, issuer)
        try:
            opened = await self._windows.open(wanted.name, who, kind=wanted.kind, devices=devices, may=may)
        except HomeError as error:
            if "field" not in error.facts and error.slug in ("invalid-value", "already-exists"):
                raise HomeError(error.slug, error.detail, field="name") from error
            raise
        return WindowOpened(token=opened.token, expires_at=opened.expires_at)


def _masters_only() -> HomeError:
    return HomeError("forbidden", "Only a master user lets a room or a client join.")
