"""How a home is looked at, pure: what the master user says for everybody, and what each person says for themselves.

The auth service keeps both, gateways show them. Nothing here permits or forbids anything: what is hidden is there.
"""

from enum import StrEnum
from typing import Annotated, Final

import msgspec

NAME_MOST: Final = 64
FAVOURITES_MOST: Final = 60
"""Of one person."""
OWN_MOST: Final = 1500
"""So many devices and rooms are named at the most in what one person says: it goes along with each session."""

Name = Annotated[str, msgspec.Meta(max_length=4 * NAME_MOST)]
"""As it comes in; what is kept is checked by the auth service."""
Id = Annotated[str, msgspec.Meta(max_length=32)]
Ids = Annotated[tuple[Id, ...], msgspec.Meta(max_length=1024)]


class Icon(StrEnum):
    """The drawings of gateway/static/icons.svg that a device or a room may be given."""

    LAMP = "lamp"
    POWER = "power"
    PLUG = "plug"
    FAN = "fan"
    HEATING = "heating"
    KETTLE = "kettle"
    DOOR = "door"
    WINDOW = "window"
    GATE = "gate"
    LOCK = "lock"
    BLIND = "blind"
    MOTION = "motion"
    BELL = "bell"
    THERMOMETER = "thermometer"
    DROP = "drop"
    HOUSE = "house"
    SOFA = "sofa"
    BED = "bed"
    BATH = "bath"
    TABLE = "table"
    DESK = "desk"
    STAIRS = "stairs"
    TOOLS = "tools"
    PLANT = "plant"


class HomeLook(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the master user says of a room or a device. `name` and `icon` None: its own; `place` None: where it stands
    by itself, behind all that have a place.
    """

    name: str | None = None
    icon: Icon | None = None
    hidden: bool = False
    place: int | None = None


class OwnRoom(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one person says of a room and its devices, by their ids.

    `hidden` None: as the home has it. `hid` and `shown` are devices that differ from that; `order` stands first.
    """

    id: str
    hidden: bool | None = None
    favourites: tuple[str, ...] = ()
    hid: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    order: tuple[str, ...] = ()


class OwnLooks(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one person says of the home; `order` are rooms that stand first."""

    rooms: tuple[OwnRoom, ...] = ()
    order: tuple[str, ...] = ()

    def of(self, room: str) -> OwnRoom:
        """What they say of one room."""
        return next((one for one in self.rooms if one.id == room), OwnRoom(id=room))


NOTHING: Final = OwnLooks()


def size(own: OwnLooks) -> int:
    """How many devices and rooms are named in it."""
    named = (len(one.favourites) + len(one.hid) + len(one.shown) + len(one.order) + 1 for one in own.rooms)
    return len(own.order) + sum(named)


def favourites(own: OwnLooks) -> int:
    """How many there are."""
    return sum(len(one.favourites) for one in own.rooms)
