"""What the auth service has the signer do, each as the part that asks for it calls it; `signer` is its socket."""

import asyncio
from datetime import datetime
from pathlib import Path

from auth_service.home.keeping import Ends
from auth_service.home.renewals import Sign
from auth_service.home.rooms import Give
from shared.trust import authority, signing
from shared.words.renewing import Certificate, Csr


def signing_by(signer: Path) -> Sign:
    """Signs a room's new certificate, and says with it which authorities are believed, where the room can take that."""

    async def ask(order: signing.AnyOrder) -> str:
        return (await asyncio.to_thread(signing.ask, signer, order, signing.Pem)).pem

    async def sign(room: str, asked: Csr) -> Certificate:
        # One that cannot follow is served by the authority that it believes, for as long as there is that.
        signed = await ask(signing.Sign(name=room, role="room", csr=asked.csr, former=not asked.follows))
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
    """Gives a room its rights at the broker."""

    async def give(room: str, devices: tuple[str, ...]) -> None:
        order = signing.Grant(name=room, role="room", may=tuple((room, device) for device in devices))
        await asyncio.to_thread(signing.ask, signer, order, signing.Changed)

    return give
