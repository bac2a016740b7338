"""A machine that brings the token of a pasted line and becomes a room, between gateway and auth service."""

from datetime import datetime
from typing import Annotated

import msgspec

from shared.words.internal import Address

JOIN = "/internal/join"
"""POST a JoinWish, answered by Joined."""
WINDOWS = "/internal/join/windows"

Token = Annotated[str, msgspec.Meta(max_length=64)]
RoomName = Annotated[str, msgspec.Meta(max_length=64)]
SigningRequest = Annotated[str, msgspec.Meta(max_length=8192)]


class JoinWish(msgspec.Struct, frozen=True, kw_only=True):
    """POST JOIN: the line's token, the room that it is said to be for, and a signing request (PEM) from `address`."""

    token: Token
    room: RoomName
    csr: SigningRequest
    address: Address


class WindowWish(msgspec.Struct, frozen=True, kw_only=True):
    """POST WINDOWS, answered by WindowOpened: for which new room the master user, whose session this is, opens one."""

    token: str
    room: RoomName
    address: Address


class WindowOpened(msgspec.Struct, frozen=True, kw_only=True):
    """The token that stands in the line, here and nowhere else, and until when it is good."""

    token: str
    expires_at: datetime


class Joined(msgspec.Struct, frozen=True, kw_only=True):
    """Which room the machine is, its certificate, and the authority of rooms and broker (both PEM)."""

    room: str
    certificate: str
    authority: str
