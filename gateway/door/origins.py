"""Which origins are this home's own: those of its configuration, and of every name that it shows a certificate for.

So a hub that gets another name answers under it as soon as it has the certificate, whatever stands in gateway.toml.
"""

import ipaddress
import time
from collections.abc import Callable, Iterator
from typing import Final

from gateway.config import HttpsConfig
from shared.trust import tls
from shared.trust.former import FormerNames
from shared.trust.renewal import Latest

FRESH_SECONDS: Final = 1.0
"""For so long an origin that was ours is taken for ours without looking at the files again."""


class Origins:
    """To be asked with `in`, for an origin as browsers write it. Raises ConfigError where there is no certificate.

    A new name is ours at once, since what is not known is looked for; one that is given up, within a second.
    """

    def __init__(self, https: HttpsConfig, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._https = https
        self._monotonic = monotonic
        self._known: frozenset[str] = frozenset()
        self._look_at = float("-inf")
        self._certified = Latest(lambda: tls.names(https.certificate), (https.certificate,))
        self._former = FormerNames(https.certificate, https.key)

    def __contains__(self, origin: object) -> bool:
        now = self._monotonic()
        if now >= self._look_at or origin not in self._known:
            self._known, self._look_at = frozenset((*self._https.own_origins, *self._shown())), now + FRESH_SECONDS
        return origin in self._known

    def _shown(self) -> Iterator[str]:
        for name in self._certified.value() | self._former.names():
            if not name.startswith("*"):  # a wildcard is no name that anybody calls
                yield self._https.origin(_as_host(name))


def _as_host(name: str) -> str:
    """As it stands in an address: IPv6 in its short form and in brackets."""
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return name.lower()
    return f"[{address}]" if address.version == 6 else str(address)
