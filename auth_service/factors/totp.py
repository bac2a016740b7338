"""Owns pyotp: the codes of authenticator apps (RFC 6238), six digits that change every thirty seconds.

A secret is made of the pepper and of what stands in the database, so neither of the two alone gives it away.
"""

import base64
import hmac
import re

import pyotp

from auth_service.people.passwords import Passwords

KIND = "totp"
_ISSUER = "Home System"
_STEP_SECONDS = 30
_AROUND = (-1, 0, 1)
"""Steps: a code that was read just before it changed is typed after that, and clocks differ (RFC 6238, 5.2)."""
_SECRET_BYTES = 20


def secret(passwords: Passwords, user_id: str, factor_id: str) -> str:
    """The app's secret, in base 32 (160 bits, RFC 4226, 4)."""
    keyed = bytes.fromhex(passwords.keyed("totp", user_id, factor_id))
    return base64.b32encode(keyed[:_SECRET_BYTES]).decode()


def address(of: str, email: str) -> str:
    """What the app reads from the QR code: `otpauth://totp/…`, ASCII."""
    return str(pyotp.TOTP(of, name=email, issuer=_ISSUER).provisioning_uri())


def step_of(of: str, typed: str, now: float) -> int | None:
    """The step whose code was typed, blanks or not; None where it is the code of none around `now` (seconds)."""
    digits = re.sub(r"\s", "", typed)
    if not re.fullmatch(r"[0-9]{6}", digits):  # other signs that are digits somewhere are none here
        return None
    app, at = pyotp.TOTP(of), int(now) // _STEP_SECONDS
    fits = [at + around for around in _AROUND if hmac.compare_digest(app.at((at + around) * _STEP_SECONDS), digits)]
    return max(fits, default=None)
