"""From which network an address is, pure: what stays alike while a lease or a privacy address changes."""

import ipaddress

_IPV4_BITS = 24
_HOUSEHOLD_BITS = 64
SITE_BITS = 48
"""Of IPv6: what one customer may have, and change networks in (RFC 6177)."""


def network(address: str, *, ipv6_bits: int = _HOUSEHOLD_BITS) -> str:
    """`192.0.2.7` as `192.0.2.0/24`, IPv6 by its first 64 bits; what is no address stays as it is."""
    try:
        known = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(known, ipaddress.IPv6Address) and known.ipv4_mapped is not None:
        known = known.ipv4_mapped
    bits = _IPV4_BITS if known.version == 4 else ipv6_bits
    return str(ipaddress.ip_network(f"{known}/{bits}", strict=False))
