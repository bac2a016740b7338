"""The only place that knows where the slashes are: builds, parses and filters topics."""

from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from shared.words.names import IDENTITY


class TopicKind(StrEnum):
    """What travels on a topic."""

    SET = "set"
    ACK = "ack"
    STATE = "state"
    EVENT = "event"
    AVAILABILITY = "availability"
    DESCRIPTION = "description"
    SERVICE = "service"
    REVOKED = "revoked"
    LOCKDOWN = "lockdown"
    LOCKOUTS = "lockouts"
    AUTHORITIES = "authorities"
    AUDIT = "audit"
    RECEIPT = "receipt"
    RESEND = "resend"
    CSR = "csr"
    CERTIFICATE = "certificate"
    SETTINGS = "settings"
    FILE = "file"


class Topic(NamedTuple):
    """A parsed topic. `who` is the issuer of a command, the service, or the source of an audit event."""

    kind: TopicKind
    room: str = ""
    device: str = ""
    who: str = ""


REVOKED = "system/revoked"
LOCKDOWN = "system/lockdown"
LOCKOUTS = "system/lockouts"
AUTHORITIES = "system/authorities"
ALL_SYSTEM = "system/#"
ALL_SERVICES = "system/+/availability"
ALL_STATES = "home/+/+/state"
ALL_ACKS = "home/+/+/ack"
ALL_EVENTS = "home/+/+/event"
ALL_AVAILABILITY = "home/+/availability"
ALL_DESCRIPTIONS = "home/+/description"
ALL_CSRS = "home/+/csr"
ALL_FILES = "home/+/file"
ALL_AUDIT = "audit/+"

_OF_DEVICE = {k.value: k for k in (TopicKind.ACK, TopicKind.STATE, TopicKind.EVENT)}
_SAID_OF_ROOM = (TopicKind.AVAILABILITY, TopicKind.DESCRIPTION, TopicKind.CSR, TopicKind.FILE)
_OF_ROOM = {k.value: k for k in (*_SAID_OF_ROOM, TopicKind.CERTIFICATE, TopicKind.SETTINGS)}
_OF_SYSTEM = {k.value: k for k in (TopicKind.REVOKED, TopicKind.LOCKDOWN, TopicKind.LOCKOUTS, TopicKind.AUTHORITIES)}
_OF_AUDIT = {k.value: k for k in (TopicKind.RECEIPT, TopicKind.RESEND)}


def command(room: str, device: str, issuer: str) -> str:
    """Where `issuer`, and by the broker's word nobody else, publishes commands for a device."""
    return f"home/{room}/{device}/set/{issuer}"


def commands_for(room: str) -> str:
    """The filter for every command that a room's agent may hear."""
    return f"home/{room}/+/set/+"


def acknowledgement(room: str, device: str) -> str:
    """Where a device's acknowledgements go."""
    return f"home/{room}/{device}/ack"


def state(room: str, device: str) -> str:
    """Where a device's state is retained."""
    return f"home/{room}/{device}/state"


def event(room: str, device: str) -> str:
    """Where an input's events go."""
    return f"home/{room}/{device}/event"


def availability(room: str) -> str:
    """Where a room says that it is there."""
    return f"home/{room}/availability"


def description(room: str) -> str:
    """Where a room says what it offers."""
    return f"home/{room}/description"


def csr(room: str) -> str:
    """Where a room, and by the broker's word nobody else, asks for its next certificate."""
    return f"home/{room}/csr"


def certificate(room: str) -> str:
    """Where a room hears its next certificate."""
    return f"home/{room}/certificate"


def settings(room: str) -> str:
    """Where a room hears what the master user set on a page for its file."""
    return f"home/{room}/settings"


def room_file(room: str) -> str:
    """Where a room tells of its file: its devices, its pins, and what became of the last settings."""
    return f"home/{room}/file"


def service(name: str) -> str:
    """Where a service of the hub says that it is there, with the hub's time."""
    return f"system/{name}/availability"


def audit(source: str) -> str:
    """Where `source` publishes audit events."""
    return f"audit/{source}"


def receipt(source: str) -> str:
    """Where the alert service receipts `source`'s events."""
    return f"audit/{source}/receipt"


def resend(source: str) -> str:
    """Where the alert service asks `source` for what it misses."""
    return f"audit/{source}/resend"


@lru_cache(maxsize=2048)
def parse(topic: str) -> Topic | None:
    """What travels on `topic`; None for a topic that is not of this house. A home says much on few topics."""
    levels = topic.split("/")
    # What is called like nobody is none of ours, whoever had the right to publish it.
    return _read(levels) if all(map(IDENTITY.fullmatch, levels)) else None


def parse_pattern(topic: str) -> Topic | None:
    """As `parse`, for a topic in somebody's rights, where `+` stands for any one level."""
    levels = topic.split("/")
    return _read(levels) if all(level == "+" or IDENTITY.fullmatch(level) for level in levels) else None


def _read(levels: list[str]) -> Topic | None:
    match levels:
        case ["home", room, device, "set", issuer]:
            return Topic(TopicKind.SET, room, device, issuer)
        case ["home", room, device, last] if last in _OF_DEVICE:
            return Topic(_OF_DEVICE[last], room, device)
        case ["home", room, last] if last in _OF_ROOM:
            return Topic(_OF_ROOM[last], room)
        case ["system", name, "availability"]:
            return Topic(TopicKind.SERVICE, who=name)
        case ["system", last] if last in _OF_SYSTEM:
            return Topic(_OF_SYSTEM[last])
        case ["audit", source]:
            return Topic(TopicKind.AUDIT, who=source)
        case ["audit", source, last] if last in _OF_AUDIT:
            return Topic(_OF_AUDIT[last], who=source)
    return None
