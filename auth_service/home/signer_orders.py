"""What the auth service has the signer do, each as the part that asks for it calls it; `signer` is its socket."""

import asyncio
from datetime import datetime
from pathlib import Path

from auth_service.home.keeping import Ends
from auth_service.home.renewals import Sign
from auth_service.home.rooms import Give
from shared.trust import signing


def signing_by(signer: Path) -> Sign:
    """Signs a room's new certificate."""

    async def sign(room: str, csr: str) -> str:
        order = signing.Sign(name=room, role="room", csr=csr)
        return (await asyncio.to_thread(signing.ask, signer, order, signing.Pem)).pem

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
