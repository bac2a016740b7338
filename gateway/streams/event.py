"""One event of a stream, pure: what a change in the home is called, whom it concerns, and how it is written."""

from functools import lru_cache
from typing import Final

import msgspec

from gateway.picture.changes import (
    Change,
    DescriptionChanged,
    LockdownChanged,
    OrderChanged,
    StateChanged,
    StatusChanged,
)
from gateway.picture.views import lockdown_view
from shared.words.internal import LockdownState

SUM: Final = "sum"
"""The event that tells of one room in sums, for whoever looks at many."""
ORDER: Final = "order"
"""The event that tells in which order the rooms stand, for whoever looks at all of them."""
AUDIT: Final = "audit"
"""The event that tells of new rows of the record: for those who asked, and may."""


class Event(msgspec.Struct, frozen=True):
    """One event on its way. `body` None is made for each viewer: a description shows their devices alone, as do
    sums, an order their rooms.

    `room` None: it is about the home or the record as a whole.
    """

    name: str
    room: str | None
    device: str | None
    body: str | None


class Interest(msgspec.Struct, frozen=True, kw_only=True):
    """What a stream is asked for: `rooms` None for all that one may see, every room in `sums`, the `record` as well."""

    rooms: frozenset[str] | None = None
    sums: bool = False
    record: bool = False

    def covers(self, event: Event) -> bool:
        """Whether the event belongs to it; what is about the home as a whole always does."""
        if event.name == AUDIT:
            return self.record
        if event.name == SUM:
            return self.sums
        if event.name == ORDER:
            return self.sums or self.rooms is None
        return event.room is None or self.rooms is None or event.room in self.rooms


Told = Event | StatusChanged | StateChanged
"""What a snapshot holds: what is not an event yet is written as one when its turn comes."""


def written(told: Told) -> Event:
    """What is in a snapshot, as an event."""
    event = told if isinstance(told, Event) else event_of(told)
    assert event is not None
    return event


def event_of(change: Change) -> Event | None:
    """What browsers are told of a change; None for what is none of theirs."""
    match change:
        case StateChanged(room, device, state):
            return Event("state", room, device, as_json({"room": room, "device": device, "state": state}))
        case StatusChanged(room, status):
            return Event("availability", room, None, as_json({"room": room, "status": status}))
        case DescriptionChanged(room):
            return Event("description", room, None, None)
        case LockdownChanged(now):
            return lockdown(now)
        case OrderChanged():
            return Event(ORDER, None, None, None)
        case _:
            return None


def lockdown(stands: LockdownState) -> Event:
    """Whether the home is locked down."""
    return Event("lockdown", None, None, as_json(lockdown_view(stands)))


def frame(name: str, body: str) -> bytes:
    """An event on the wire (WHATWG HTML, 9.2.5); JSON has no line breaks of its own."""
    return f"event: {name}\r\ndata: {body}\r\n\r\n".encode()


@lru_cache(maxsize=64)
def shared_frame(name: str, body: str) -> bytes:
    """The same, for what many streams are told: it is made once."""
    return frame(name, body)


def as_json(body: object) -> str:
    """A body."""
    return msgspec.json.encode(body).decode()
