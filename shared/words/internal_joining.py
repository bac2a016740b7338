"""A machine that brings the token of a pasted line and becomes a room, between gateway and auth service."""

from typing import Annotated

import msgspec

from shared.words.internal import Address

JOIN = "/internal/join"
"""POST a JoinWish, answered by Joined."""

Token = Annotated[str, msgspec.Meta(max_length=64)]
RoomName = Annotated[str, msgspec.Meta(max_length=64)]
SigningRequest = Annotated[str, msgspec.Meta(max_length=8192)]


class JoinWish(msgspec.Struct, frozen=True, kw_only=True):
    """POST JOIN: the line's token, the room that it is said to be for, and a signing request (PEM) from `address`."""

    token: Token
    room: RoomName
    csr: SigningRequest
    address: Address


class Joined(msgspec.Struct, frozen=True, kw_only=True):
    """Which room the machine is, its certificate, and the authority of rooms and broker (both PEM)."""

    room: str
    certificate: str
    authority: str
