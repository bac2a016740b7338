"""The authority that this home shows to browsers, where its own certificate is signed by one, and which one follows it.

A home behind somebody else's certificate has none to install, and says so.
"""

from typing import Final

from aiohttp import web

from gateway.config import HttpsConfig
from shared.running.config import ConfigError
from shared.trust import authority
from shared.trust.authority import Authority, Following, Shown
from shared.trust.renewal import Latest


class HomeAuthority:
    """Asked for each request: a hub that gets another name has another authority, and one may follow another."""

    def __init__(self, https: HttpsConfig) -> None:
        folder = https.certificate.parent
        files = (https.certificate, folder / authority.FILE, folder / authority.PLAN)
        self._latest = Latest(lambda: _read(https), files)

    def now(self) -> Authority | None:
        """The authority; None where the certificate that browsers see is not of its signing."""
        return self._latest.value().now

    def following(self) -> Following | None:
        """The authority that browsers are to know before the hub changes over to it; None where none follows."""
        return self._latest.value().following


def _read(https: HttpsConfig) -> Shown:
    try:
        return authority.shown(https.certificate)
    except ConfigError:
        return Shown(now=None)


AUTHORITY: Final = web.AppKey("authority", HomeAuthority)
