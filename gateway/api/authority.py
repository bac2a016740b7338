"""GET /web-ca.crt and /web-ca-next.crt: the authorities' public certificates, that of today and the one that follows
it; and GET /.well-known/webauthn, where else passkeys work.

All are for browsers that know nobody here yet: they tell what every TLS handshake tells, or will.
"""

from aiohttp import web

from gateway.door.authority import AUTHORITY
from gateway.door.passkey_site import PASSKEY_SITE
from shared.door.web import json_response
from shared.trust.authority import Authority
from shared.words.problem import HomeError


async def certificate(request: web.Request) -> web.Response:
    """200 in PEM. 404 where this home is not signed by an authority of its own."""
    found = request.app[AUTHORITY].now()
    if found is None:
        raise HomeError("not-found", "This home shows a certificate that no authority of its own signed.")
    return _file(found, "home-system-ca.crt")


async def next_certificate(request: web.Request) -> web.Response:
    """200 in PEM: the authority that browsers are to know before the hub changes over. 404 where none follows."""
    found = request.app[AUTHORITY].following()
    if found is None:
        raise HomeError("not-found", "No other authority follows the one that this home has.")
    return _file(found.authority, "home-system-ca-next.crt")


async def related_origins(request: web.Request) -> web.Response:
    """WebAuthn Level 3, Related Origin Requests: under which other origins passkeys of this name may be used."""
    site = request.app[PASSKEY_SITE].site()
    if site is None:
        raise HomeError("not-found", "This home has no name that passkeys could be made for.")
    return json_response({"origins": site.origins})


def _file(found: Authority, name: str) -> web.Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return web.Response(text=found.pem, content_type="application/x-x509-ca-cert", headers=headers)
