"""GET /authority: how a browser comes to trust this home, for everybody, before anybody signs in; and which authority
it will need next. POST /authority/known: its pages need not remind this browser any more.
"""

from aiohttp import web

from gateway.door import sessions
from gateway.door.authority import AUTHORITY
from gateway.pages import changing, qr, render
from gateway.pages.forms import read_form
from gateway.pages.speaking import say


async def show_authority(request: web.Request) -> web.StreamResponse:
    """Steps for each system, the fingerprint to compare, and a QR code of this very page for the next device."""
    found = request.app[AUTHORITY].now()
    address = f"https://{request.host}/authority"
    return await render.page(
        request,
        "authority.html",
        authority=found,
        follows=changing.of(request),
        address=address,
        qr=qr.drawn(address, said=say("The address of this page")),
    )


async def note_known(request: web.Request) -> web.StreamResponse:
    """Somebody says that the next authority is installed on this device."""
    sessions.signed_in_owing(request)
    await read_form(request)
    response = web.HTTPSeeOther("/authority")
    changing.remember(request, response)
    raise response
