"""What gateways ask the auth service over internal HTTPS about how the home is looked at: paths and bodies.

What a look leaves out stays as it is.
"""

from typing import Generic, TypeVar

import msgspec

from shared.words.internal import Address
from shared.words.looks import Icon, Id, Ids, Name

HOME = "/internal/looks"
ROOM = "/internal/looks/{room}"
DEVICE = "/internal/looks/{room}/{device}"
OWN = "/internal/account/looks"
OWN_ROOM = "/internal/account/looks/{room}"
OWN_DEVICE = "/internal/account/looks/{room}/{device}"

L = TypeVar("L")


class LookChange(msgspec.Struct, Generic[L], frozen=True, kw_only=True):
    """What each of them is PUT, answered with 204: whose session it is, and what they want."""

    token: str
    look: L
    address: Address


class Arrangement(msgspec.Struct, frozen=True, kw_only=True):
    """HOME, OWN: the rooms that stand first, for everybody (a master user's word) or for whose session it is."""

    order: Ids


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """Directly before or after another one; neither: where it is."""

    before: Id | None = None
    after: Id | None = None


class RoomLook(Moved, frozen=True, kw_only=True):
    """ROOM: what a master user says of a room for everybody; null takes it back. `order`: of its devices."""

    name: Name | msgspec.UnsetType | None = msgspec.UNSET
    icon: Icon | msgspec.UnsetType | None = msgspec.UNSET
    hidden: bool | msgspec.UnsetType = msgspec.UNSET
    order: Ids | msgspec.UnsetType = msgspec.UNSET


class DeviceLook(Moved, frozen=True, kw_only=True):
    """DEVICE: what a master user says of a device for everybody; null takes it back."""

    name: Name | msgspec.UnsetType | None = msgspec.UNSET
    icon: Icon | msgspec.UnsetType | None = msgspec.UNSET
    hidden: bool | msgspec.UnsetType = msgspec.UNSET


class OwnRoomLook(Moved, frozen=True, kw_only=True):
    """OWN_ROOM: what whose session it is says of a room for themselves. `hidden` null: as the home has it."""

    hidden: bool | msgspec.UnsetType | None = msgspec.UNSET
    order: Ids | msgspec.UnsetType = msgspec.UNSET


class OwnDeviceLook(Moved, frozen=True, kw_only=True):
    """OWN_DEVICE: what whose session it is says of a device for themselves. `hidden` null: as the home has it."""

    favourite: bool | msgspec.UnsetType = msgspec.UNSET
    hidden: bool | msgspec.UnsetType | None = msgspec.UNSET
