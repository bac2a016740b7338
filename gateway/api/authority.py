"""GET /web-ca.crt: the authority's public certificate; and GET /.well-known/webauthn, where else passkeys work.

Both are for browsers that know nobody here yet: they tell what every TLS handshake tells.
"""

from aiohttp import web

from gateway.door.authority import AUTHORITY
from gateway.door.passkey_site import PASSKEY_SITE
from shared.door.web import json_response
from shared.words.problem import HomeError


async def certificate(request: web.Request) -> web.Response:
    """200 in PEM. 404 where this home is not signed by an authority of its own."""
    found = request.app[AUTHORITY].now()
    if found is None:
        raise HomeError("not-found", "This home shows a certificate that no authority of its own signed.")
    headers = {"Content-Disposition": 'attachment; filename="home-system-ca.crt"'}
    return web.Response(text=found.pem, content_type="application/x-x509-ca-cert", headers=headers)


async def related_origins(request: web.Request) -> web.Response:
    """WebAuthn Level 3, Related Origin Requests: under which other origins passkeys of this name may be used."""
    site = request.app[PASSKEY_SITE].site()
    if site is None:
        raise HomeError("not-found", "This home has no name that passkeys could be made for.")
    return json_response({"origins": site.origins})
