"""The addresses that a service listens on: one, several, or `::` for every address of both families.

Read from configurations, checked for demo homes, rendered for the broker, and taken by `web`.
"""

import errno
import ipaddress
import logging
import socket
from typing import Annotated

import msgspec

from shared.running.config import ConfigError
from shared.running.log import facts

log = logging.getLogger(__name__)

EVERYWHERE = "::"
"""Stands for both families, whatever the system makes of it by itself (net.ipv6.bindv6only)."""
Hosts = str | Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
"""How a configuration says it: `host = "::"`, or `host = ["127.0.0.1", "192.0.2.7"]`."""
_ALL_IPV4 = "0.0.0.0"  # noqa: S104 - what it means is told where it is asked for
_NO_SUCH_FAMILY = frozenset({errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL})


class AbsentError(OSError):
    """An address that the machine does not have, or not yet: whoever starts us may try again."""


def addresses(hosts: Hosts) -> tuple[str, ...]:
    """Each address once, in order; `::` brings `0.0.0.0` with it."""
    given = (hosts,) if isinstance(hosts, str) else hosts
    each = (one for host in given for one in ((_ALL_IPV4, EVERYWHERE) if host == EVERYWHERE else (host,)))
    return tuple(dict.fromkeys(each))


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches it."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_local(hosts: Hosts) -> bool:
    """Whether only this machine reaches any of them."""
    return all(map(is_loopback, addresses(hosts)))


def open_sockets(hosts: Hosts, port: int) -> list[socket.socket]:
    """A listening socket for each address, all or none.

    Raises ConfigError where a port is taken or an address is none, AbsentError where the machine does not have it.
    """
    made: list[socket.socket] = []
    every = {EVERYWHERE} if EVERYWHERE in ((hosts,) if isinstance(hosts, str) else hosts) else set[str]()
    try:
        for host in addresses(hosts):
            for family, target in _targets(host, port):
                try:
                    made.append(_listen(family, target))
                except OSError as error:
                    if host in every and error.errno in _NO_SUCH_FAMILY:
                        log.warning("This machine has no IPv6; IPv4 alone is served", extra=facts(port=port))
                        continue
                    raise _explained(error, host, port) from error
    except BaseException:
        for one in made:
            one.close()
        raise
    return made


def _targets(host: str, port: int) -> list[tuple[socket.AddressFamily, tuple[str, int] | tuple[str, int, int, int]]]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise ConfigError(f'host: "{host}" is no address and no name that is known here; write it like "::"') from error
    return list(dict.fromkeys((family, target) for family, _, _, _, target in found))  # type: ignore[misc]


def _listen(
    family: socket.AddressFamily, target: tuple[str, int] | tuple[str, int, int, int], backlog: int = 1024
) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            # One for both would show IPv4 callers under other addresses, and be two things on two systems.
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind(target)
        made.listen(backlog)
        made.setblocking(False)  # noqa: FBT003 - the library's own
    except BaseException:
        made.close()
        raise
    return made


def _explained(error: OSError, host: str, port: int) -> Exception:
    if error.errno in _NO_SUCH_FAMILY:
        return AbsentError(error.errno, f"this machine does not have the address {host}; check `host`, or wait for it")
    advice = "stop what listens there, or choose another port in the configuration"
    if error.errno == errno.EACCES:
        advice = "a port below 1024 needs the right to it (AmbientCapabilities=CAP_NET_BIND_SERVICE in the unit)"
    return ConfigError(f"port {port} on {host} cannot be taken ({error.strerror}): {advice}")
