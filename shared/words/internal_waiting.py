"""What rooms would loosen and the master user has not decided, between gateway and auth service."""

from typing import Annotated, Literal

import msgspec

from shared.words.internal import Address
from shared.words.messages import Moment, Text

WAITING = "/internal/registry/waiting"
"""GET for what waits; POST {WAITING}/{room}/{device} decides about one device."""

Decision = Literal["accept", "refuse"]
Digest = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}\Z")]
"""Of exactly what a room would loosen of one device."""


class WouldChange(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that would be less strict. `field`: kind, critical, confirm, safe_actions, or return.

    Of `safe_actions` the texts are what is safe beyond its kind's own, with spaces between. A `return` is that of a
    device that its room has not named since the day that `stands`, a year ago or more.
    """

    field: str
    stands: str
    wanted: str


class WaitingDevice(msgspec.Struct, frozen=True, kw_only=True):
    """What one device's room would loosen of it; `digest` says about what a decision is."""

    room: str
    device: str
    room_name: str
    name: str
    since: Moment
    changes: tuple[WouldChange, ...]
    digest: str


class WaitingDevices(msgspec.Struct, frozen=True, kw_only=True):
    """GET WAITING."""

    waiting: tuple[WaitingDevice, ...]


class WaitingDecision(msgspec.Struct, frozen=True, kw_only=True):
    """POST WAITING/{room}/{device}: what the master user `by` (an id) says, answered by the RegisteredRoom."""

    decision: Decision
    digest: Digest
    by: Text
    address: Address
