"""For which name passkeys are: the hub's first one, whatever other names and addresses open the same pages.

Browsers bind a passkey to that name for good, and take no address for one. Under the hub's other names those offer it
that know Related Origin Requests (WebAuthn Level 3): they ask that name for `/.well-known/webauthn`, at port 443 alone.
"""

import ipaddress
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from gateway.config import HttpsConfig
from shared.running.config import ConfigError
from shared.trust import tls
from shared.trust.renewal import Latest
from shared.words.internal_passkeys import Site

_HTTPS: Final = 443
_MOST_RELATED: Final = 4
"""Browsers look at five different names at least, and need look at no more."""


class PasskeySite:
    """Asked for each request, since a hub may get another name."""

    def __init__(self, https: HttpsConfig) -> None:
        self._https = https
        self._names = Latest(lambda: _names(https.certificate), (https.certificate,))
        self._certified = Latest(lambda: https.passkey_name or tls.first_name(https.certificate), (https.certificate,))

    def site(self) -> Site | None:
        """The name and every origin under it; None where the certificate has addresses alone."""
        name = (self._certified.value() or "").lower()
        if not name:
            return None
        origins = [self._https.origin(name)]
        origins += [one for one in self._https.origins if _is_under(urlsplit(one).hostname or "", name)]
        return Site(name=name, origins=tuple(dict.fromkeys([*origins, *self._related(name)])))

    def _related(self, name: str) -> Iterator[str]:
        """The origins of other names, the newest first, where a browser would find that they belong together."""
        if self._https.port != _HTTPS and f"https://{name}" not in self._https.origins:
            return
        others = {one.lower() for one in (*self._names.value(), *self._https.names)} - {name}
        named = sorted(one for one in others if _is_name(one))
        yield from (self._https.origin(one) for one in named[:_MOST_RELATED])

    def here(self, request: web.Request) -> Site | None:
        """The same, where the page of `request` is under that name."""
        site = self.site()
        return site if site is not None and f"https://{request.host.lower()}" in site.origins else None


def _names(certificate: Path) -> frozenset[str]:
    """None where there is no certificate yet: the passkeys' own name may stand in gateway.toml."""
    try:
        return tls.names(certificate)
    except ConfigError:
        return frozenset()


def _is_name(host: str) -> bool:
    """Whether browsers take it for one: no address, no pattern, and with a dot in it, unlike "localhost"."""
    if "*" in host or "." not in host:
        return False
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return True
    return False


def _is_under(host: str, name: str) -> bool:
    return host == name or host.endswith(f".{name}")


PASSKEY_SITE: Final = web.AppKey("passkey_site", PasskeySite)
