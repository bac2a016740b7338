"""From which network an address is, pure: what stays alike while a lease or a privacy address changes."""

import ipaddress

_PREFIX = {4: 24, 6: 64}


def network(address: str) -> str:
    """`192.0.2.7` as `192.0.2.0/24`, IPv6 by its first 64 bits; what is no address stays as it is."""
    try:
        known = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(known, ipaddress.IPv6Address) and known.ipv4_mapped is not None:
        known = known.ipv4_mapped
    return str(ipaddress.ip_network(f"{known}/{_PREFIX[known.version]}", strict=False))
