"""Who really calls where a proxy stands before us: the outermost layer gives each request its caller's address.

Only what a proxy named in `[https] trusted_proxies` says is believed, and of that only what no caller can write: of the
hops in X-Forwarded-For the one furthest to the right that is not such a proxy itself (ASVS 5.0 4.1.3). `Forwarded` is
not read: of two headers that may disagree a proxy cleans one, and the caller writes the other.
"""

import functools
import ipaddress
import logging
import re
import time
from collections.abc import Iterable, Sequence
from typing import Final

from aiohttp import web

from shared.door.web import Handler
from shared.running.config import ConfigError
from shared.running.log import facts
from shared.running.seldom import Seldom

log = logging.getLogger(__name__)

HEADER: Final = "X-Forwarded-For"
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_WITH_PORT: Final = re.compile(r"\[([^\]]+)\](?::\d{1,5})?|([0-9.]+):\d{1,5}")
"""Some proxies write the caller's port behind its address."""
_MAPPED: Final = 96
"""Bits before an IPv4 address that is written as one of IPv6 (RFC 4291, 2.5.5.2)."""
_SILENT_SECONDS: Final = 3600.0


class Proxies:
    """The proxies that are believed. Raises ConfigError for what is neither an address nor a network."""

    def __init__(self, trusted: Iterable[str]) -> None:
        self._networks = tuple(map(_network, trusted))
        self._silent = Seldom(_SILENT_SECONDS, most=16)

    def __contains__(self, address: object) -> bool:
        if not self._networks:
            return False
        known = _address(str(address))
        return known is not None and any(known in network for network in self._networks)

    def caller(self, peer: str, said: Sequence[str]) -> str:
        """Who calls through `peer`, whose X-Forwarded-For lines are `said`; where it names nobody, itself."""
        caller = peer
        for hop in reversed([hop for line in said for hop in line.split(",")]):
            if caller not in self:
                break
            known = _address(hop.strip())
            if known is None:
                break  # whatever that is, the proxy that we have come to is the last that is known
            caller = str(known)
        return caller

    def note_silent(self, peer: str) -> None:
        """Say once an hour that a proxy tells us nobody: nothing is counted by address then."""
        now = time.monotonic()
        if self._silent.is_due(peer, now):
            self._silent.said(peer, now)
            log.warning("A trusted proxy does not say who calls; see docs/proxies.md", extra=facts(address=peer))


PROXIES: Final = web.AppKey("proxies", Proxies)


@web.middleware
async def name_caller(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Outermost: whoever looks at `request.remote` further in sees the caller."""
    proxies, peer = request.app[PROXIES], request.remote or ""
    if peer not in proxies:
        return await handler(request)
    said = request.headers.getall(HEADER, [])
    if not said:
        proxies.note_silent(peer)
    return await handler(request.clone(remote=proxies.caller(peer, said)))


def came_by_proxy(request: web.Request) -> bool:
    """Whether a proxy that is believed brought it: its caller was shown a certificate of the proxy's, and not ours."""
    peer = request.transport.get_extra_info("peername") if request.transport is not None else None
    return isinstance(peer, tuple) and peer[0] in request.app[PROXIES]


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        network = ipaddress.ip_network(text)
        mapped = network.network_address.ipv4_mapped if isinstance(network, ipaddress.IPv6Network) else None
        # Callers of IPv4 are known by their plain address; a network that is wider than all of them stays as it is.
        return network if mapped is None or network.prefixlen < _MAPPED else _plain(mapped, network.prefixlen)
    except ValueError as error:
        raise ConfigError(
            f'https.trusted_proxies: "{text}" is no address and no network ({error}); write it like "127.0.0.1" or '
            '"2001:db8:1::/64"'
        ) from error


def _plain(mapped: ipaddress.IPv4Address, prefix: int) -> ipaddress.IPv4Network:
    return ipaddress.IPv4Network((mapped, prefix - _MAPPED))


@functools.lru_cache(maxsize=1024)
def _address(text: str) -> _Address | None:
    if (match := _WITH_PORT.fullmatch(text)) is not None:
        text = match[1] or match[2]
    try:
        known = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = known.ipv4_mapped if isinstance(known, ipaddress.IPv6Address) else None
    return mapped or known
