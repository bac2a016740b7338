"""From which network an address is, pure: what stays alike while a lease or a privacy address changes."""

import ipaddress
from collections.abc import Iterable

_IPV4_BITS = 24
_HOUSEHOLD_BITS = 64
SITE_BITS = 48
"""Of IPv6: what one customer may have, and change networks in (RFC 6177)."""
_PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")


def network(address: str, *, ipv6_bits: int = _HOUSEHOLD_BITS) -> str:
    """`192.0.2.7` as `192.0.2.0/24`, IPv6 by its first 64 bits; what is no address stays as it is."""
    known = _address(address)
    if known is None:
        return address
    bits = _IPV4_BITS if known.version == 4 else ipv6_bits
    return str(ipaddress.ip_network(f"{known}/{bits}", strict=False))


def is_home(address: str, networks: Iterable[str] = ()) -> bool:
    """Whether an address is one that only who is at home has: a private one (RFC 1918, RFC 4193), one of the link, or
    the hub's own; or one of `networks`, as those of the provider are that a home has in IPv6.
    """
    known = _address(address)
    if known is None or known.is_unspecified:
        return False
    named = (ipaddress.ip_network(one) for one in (*_PRIVATE, *networks))
    return known.is_loopback or known.is_link_local or any(known in one for one in named)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """An address, without the zone that a link's has, and IPv4 where it was told as IPv6."""
    try:
        known = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(known, ipaddress.IPv6Address) and known.ipv4_mapped is not None:
        return known.ipv4_mapped
    return known
