"""When a window lets a machine in, pure: one key, once, in its time, and that same key again for a while.

A machine whose answer was lost asks again with the key that it made; no other key gets in after it.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

import msgspec

from shared.words.internal_joining import Kind, role_of

LIFETIME = timedelta(minutes=10)
AGAIN = timedelta(hours=1)
"""So long the machine that came in may ask for its certificate again: its power may have gone before it had it."""


class Refusal(StrEnum):
    """Why a machine is not let in; each has its words in auth_service.joining.refusals."""

    UNKNOWN = "unknown"
    USED = "used"
    OVER = "over"
    REVOKED = "revoked"
    EXISTS = "exists"


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """A room or client that may join. `key`: SHA-256 of the public key that came in, once one has; its `certificate`.

    `may`: what a client is to command and hear, as `hall/lamp`. `resumes`: the name was given out to a machine that
    never got a certificate, so that another may take its place. `renews`: it is for a name that is in use, whose rights
    and history stay.
    """

    name: str
    kind: Kind = "room"
    may: tuple[str, ...] = ()
    opened_at: datetime
    expires_at: datetime
    resumes: bool = False
    renews: bool = False
    key: str | None = None
    joined_at: datetime | None = None
    certificate: str | None = None

    @property
    def role(self) -> Literal["room", "client"]:
        """What whoever comes in by it is from then on."""
        return role_of(self.kind)

    @property
    def place(self) -> str:
        """Where it happens, as events say it."""
        return f"{self.role}/{self.name}"


def refusal(window: Window | None, kind: Kind, name: str, key: str, now: datetime) -> Refusal | None:
    """Why a machine with `key` that says it is to be `name` is not let in by this window; None where it is.

    A clock that was set back makes nothing longer: before its beginning a window is over.
    """
    if window is None or window.kind != kind or (kind != "phone" and window.name != name):
        return Refusal.UNKNOWN
    if window.key is None or window.joined_at is None:
        return None if window.opened_at <= now < window.expires_at else Refusal.OVER
    if window.key != key:
        return Refusal.USED
    return None if window.joined_at <= now < window.joined_at + AGAIN else Refusal.OVER
