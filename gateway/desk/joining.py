"""A machine that brings a line's token becomes a room: handed on to the auth service, with where the broker is."""

import asyncio

import msgspec
from aiohttp import web

from gateway import keys
from gateway.door.offering import OFFER, Broker
from shared.running.log import security
from shared.words.internal_joining import JoinWish
from shared.words.problem import HomeError


class NewRoom(msgspec.Struct, frozen=True, kw_only=True):
    """What a machine gets: which room it is, its certificate, whom it believes (both PEM), and where the broker is."""

    room: str
    certificate: str
    authority: str
    broker: Broker


async def join(request: web.Request, *, token: str, room: str, csr: str) -> NewRoom:
    """Raises HomeError: join-refused (`reason`), invalid-value, no-proof, signer-unreachable, auth-unreachable."""
    wish = JoinWish(token=token, room=room, csr=csr, address=request.remote or "")
    try:
        joined = await request.app[keys.AUTH].join(wish)
    except HomeError as error:
        if error.slug == "join-refused":
            security("join_refused", address=request.remote or "", reason=error.facts.get("reason"))
        raise
    return NewRoom(
        room=joined.room,
        certificate=joined.certificate,
        authority=joined.authority,
        broker=await asyncio.to_thread(request.app[OFFER].broker),
    )
