"""Whether other devices will find this machine under a name, as far as that can be seen from here."""

import ipaddress
import socket
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

_AVAHI = Path("/run/avahi-daemon/socket")


class Machine(NamedTuple):
    """What is asked of this machine; tests put their own in."""

    name: str
    resolve: Callable[[str], list[str]]
    is_ours: Callable[[str], bool]
    announces: bool


def this_machine() -> Machine:
    """The one that we run on."""
    return Machine(socket.gethostname().partition(".")[0].lower(), _resolve, _is_ours, announces=_AVAHI.exists())


def doubt(name: str, machine: Machine) -> str | None:
    """Why others may not find the hub under `name`, and what to do about it; None where nothing speaks against it."""
    addresses = [ipaddress.ip_address(found) for found in machine.resolve(name)]
    foreign = [str(found) for found in addresses if not machine.is_ours(str(found))]
    if foreign:
        return (
            f"{name} is {foreign[0]}, which is not this machine: correct the entry in your router's DNS, or choose "
            "another name."
        )
    if name.endswith(".local"):
        return _mdns_doubt(name, machine)
    if not addresses:
        return (
            f"Nobody knows {name} yet: give this machine that name in your router's DNS, or put its address and "
            f"{name} into the file hosts of every device (on Linux /etc/hosts), this one too."
        )
    if all(found.is_loopback for found in addresses):
        return (
            f"Only this machine knows {name} ({addresses[0]}, from its own /etc/hosts): give it that name in your "
            "router's DNS as well, or choose NAME.local and install avahi-daemon."
        )
    return None


def _mdns_doubt(name: str, machine: Machine) -> str | None:
    """`.local` is multicast DNS (RFC 6762): no DNS server answers for it, each machine announces its own name."""
    if not machine.announces:
        return f"Nothing announces {name} in your network: sudo apt install avahi-daemon."
    if name != f"{machine.name}.local":
        return (
            f"This machine announces {machine.name}.local, not {name}: sudo hostnamectl hostname "
            f"{name.removesuffix('.local')}, then sudo systemctl restart avahi-daemon."
        )
    return None


def _resolve(name: str) -> list[str]:
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return list(dict.fromkeys(str(address[4][0]).partition("%")[0] for address in found))


def _is_ours(address: str) -> bool:
    """Only an address of this machine can be bound; a link-local one needs its interface, which `_resolve` took off."""
    parsed = ipaddress.ip_address(address)
    if parsed.version == 6 and parsed.is_link_local:
        return True
    with socket.socket(socket.AF_INET6 if parsed.version == 6 else socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True
