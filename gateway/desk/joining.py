"""Rooms and clients that join by a line, for API and pages: a master user opens, a machine with the token takes."""

import asyncio

import msgspec
from aiohttp import web

from gateway import keys
from gateway.desk.phone_keys import PHONE_KEYS
from gateway.door import limits, sessions
from gateway.door.offering import OFFER, Broker
from gateway.picture import guards
from shared.running.log import security
from shared.words import join_code
from shared.words.internal import SessionInfo
from shared.words.internal_joining import Joined, JoinWish, WindowWish
from shared.words.languages import later
from shared.words.messages import Moment
from shared.words.problem import HomeError

MASTER_ONLY = later("Only a master user lets a room or a client join.")
NO_CODE = later("The code has twelve small letters, as the screen of the hub shows it.")


class NewRoom(msgspec.Struct, frozen=True, kw_only=True):
    """What a machine gets: which room it is, its certificate, whom it believes (both PEM), and where the broker is."""

    room: str
    certificate: str
    authority: str
    broker: Broker


class NewClient(msgspec.Struct, frozen=True, kw_only=True):
    """As NewRoom, of a trusted client; `may`: the devices (`hall/lamp`) that it may command and hear."""

    client: str
    certificate: str
    authority: str
    may: tuple[str, ...]
    broker: Broker


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """What is pasted on the Pi, until when it works, and for which Pis this hub has the agent's package."""

    room: str
    line: str
    until: Moment
    packages: list[str]


class ClientLine(msgspec.Struct, frozen=True, kw_only=True):
    """What is pasted on the client's machine, and until when it works."""

    client: str
    line: str
    until: Moment


def check(request: web.Request) -> SessionInfo:
    """Raises sign-in-required, or forbidden for whoever may let nobody join."""
    info = sessions.signed_in(request)
    if not guards.may_manage_users(info):
        raise HomeError("forbidden", MASTER_ONLY)
    return info


async def open_window(request: web.Request, room: str) -> Line:
    """A new room may join, for ten minutes.

    Raises HomeError: sign-in-required, forbidden, rate-limited, step-up-required, invalid-value and already-exists
    (`field` "name"), no-proof, auth-unreachable.
    """
    _count(request)
    offer = request.app[OFFER]
    await asyncio.to_thread(offer.where)  # a line that cannot be written opens nothing
    wish = WindowWish(token=sessions.token_of(request), name=room, address=request.remote or "")
    opened = await request.app[keys.AUTH].open_window(wish)
    line = await asyncio.to_thread(offer.line, room, opened.token)
    return Line(room=room, line=line, until=opened.expires_at, packages=await asyncio.to_thread(offer.packages))


async def open_client_window(request: web.Request, client: str, may: tuple[str, ...]) -> ClientLine:
    """A new client may join, for ten minutes, which is to command and hear these devices (`hall/lamp`).

    Raises HomeError as `open_window` does, and invalid-value and unknown-device with the `field` "may".
    """
    _count(request)
    wish = WindowWish(
        token=sessions.token_of(request), name=client, kind="client", may=may, address=request.remote or ""
    )
    offer = request.app[OFFER]
    await asyncio.to_thread(offer.where)  # as for a room's
    opened = await request.app[keys.AUTH].open_window(wish)
    line = await asyncio.to_thread(offer.client_line, client, opened.token)
    return ClientLine(client=client, line=line, until=opened.expires_at)


def _count(request: web.Request) -> None:
    """Whoever asks is counted before it is looked whether they may."""
    limits.hit(request, "password", f"session:{sessions.signed_in(request).id}")
    check(request)


async def join(request: web.Request, *, token: str, room: str, csr: str) -> NewRoom:
    """Raises HomeError: join-refused (`reason`), invalid-value, no-proof, signer-unreachable, auth-unreachable."""
    came = await _join(request, JoinWish(token=token, name=room, csr=csr, address=request.remote or ""))
    broker = await asyncio.to_thread(request.app[OFFER].broker)
    return NewRoom(room=came.name, certificate=came.certificate, authority=came.authority, broker=broker)


async def join_client(request: web.Request, *, token: str, client: str, csr: str) -> NewClient:
    """Raises as `join` does."""
    wish = JoinWish(token=token, name=client, kind="client", csr=csr, address=request.remote or "")
    came = await _join(request, wish)
    broker = await asyncio.to_thread(request.app[OFFER].broker)
    return NewClient(
        client=came.name, certificate=came.certificate, authority=came.authority, may=came.may, broker=broker
    )


class PhoneFile(msgspec.Struct, frozen=True, kw_only=True):
    """The client that a phone's app is from now on, and the file (PKCS #12) that makes it so, told this once."""

    client: str
    content: bytes


async def phone_file(request: web.Request, code: str) -> PhoneFile:
    """Key and certificate of the client that the code is for, sealed under the code; the key stays nowhere here.

    Raises HomeError: invalid-value (`field` "code") for what is no code, and as `join` does.
    """
    from gateway.desk import pkcs12  # few homes ever need it

    code = join_code.typed(code)
    if not join_code.is_one(code):
        raise HomeError("invalid-value", NO_CODE, field="code")
    kept = request.app[PHONE_KEYS]
    pair = kept.take(code)
    if pair is None:
        pair = await asyncio.to_thread(pkcs12.make)
    wish = JoinWish(token=code, name="", kind="phone", csr=pair.request, address=request.remote or "")
    try:
        came = await _join(request, wish)
    except HomeError as error:
        if error.slug != "join-refused":  # the code may be this key's by now
            kept.keep(code, pair)
        raise
    content = await asyncio.to_thread(
        pkcs12.packed,
        pair,
        name=came.name,
        certificate=came.certificate,
        authority=came.authority,
        passphrase=code,
    )
    return PhoneFile(client=came.name, content=content)


async def _join(request: web.Request, wish: JoinWish) -> Joined:
    try:
        return await request.app[keys.AUTH].join(wish)
    except HomeError as error:
        if error.slug == "join-refused":
            security("join_refused", address=wish.address, reason=error.facts.get("reason"))
        raise
