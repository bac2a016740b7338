"""Confirmation codes, pure: how one is made, and how one that a person typed is read.

39 random bits, 10 minutes, once, five tries, bound to one account, one browser and one purpose (ASVS 6.5.1 to 6.6.3).
"""

import secrets
from datetime import timedelta
from enum import StrEnum

import msgspec

from shared.words import attempts

LIFETIME = timedelta(minutes=10)
TRIES = 5
ALPHABET = attempts.SIGNS
_HALF = 4


class Purpose(StrEnum):
    """What a code was mailed for; it is good for nothing else."""

    SIGN_IN = "sign-in"
    LOCK_DOWN = "lock-down"
    END_LOCKDOWN = "end-lockdown"
    OLD_EMAIL = "old-email"
    NEW_EMAIL = "new-email"


class Binding(msgspec.Struct, frozen=True):
    """What a code is good for, whose it is, and where it is to be typed.

    `place` is the id of a browser that is not signed in yet, or of a session (with the new address, for that one's).
    """

    purpose: Purpose
    user_id: str
    place: str


def new() -> str:
    """A fresh code, `XXXX-XXXX`."""
    letters = "".join(secrets.choice(ALPHABET) for _ in range(2 * _HALF))
    return f"{letters[:_HALF]}-{letters[_HALF:]}"


def read(typed: str) -> str | None:
    """The code that a person meant: any case, any dashes and spaces. None where it cannot be one."""
    letters = attempts.read(typed)
    if len(letters) != 2 * _HALF or not set(letters) <= set(ALPHABET):
        return None
    return f"{letters[:_HALF]}-{letters[_HALF:]}"
