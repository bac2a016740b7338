"""Browsers that signed in before: each has its own budget of tries, so that a stranger's tries lock out nobody.

After a good sign-in a browser keeps, sealed, its own id and digests of the accounts that it opened
(DESIGN §6 regulation; ASVS 5.0 6.3.1, 6.1.1).
"""

import base64
import hashlib
import hmac
import secrets
from typing import Final

import msgspec
from aiohttp import web
from cryptography.fernet import Fernet, InvalidToken

COOKIE: Final = "__Host-browser"
KEPT_SECONDS: Final = 400 * 86400
"""As long as browsers keep any cookie."""
_ACCOUNTS: Final = 8


class _Sealed(msgspec.Struct, frozen=True):
    id: str
    accounts: tuple[str, ...]


class Browsers:
    """Reads and writes the cookie; `secret` is the cookie key, of which only derived keys are used."""

    def __init__(self, secret: bytes) -> None:
        self._seal = Fernet(base64.urlsafe_b64encode(_derive(secret, b"known browser: seal")))
        self._digest_key = _derive(secret, b"known browser: account")

    def known(self, request: web.Request, email: str) -> str | None:
        """This browser's id, if it opened the account before."""
        sealed = self._read(request)
        return sealed.id if sealed is not None and self._digest(email) in sealed.accounts else None

    def remember(self, request: web.Request, response: web.StreamResponse, email: str) -> None:
        """Let this browser be known for the account from now on."""
        old = self._read(request)
        digest = self._digest(email)
        accounts = [digest, *(a for a in (old.accounts if old else ()) if a != digest)][:_ACCOUNTS]
        sealed = _Sealed(id=old.id if old else secrets.token_urlsafe(16), accounts=tuple(accounts))
        response.set_cookie(
            COOKIE,
            self._seal.encrypt(msgspec.json.encode(sealed)).decode(),
            max_age=KEPT_SECONDS,
            path="/",
            secure=True,
            httponly=True,
            samesite="Lax",
        )

    def _read(self, request: web.Request) -> _Sealed | None:
        text = request.cookies.get(COOKIE)
        if text is None:
            return None
        try:
            return msgspec.json.decode(self._seal.decrypt(text.encode(), ttl=KEPT_SECONDS), type=_Sealed)
        except (InvalidToken, msgspec.DecodeError):
            return None

    def _digest(self, email: str) -> str:
        return hmac.new(self._digest_key, account(email).encode(), hashlib.sha256).hexdigest()[:32]


def account(email: str) -> str:
    """One spelling for an account, whatever was typed."""
    return email.strip().casefold()


def _derive(secret: bytes, purpose: bytes) -> bytes:
    return hmac.new(secret, purpose, hashlib.sha256).digest()
