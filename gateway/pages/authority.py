"""GET /authority: how a browser comes to trust this home, for everybody, before anybody signs in."""

from aiohttp import web

from gateway.door.authority import AUTHORITY
from gateway.pages import qr, render
from gateway.pages.speaking import say


async def show_authority(request: web.Request) -> web.StreamResponse:
    """Steps for each system, the fingerprint to compare, and a QR code of this very page for the next device."""
    found = request.app[AUTHORITY].now()
    address = f"https://{request.host}/authority"
    return await render.page(
        request,
        "authority.html",
        authority=found,
        address=address,
        qr=qr.drawn(address, said=say("The address of this page")),
    )
