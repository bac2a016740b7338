"""What may change in the home as this gateway sees it, pure: told by gateway/picture/home.py to whoever watches."""

import msgspec

from gateway.picture.views import Status
from shared.words.internal import LockdownState
from shared.words.messages import State


class StatusChanged(msgspec.Struct, frozen=True):
    """A room came, went, or fell silent."""

    room: str
    status: Status


class StateChanged(msgspec.Struct, frozen=True):
    """A device of a room that is online has this state."""

    room: str
    device: str
    state: State | None


class DescriptionChanged(msgspec.Struct, frozen=True):
    """What a room offers changed, or the room is gone."""

    room: str


class Born(msgspec.Struct, frozen=True):
    """A room's agent started anew: commands under way in its former life are lost."""

    room: str


class LockdownChanged(msgspec.Struct, frozen=True):
    """From now on the home obeys safe actions only, or everything again."""

    lockdown: LockdownState


class OrderChanged(msgspec.Struct, frozen=True):
    """The rooms stand in another order, or are other ones."""


Change = StatusChanged | StateChanged | DescriptionChanged | Born | LockdownChanged | OrderChanged
