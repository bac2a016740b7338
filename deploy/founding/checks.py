"""What an answer must be like: each check gives back the answer as it is taken.

Each raises HomeError("invalid-value") with a sentence that says what would be right.
"""

import ipaddress
import re

from auth_service.people import account_fields, password_policy
from deploy.founding import zones
from shared.door import listening
from shared.running.config import ConfigError, check_database
from shared.words.problem import HomeError

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")

NAME_MOST = 64
"""A certificate's common name is no longer (RFC 5280, ub-common-name)."""


def host_name(text: str) -> str:
    """A name for the hub, or its IPv4 address, as certificates and browsers' addresses carry it: in lower case."""
    name = text.strip().lower().removesuffix(".")
    if not name.isascii():
        raise _invalid(f"{name!r} is not ASCII; write its form for the network{_punycode(name)}.")
    if name == "localhost" or name.endswith(".localhost") or _is_loopback(name):
        raise _invalid(f"{name} means to each device that device itself; the hub needs a name that others can call.")
    if len(name) > NAME_MOST:
        raise _invalid(f"{name} is too long for a certificate: {NAME_MOST} characters are the most.")
    if not all(_LABEL.fullmatch(label) for label in name.split(".")):
        raise _invalid(f"{text.strip()!r} is no host name: letters, digits, dashes and dots, such as hub.local.")
    if re.fullmatch(r"[\d.]+", name) and not _is_ipv4(name):
        raise _invalid(f"{name} is no address, and a name needs a letter; write one such as hub.local.")
    return name


def time_zone(text: str) -> str:
    """A zone of the tz database, by its right name."""
    zone = zones.named(text)
    if zone is not None:
        return zone
    near = zones.nearest(text)
    meant = f" Did you mean {' or '.join(near)}?" if near else " They are written like Europe/Berlin."
    raise _invalid(f"There is no time zone {text.strip()!r}.{meant}")


def email(text: str) -> str:
    """An address that every mail server carries letters to."""
    return account_fields.checked_email(text)


def person(text: str) -> str:
    """A person's name as pages and letters show it."""
    return account_fields.checked_name(text)


def password(text: str, *, of_email: str, of_name: str, home_words: tuple[str, ...] = ()) -> str:
    """A password that the auth service will take."""
    password_policy.check(text, email=of_email, name=of_name, home_words=home_words)
    return text


def mail_server(text: str, usual: int) -> tuple[str, int]:
    """A mail server as `host` or `host:port`."""
    host, _, port = text.strip().partition(":")
    if not host or not re.fullmatch(r"[A-Za-z0-9.-]+", host):
        raise _invalid(f"{text.strip()!r} is no mail server: write its name, with a port if it is not {usual}.")
    if port and not (port.isdecimal() and 1 <= int(port) <= 65535):
        raise _invalid(f"{port!r} is no port: they are numbers from 1 to 65535.")
    return host.lower(), int(port) if port else usual


def database(address: str | None) -> str | None:
    """Where databases are to lie: one address for all three, with `{name}` for that of each."""
    if address is None:
        return None
    if "{name}" not in address:
        raise _invalid(
            f"{address!r} names one for all: write {{name}} where auth, alerts and readings each have theirs."
        )
    try:
        check_database(address)
    except ConfigError as error:
        raise _invalid(f"{error}.") from error
    return address


def free_port(port: int, taken: dict[int, str], *, host: str) -> int:
    """A port on which a server of ours could listen at `host` now; `taken` are those that others of ours have."""
    if not 1 <= port <= 65535:
        raise _invalid(f"{port} is no port: they are numbers from 1 to 65535.")
    if port in taken:
        raise _invalid(f"Port {port} is the one for {taken[port]} already; choose another.")
    try:
        for made in listening.open_sockets(host, port):
            made.close()
    except (ConfigError, OSError) as error:
        reason = str(error).removesuffix(" in the configuration")
        raise _invalid(f"{reason[0].upper()}{reason[1:]}.") from error
    return port


def _invalid(sentence: str) -> HomeError:
    return HomeError("invalid-value", sentence)


def _punycode(name: str) -> str:
    try:
        return f", {name.encode('idna').decode()}"
    except UnicodeError:
        return ""


def _is_ipv4(name: str) -> bool:
    try:
        ipaddress.IPv4Address(name)
    except ValueError:
        return False
    return True


def _is_loopback(name: str) -> bool:
    return _is_ipv4(name) and (ipaddress.IPv4Address(name).is_loopback or ipaddress.IPv4Address(name).is_unspecified)
