"""Browsers that signed in before: each has its own budget of tries, so that a stranger's tries lock out nobody.

After a good sign-in a browser keeps, signed, its own id and keyed digests of the accounts that it opened
(ASVS 5.0 6.1.1, 6.3.1).
"""

import base64
import binascii
import hashlib
import hmac
import secrets
import time
from typing import Final

import msgspec
from aiohttp import web

COOKIE: Final = "__Host-browser"
KEPT_SECONDS: Final = 400 * 86400
"""As long as browsers keep any cookie."""
_ACCOUNTS: Final = 8


class _Known(msgspec.Struct, frozen=True):
    id: str
    accounts: tuple[str, ...]
    at: float


class Browsers:
    """Reads and writes the cookie; `secret` is the cookie key, of which only derived keys are used."""

    def __init__(self, secret: bytes) -> None:
        self._signing_key = _keyed(secret, b"known browser: signature")
        self._account_key = _keyed(secret, b"known browser: account")

    def known(self, request: web.Request, email: str) -> str | None:
        """This browser's id, if it opened the account before."""
        known = self._read(request.cookies.get(COOKIE))
        return known.id if known is not None and self._digest(email) in known.accounts else None

    def remember(self, request: web.Request, response: web.StreamResponse, email: str) -> None:
        """Let this browser be known for the account from now on."""
        old = self._read(request.cookies.get(COOKIE))
        digest = self._digest(email)
        accounts = [digest, *(a for a in (old.accounts if old else ()) if a != digest)][:_ACCOUNTS]
        known = _Known(id=old.id if old else secrets.token_urlsafe(16), accounts=tuple(accounts), at=time.time())
        body = msgspec.json.encode(known)
        response.set_cookie(
            COOKIE,
            f"{_text(body)}.{_text(_keyed(self._signing_key, body))}",
            max_age=KEPT_SECONDS,
            path="/",
            secure=True,
            httponly=True,
            samesite="Lax",
        )

    def _read(self, cookie: str | None) -> _Known | None:
        body_text, _, signature_text = (cookie or "").partition(".")
        try:
            body, signature = _bytes(body_text), _bytes(signature_text)
            if not hmac.compare_digest(signature, _keyed(self._signing_key, body)):
                return None
            known = msgspec.json.decode(body, type=_Known)
        except (binascii.Error, ValueError, msgspec.DecodeError):
            return None
        return known if time.time() - known.at < KEPT_SECONDS else None

    def _digest(self, email: str) -> str:
        return _text(_keyed(self._account_key, account(email).encode())[:16])


BROWSERS: Final = web.AppKey("browsers", Browsers)


def account(email: str) -> str:
    """One spelling for an account, whatever was typed."""
    return email.strip().casefold()


def _keyed(key: bytes, message: bytes) -> bytes:
    return hmac.new(key, message, hashlib.sha256).digest()


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
