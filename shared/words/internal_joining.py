"""A machine that brings the token of a pasted line and becomes a room or a client, between gateway and auth service."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from shared.words.internal import Address

JOIN = "/internal/join"
"""POST a JoinWish, answered by Joined."""
WINDOWS = "/internal/join/windows"

Kind = Literal["room", "client", "phone"]
"""As what a machine comes; a phone is a client whose key and certificate the gateway makes into a file for its app."""
Token = Annotated[str, msgspec.Meta(max_length=64)]
RoomName = Annotated[str, msgspec.Meta(max_length=64)]
SigningRequest = Annotated[str, msgspec.Meta(max_length=8192)]


class JoinWish(msgspec.Struct, frozen=True, kw_only=True):
    """POST JOIN: the line's token, for which room or client it is said to be, and a signing request (PEM).

    From `address`. A phone brings its code as the token, and no name: that is the code's.
    """

    token: Token
    name: RoomName
    kind: Kind = "room"
    csr: SigningRequest
    address: Address


class WindowWish(msgspec.Struct, frozen=True, kw_only=True):
    """POST WINDOWS, answered by WindowOpened: the master user whose session this is lets a new room or client join.

    `may`: the devices (`hall/lamp`) that a client is to command and hear; a room has none.
    """

    token: str
    name: RoomName
    kind: Literal["room", "client"] = "room"
    may: tuple[str, ...] = ()
    address: Address


class WindowOpened(msgspec.Struct, frozen=True, kw_only=True):
    """The token that stands in the line, here and nowhere else, and until when it is good."""

    token: str
    expires_at: datetime


def role_of(kind: Kind) -> Literal["room", "client"]:
    """What a machine is once it has come in."""
    return "room" if kind == "room" else "client"


class Joined(msgspec.Struct, frozen=True, kw_only=True):
    """Which room or client the machine is, its certificate, and whom it believes at the broker (both PEM).

    `may`: the devices (`hall/lamp`) of a client that came in for the first time.
    """

    name: str
    certificate: str
    authority: str
    may: tuple[str, ...] = ()
