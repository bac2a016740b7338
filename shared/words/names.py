"""The words of the house: identities, kinds, actions, outcomes and roles, and which belong together.

Every other room takes its vocabulary from here; docs/vocabulary.md says what each word means.
"""

import re
from enum import StrEnum

IDENTITY = re.compile(r"[a-z][a-z0-9-]{0,31}")
"""What an identity (a certificate's common name), a room or a device may be called."""
HUB = re.compile(r"(gateway|auth|alerts|broker|admin)(-.*)?|signer")
"""Identities of the hub's own: its services, and its commands."""
SUBJECTS = frozenset({"account", "address", "certificate", "client", "home", "room", "session", "user"})
"""What stands before the slash of an audit event's place where it is about a person, a session or an identity."""
RESERVED = re.compile(
    rf"{HUB.pattern}|web|web-ca|device-ca|crl|former|recorder(-.*)?|(interop|automation)(-.*)?|dev-.*"
    rf"|{'|'.join(sorted(SUBJECTS))}"
)
"""Names that no room and no trusted client may be given: the hub's own, those of files beside theirs and of services to
come, and what the record calls other things than rooms.
"""
GATEWAY = re.compile(r"gateway(-[0-9]+)?")
"""The identities whose word about a user is believed."""


class Kind(StrEnum):
    """What a device is: five outputs, then five inputs."""

    SWITCH = "switch"
    DIMMER = "dimmer"
    LOCK = "lock"
    COVER = "cover"
    PULSE = "pulse"
    CONTACT = "contact"
    MOTION = "motion"
    BUTTON = "button"
    TEMPERATURE = "temperature"
    HUMIDITY = "humidity"


class Action(StrEnum):
    """What a command may ask for; always an absolute wish, never "toggle"."""

    ON = "on"
    OFF = "off"
    SET = "set"
    LOCK = "lock"
    UNLOCK = "unlock"
    OPEN = "open"
    CLOSE = "close"
    STOP = "stop"
    PRESS = "press"


class Outcome(StrEnum):
    """How a command or another audited action ended. `asked` is the intent, `unknown` the honest last word."""

    ASKED = "asked"
    EXECUTED = "executed"
    REJECTED = "rejected"
    EXPIRED = "expired"
    FAILED = "failed"
    UNKNOWN = "unknown"


class Role(StrEnum):
    """What a user may be."""

    MASTER = "master"
    MEMBER = "member"
    GUEST = "guest"


class ConfirmBy(StrEnum):
    """What an action that is not safe asks of a person, from weak to strict: nothing, a yes, a wait that everybody is
    told of and may veto it in, a strong factor shown within the last minutes, or a second person who wants the same.
    """

    NONE = "none"
    DIALOG = "dialog"
    APPOINTMENT = "appointment"
    STEP_UP = "step-up"
    TWO_PERSONS = "two-persons"


class Severity(StrEnum):
    """How an audit event is read: `critical` and `security` events deserve a letter."""

    INFO = "info"
    CRITICAL = "critical"
    SECURITY = "security"


ACTIONS: dict[Kind, tuple[Action, ...]] = {
    Kind.SWITCH: (Action.ON, Action.OFF),
    Kind.DIMMER: (Action.ON, Action.OFF, Action.SET),
    Kind.LOCK: (Action.LOCK, Action.UNLOCK),
    Kind.COVER: (Action.OPEN, Action.CLOSE, Action.STOP, Action.SET),
    Kind.PULSE: (Action.PRESS,),
}
"""What each kind of output obeys; an input obeys nothing."""

SAFE_ACTIONS: dict[Kind, tuple[Action, ...]] = {
    Kind.SWITCH: (Action.OFF,),
    Kind.DIMMER: (Action.OFF,),
    Kind.LOCK: (Action.LOCK,),
    Kind.COVER: (Action.STOP,),
}
"""What makes each kind safer: never held up by a limit, a spool or a clock."""

FULL = 100
"""A dimmer's brightest, a cover's widest: `set` takes 0 to this."""

STAMPED_KINDS = frozenset({Kind.PULSE, Kind.COVER})
"""Kinds whose commands need an id and a fresh `issued_at` even when the device is not critical."""


STRONG_WAYS = frozenset({ConfirmBy.APPOINTMENT, ConfirmBy.STEP_UP, ConfirmBy.TWO_PERSONS})
"""What only a critical device may ask for; whoever takes it back has shown a strong factor."""

WAITING_WAYS = frozenset({ConfirmBy.APPOINTMENT, ConfirmBy.TWO_PERSONS})
"""Where a press does nothing at once: it is pending, until a second person or its time comes."""


def strictness(way: ConfirmBy) -> int:
    """What is stricter is greater."""
    return tuple(ConfirmBy).index(way)


def strictest(*ways: ConfirmBy) -> ConfirmBy:
    """The strictest of these."""
    return max(ways, key=strictness)


def is_identity(name: str) -> bool:
    """Whether `name` has the form of an identity."""
    return IDENTITY.fullmatch(name) is not None


def is_reserved(name: str) -> bool:
    """Whether `name` may not be given to a room or a client; older homes may have one that is called so."""
    return RESERVED.fullmatch(name) is not None


def is_hub(name: str) -> bool:
    """Whether `name` is an identity of the hub's own."""
    return HUB.fullmatch(name) is not None


def is_gateway(name: str) -> bool:
    """Whether `name` is a gateway's identity."""
    return GATEWAY.fullmatch(name) is not None
