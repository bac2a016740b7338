"""What the auth service has the signer do, each as the part that asks for it calls it; `signer` is its socket."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol

from auth_service.home.keeping import Ends
from auth_service.home.renewals import Sign
from auth_service.home.rooms import Give
from shared.trust import authority, signing
from shared.words.renewing import Certificate, Csr


class Admit(Protocol):
    """Gives a client its rights at the broker."""

    async def __call__(self, client: str, may: tuple[str, ...], /) -> None:
        """To command and hear these devices (`hall/lamp`); may be repeated. Raises HomeError as Give does."""


def signing_by(signer: Path) -> Sign:
    """Signs a new certificate, and says with it which authorities are believed, where its holder can take that."""

    async def ask(order: signing.AnyOrder) -> str:
        return (await asyncio.to_thread(signing.ask, signer, order, signing.Pem)).pem

    async def sign(name: str, asked: Csr, *, role: Literal["room", "client"] = "room") -> Certificate:
        # One that cannot follow is served by the authority that it believes, for as long as there is that.
        signed = await ask(signing.Sign(name=name, role=role, csr=asked.csr, former=not asked.follows))
        if not asked.follows:
            return Certificate(certificate=signed)
        believed = authority.pems(await ask(signing.Show(what="device-ca")))
        voucher = await ask(signing.Show(what="voucher")) if len(believed) > 1 else None
        return Certificate(certificate=signed, authorities=believed, voucher=voucher or None)

    return sign


def ends_by(signer: Path) -> Ends:
    """Says when certificates end."""

    async def ends() -> dict[str, datetime]:
        told = await asyncio.to_thread(signing.ask, signer, signing.Ends(), signing.Ending)
        return {one.name: one.at for one in told.ends}

    return ends


def rights_by(signer: Path) -> Give:
    """Lets a room speak of its devices at the broker."""

    async def give(room: str, devices: tuple[str, ...]) -> None:
        order = signing.Grant(name=room, role="room", may=tuple((room, device) for device in devices))
        await asyncio.to_thread(signing.ask, signer, order, signing.Changed)

    return give


def clients_rights_by(signer: Path) -> Admit:
    """Gives a client its rights at the broker."""

    async def admit(client: str, may: tuple[str, ...]) -> None:
        devices = tuple((room, device) for room, _, device in (one.partition("/") for one in may))
        order = signing.Grant(name=client, role="client", may=devices)
        await asyncio.to_thread(signing.ask, signer, order, signing.Changed)

    return admit
