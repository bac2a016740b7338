"""The messages that cross the broker, one shape each: JSON in UTF-8, times as RFC 3339 in UTC, with their quality of
service. Unknown fields are tolerated, so that an older house can hear a newer one.
"""

import re
from datetime import UTC, datetime
from typing import Annotated, ClassVar, Literal, TypeVar

import msgspec

from shared.words import reading
from shared.words.names import Action, Kind, Outcome, Severity
from shared.words.problem import HomeError

COMMAND_SECONDS = 5.0
"""How long a wish may live, from the moment it was issued to the moment the agent acts."""
ROOM_HEARTBEAT_SECONDS = 30.0
ROOM_SILENCE_SECONDS = 75.0
"""A room unheard for this long is unknown."""
SERVICE_HEARTBEAT_SECONDS = 5.0
SERVICE_SILENCE_SECONDS = 15.0
DESCRIBED_MOST = 64
"""Devices of one room at one time."""

Id = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_.:-]{1,64}\Z")]
"""A command's or an event's id: its maker's own, usually a UUID."""
Text = Annotated[str, msgspec.Meta(max_length=200)]
"""A text that another machine supplied: limited here, escaped where it is shown."""
Pem = Annotated[str, msgspec.Meta(max_length=8192)]
"""A certificate or a signing request in its armour: ours have 700 characters."""
Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class Message(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=False):
    """What every message carries for the broker; `EXPIRY` is in seconds, None means that it does not expire."""

    QOS: ClassVar[int] = 1
    RETAIN: ClassVar[bool] = False
    EXPIRY: ClassVar[float | None] = None


class UserRef(msgspec.Struct, frozen=True, kw_only=True):
    """A person, as named by a gateway."""

    id: Text
    name: Text


class Command(Message, frozen=True, kw_only=True, omit_defaults=True):
    """The wish for an absolute value. `value` belongs to `set`; `origin` is the browser's address.

    A value out of range can be read, so that its refusal names the right reason. With `recall` nothing is to be done.
    """

    EXPIRY: ClassVar[float | None] = COMMAND_SECONDS

    action: Action
    value: int | None = None
    id: Id | None = None
    issued_at: Moment | float | None = None
    user: UserRef | None = None
    origin: Text | None = None
    authorization: str | None = None
    recall: bool = False

    @property
    def issued(self) -> float | None:
        """When the issuer says it was issued, in seconds since 1970 on the issuer's clock."""
        return self.issued_at.timestamp() if isinstance(self.issued_at, datetime) else self.issued_at


class CoverValue(msgspec.Struct, frozen=True, kw_only=True):
    """A cover's value: `position` 0 (closed) to 100 (open), None where it is not known."""

    position: int | None
    moving: Literal["opening", "closing"] | None


Value = str | int | float | CoverValue | None
"""A state's value; which one belongs to which kind stands in docs/vocabulary.md."""


class By(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What caused a state. No names of people."""

    source: Literal["command", "input", "timer", "failsafe", "boot"]
    issuer: str | None = None
    command_id: str | None = None


class State(Message, frozen=True, kw_only=True, omit_defaults=True):
    """The last value that the agent reported for one device, and since when.

    `fault` is there while the device cannot be trusted: `mismatch` (its pin reads something else than was written, and
    `value` is that), `sensor` (no reading) or `restless` (an input that does not hold still); `value` is None for both.
    """

    RETAIN: ClassVar[bool] = True

    value: Value
    since: Moment
    by: By
    fault: Text | None = None


class Acknowledgement(Message, frozen=True, kw_only=True, omit_defaults=True):
    """An agent's outcome for one id: `reason` of shared.words.problem, `detail` a sentence; `repeated`: once more."""

    id: str
    outcome: Outcome
    at: Moment
    reason: Text | None = None
    detail: Text | None = None
    state: State | None = None
    repeated: bool = False


class InputEvent(Message, frozen=True, kw_only=True):
    """Something that happened at an input and has no lasting value."""

    EXPIRY: ClassVar[float | None] = COMMAND_SECONDS

    event: Literal["press", "double", "long", "motion"]
    at: Moment


class DeviceDescription(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one device offers: all that a page or another system needs to build its controls.

    Durations are in seconds, save `pulse_ms`. `values` are the words that a state's value may be; for numbers
    `minimum`, `maximum` and `unit` say what they may be and mean. `events` are what an input tells besides.
    `interlock` names a group of which one at most is on; `lockout` is the one that the room's own file demands.
    `contact` names the input that tells whether a lock's door is closed.
    """

    id: Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9-]{0,31}\Z")]
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    kind: Kind
    critical: bool
    confirm: bool
    actions: tuple[Action, ...]
    safe_actions: tuple[Action, ...]
    max_on: float | None = None
    min_off: float | None = None
    min_interval: float | None = None
    pulse_ms: int | None = None
    travel_time: float | None = None
    dead_time: float | None = None
    relock_after: float | None = None
    interlock: Text | None = None
    lockout: bool = False
    contact: Text | None = None
    boot: Text | None = None
    on_link_loss: Text | None = None
    link_loss_after: float | None = None
    values: Annotated[tuple[Text, ...], msgspec.Meta(max_length=16)] = ()
    events: Annotated[tuple[Text, ...], msgspec.Meta(max_length=16)] = ()
    unit: Text | None = None
    minimum: float | None = None
    maximum: float | None = None


class Description(Message, frozen=True, kw_only=True, omit_defaults=True):
    """What a room offers, told by its agent.

    `hub` is the name or address by which it reaches the hub, so that a hub that is renamed knows who has to follow;
    `certificate` the serial number (hex) of what it shows there, so that it is known who follows another authority.
    """

    RETAIN: ClassVar[bool] = True

    room: Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9-]{0,31}\Z")]
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    agent_version: Text
    devices: Annotated[tuple[DeviceDescription, ...], msgspec.Meta(max_length=DESCRIBED_MOST)]
    hub: Annotated[str, msgspec.Meta(max_length=255)] | None = None
    certificate: Annotated[str, msgspec.Meta(pattern=r"^[0-9A-F]{1,64}\Z")] | None = None


class Availability(Message, frozen=True, kw_only=True):
    """Whether its sender is there. `session` is random per birth; a will for another session is ignored."""

    RETAIN: ClassVar[bool] = True

    status: Literal["online", "offline"]
    at: Moment
    session: Text


class Revoked(Message, frozen=True, kw_only=True, omit_defaults=True):
    """Sessions that ended early, users whose rights changed (ids), and whether the `registry` is another one."""

    sessions: tuple[str, ...]
    users: tuple[str, ...] = ()
    registry: bool = False


class Lockdown(Message, frozen=True, kw_only=True):
    """Whether the home obeys safe actions only."""

    RETAIN: ClassVar[bool] = True

    active: bool
    at: Moment


class Lockouts(Message, frozen=True, kw_only=True):
    """Which devices (`room/device`) the master user has locked out: they obey safe actions only."""

    RETAIN: ClassVar[bool] = True

    devices: tuple[Text, ...]
    at: Moment


class Who(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who did it: the broker identity always, the person and the address where they are known."""

    issuer: Text
    user: UserRef | None = None
    address: Text | None = None


class AuditEvent(Message, frozen=True, kw_only=True, omit_defaults=True):
    """Who did what, where, with what outcome. `seq` counts up per source; `what` reads `subject:action`."""

    id: Id
    seq: int = 0
    at: Moment
    what: Text
    where: Text
    who: Who
    outcome: Outcome
    severity: Severity
    command_id: Text | None = None
    # A factory of our own: msgspec leaves an empty dict out, and readers count on the field.
    detail: dict[Text, Text] = msgspec.field(default_factory=lambda: {})  # noqa: PIE807 - see above


class ReceiptLine(msgspec.Struct, frozen=True, kw_only=True):
    """One recorded event: its row in the alert service's table and that row's hash."""

    id: str
    row: int
    hash: str


class Receipt(Message, frozen=True, kw_only=True, omit_defaults=True):
    """Proof that these events are recorded for good, and how many at a time the alert service takes in a message."""

    events: tuple[ReceiptLine, ...]
    together: int = 1


class Resend(Message, frozen=True, kw_only=True, omit_defaults=True):
    """Which `seq` the alert service misses; with `after` also whatever there is above that number, the lowest first.

    The source answers with what it still keeps, a few hundred at a time, receipted or not; `together` as in a receipt.
    """

    seq: tuple[int, ...]
    after: int | None = None
    together: int = 1


M = TypeVar("M", bound=msgspec.Struct)
_encoder = msgspec.json.Encoder()
_QUOTED = re.compile(r"(?<=^Invalid enum value) (['\"]).*\1(?= - at|$)", re.DOTALL)  # of a message: not for logs


def encode(message: msgspec.Struct) -> bytes:
    """The message as JSON."""
    return _encoder.encode(message)


def decode(kind: type[M], payload: bytes | str) -> M:
    """Read one message. Raises HomeError("malformed") with what is wrong and where, also for too many brackets."""
    try:
        return reading.decode(kind, payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise HomeError("malformed", _QUOTED.sub("", str(error))) from error


def utc(seconds: float) -> datetime:
    """A moment from seconds since 1970, to the millisecond."""
    return datetime.fromtimestamp(round(seconds, 3), tz=UTC)
