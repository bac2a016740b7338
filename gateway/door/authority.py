"""The authority that this home shows to browsers, where its own certificate is signed by one.

A home behind somebody else's certificate has none to install, and says so.
"""

from typing import Final

from aiohttp import web

from gateway.config import HttpsConfig
from shared.running.config import ConfigError
from shared.trust import authority, tls
from shared.trust.authority import Authority
from shared.trust.renewal import Latest


class HomeAuthority:
    """Asked for each request, since a hub that gets another name has another authority."""

    def __init__(self, https: HttpsConfig) -> None:
        path = https.certificate.with_name(authority.FILE)
        self._latest = Latest(lambda: _read(https), (https.certificate, path))

    def now(self) -> Authority | None:
        """The authority; None where the certificate that browsers see is not of its signing."""
        return self._latest.value()


def _read(https: HttpsConfig) -> Authority | None:
    path = https.certificate.with_name(authority.FILE)
    try:
        return authority.read(path) if path.exists() and tls.names_its_issuer(https.certificate, path) else None
    except ConfigError:
        return None


AUTHORITY: Final = web.AppKey("authority", HomeAuthority)
