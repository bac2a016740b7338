"""The encrypted cookie: the CSRF token, the browser's pre-login id and the opaque session token, and little else.

Its attributes and what it may carry: ASVS 5.0 3.3.1 to 3.3.4, 7.2.1.
"""

import base64
import binascii
import secrets
import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import aiohttp_session
from aiohttp import web
from aiohttp_session.cookie_storage import EncryptedCookieStorage

from shared.running.config import ConfigError, read_secret

COOKIE: Final = "__Host-session"
COOKIE_SECONDS: Final = 7 * 86400
OWN_COOKIE_SECONDS: Final = 400 * 86400
"""As long as a session may live at most, and in a browser of one's own; the auth service decides earlier ends."""
_OPENED_SECONDS: Final = 60.0
_OPENED_COOKIES: Final = 1000
TOKEN: Final = "token"  # noqa: S105 - the name of a field
_BROWSER: Final = "browser"
_OWN: Final = "own"


class _CookieStorage(EncryptedCookieStorage):
    """Opens each seal once a minute and no more: a browser sends the same cookie with every request."""

    def __init__(self, secret: bytes) -> None:
        super().__init__(
            secret,
            cookie_name=COOKIE,
            max_age=OWN_COOKIE_SECONDS,
            path="/",
            secure=True,
            httponly=True,
            samesite="Lax",
        )
        self.saving = aiohttp_session.session_middleware(self)
        self._opened: dict[str, tuple[float, aiohttp_session.SessionData]] = {}
        """Until when each may be believed, and what is in it: by the whole header, of which taking the cookie out
        costs more than what is done with it."""

    def opened(self, request: web.Request) -> aiohttp_session.SessionData | None:
        """What is in the request's cookie, where it was opened of late; nobody may change it."""
        known = self._opened.get(request.headers.get("Cookie", ""))
        return known[1] if known is not None and time.monotonic() < known[0] else None

    async def load_session(self, request: web.Request) -> aiohttp_session.Session:
        """What the request's cookie holds; a new session where it holds nothing of ours."""
        if (known := self.opened(request)) is not None:
            return _of_its_age(aiohttp_session.Session(None, data=known, new=False, max_age=self.max_age))
        cookie = self.load_cookie(request) or ""
        if not cookie.isascii():  # none of ours; the library would fail at it
            return await self.new_session()
        session = _of_its_age(await super().load_session(request))
        if cookie and not session.new:
            if len(self._opened) >= _OPENED_COOKIES:
                self._opened.clear()
            left = min(_OPENED_SECONDS, session.created + (session.max_age or 0) - time.time())
            held: aiohttp_session.SessionData = {"created": session.created, "session": dict(session)}
            self._opened[request.headers.get("Cookie", "")] = (time.monotonic() + left, held)
        return session

    async def new_session(self) -> aiohttp_session.Session:
        """One with nothing in it."""
        return _of_its_age(await super().new_session())


def _of_its_age(session: aiohttp_session.Session) -> aiohttp_session.Session:
    """Kept by the browser, and believed, for as long as it says of itself; past that there is nothing in it."""
    session.max_age = OWN_COOKIE_SECONDS if _OWN in session else COOKIE_SECONDS
    if time.time() - session.created > session.max_age:
        session.invalidate()
    return session


STORAGE: Final = web.AppKey("storage", _CookieStorage)


def storage(secret: bytes) -> _CookieStorage:
    """The cookie, sealed with `secret`, which `read_cookie_secret` reads."""
    # aiohttp-session names its keys by strings still, which aiohttp complains of once in every process.
    warnings.filterwarnings("ignore", category=web.NotAppKeyWarning)
    return _CookieStorage(secret)


def read_cookie_secret(key_file: Path) -> bytes:
    """The 32 random bytes whose base64url text is in `key_file`. Raises ConfigError."""
    text = read_secret(key_file)
    try:
        secret = base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))
    except binascii.Error:
        secret = b""
    if len(secret) != 32:
        raise ConfigError(f"{key_file}: is no base64url text of 32 bytes; delete the file and run `homesystem init`")
    return secret


async def kept(request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    """The answer, with what the handler changed in the cookie; the library's layer is for those who opened it."""
    if aiohttp_session.SESSION_KEY not in request:
        return response

    async def answered(_request: web.Request) -> web.StreamResponse:
        return response

    return await request.app[STORAGE].saving(request, answered)


def at_hand(request: web.Request, app: web.Application) -> Mapping[str, Any] | None:
    """As `brought`, where that takes no waiting. Whoever opens the cookie further in does so with our storage."""
    storage = request[aiohttp_session.STORAGE_KEY] = app[STORAGE]
    known = storage.opened(request)
    return known.get("session", {}) if known is not None else None


async def brought(request: web.Request) -> Mapping[str, Any]:
    """What the request's cookie held when it came, for the layers that look at it before anybody may change it."""
    opener = request[aiohttp_session.STORAGE_KEY]
    if isinstance(opener, _CookieStorage) and (known := opener.opened(request)) is not None:
        return known.get("session", {})
    return await aiohttp_session.get_session(request)


async def token_of(request: web.Request) -> str | None:
    """The session token in the cookie."""
    token: str | None = (await aiohttp_session.get_session(request)).get(TOKEN)
    return token


async def browser_of(request: web.Request) -> str:
    """The pre-login id of this browser, to which a confirmation code is bound (ASVS 5.0 6.6.2)."""
    session = await aiohttp_session.get_session(request)
    if _BROWSER not in session:
        session[_BROWSER] = secrets.token_urlsafe(16)
    browser: str = session[_BROWSER]
    return browser


async def is_own(request: web.Request) -> bool:
    """Whether the person said at sign-in that this browser is their own."""
    return _OWN in await aiohttp_session.get_session(request)


async def forget_token(request: web.Request) -> None:
    """The session behind it has ended."""
    (await aiohttp_session.get_session(request)).pop(TOKEN, None)


async def exchange_token(request: web.Request, token: str) -> None:
    """The session goes on with another token; what its open pages hold stays good."""
    (await aiohttp_session.get_session(request))[TOKEN] = token


async def renew(request: web.Request, token: str | None, *, own: bool = False) -> aiohttp_session.Session:
    """Replace everything in the cookie: with a new session at sign-in, with nothing at sign-out (ASVS 5.0 7.2.4)."""
    session = await aiohttp_session.new_session(request)
    # aiohttp-session saves a new session only once something is written into it.
    session[_BROWSER] = secrets.token_urlsafe(16)
    if token is not None:
        session[TOKEN] = token
    if own:
        session[_OWN] = True
    session.max_age = OWN_COOKIE_SECONDS if own else COOKIE_SECONDS
    return session
