"""For which name passkeys are: the hub's first one, whatever other names and addresses open the same pages.

Browsers bind a passkey to that name for good, and take no address for one; so pages offer them under it alone.
"""

from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from gateway.config import HttpsConfig
from shared.trust import tls
from shared.trust.renewal import Latest
from shared.words.internal_passkeys import Site


class PasskeySite:
    """Asked for each request, since a hub may get another name."""

    def __init__(self, https: HttpsConfig) -> None:
        self._https = https
        self._certified = Latest(lambda: https.passkey_name or tls.first_name(https.certificate), (https.certificate,))

    def site(self) -> Site | None:
        """The name and every origin under it; None where the certificate has addresses alone."""
        name = (self._certified.value() or "").lower()
        if not name:
            return None
        origins = [self._https.origin(name)]
        origins += [one for one in self._https.origins if _is_under(urlsplit(one).hostname or "", name)]
        return Site(name=name, origins=tuple(origins))

    def here(self, request: web.Request) -> Site | None:
        """The same, where the page of `request` is under that name."""
        site = self.site()
        return site if site is not None and f"https://{request.host.lower()}" in site.origins else None


def _is_under(host: str, name: str) -> bool:
    return host == name or host.endswith(f".{name}")


PASSKEY_SITE: Final = web.AppKey("passkey_site", PasskeySite)
