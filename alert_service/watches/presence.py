"""Which rooms are away, pure: heartbeats and wills in, what is to be told out.

A killed broker fires no wills and keeps a dead room's `online` (docs/broker.md), so only what was heard live since our
own link came up counts, and a room has its whole time again after each of our own gaps. `now` is monotonic seconds.
"""

from collections.abc import Iterable

import msgspec

from shared.words.messages import ROOM_SILENCE_SECONDS, Availability, Description

LATE_SECONDS = 10.0
"""Looked at later than this after the last time, we were held up ourselves: what was said meanwhile is still coming."""


class Gone(msgspec.Struct, frozen=True):
    """A room is away for so many seconds."""

    room: str
    name: str
    seconds: float


class Back(msgspec.Struct, frozen=True):
    """A room that was told to be away is heard again."""

    room: str
    name: str


class _Room:
    __slots__ = ("critical", "heard_at", "left_at", "name", "session")

    def __init__(self) -> None:
        self.name = ""
        self.critical = False
        self.session: str | None = None
        self.heard_at: float | None = None  # the last live heartbeat on this link
        self.left_at: float | None = None  # the goodbye or will that stands


class Presence:
    """Every room that described itself. `told` are those that were told to be away and not yet to be back.

    Only rooms with a critical device count, unless `every` one does.
    """

    def __init__(self, offline_after: float, told: Iterable[str] = (), *, every: bool = False) -> None:
        self._offline_after = offline_after
        self._every = every
        self._told = set(told)
        self._rooms: dict[str, _Room] = {}
        self._up_at: float | None = None
        self._looked_at: float | None = None

    def link_up(self, now: float) -> None:
        """Our own link came up: nobody was heard on it yet."""
        self._up_at = self._looked_at = now
        for room in self._rooms.values():
            room.heard_at = room.left_at = None

    def link_down(self) -> None:
        """Our own link is gone: nothing can be said of anybody."""
        self._up_at = None

    def describe(self, room: str, description: Description | None) -> None:
        """What a room says it has; None when its description was cleared, because it was revoked."""
        if description is None:
            self._rooms.pop(room, None)
            self._told.discard(room)
            return
        known = self._rooms.setdefault(room, _Room())
        known.name = description.name
        known.critical = any(device.critical for device in description.devices)

    def hear(self, room: str, said: Availability, *, retained: bool, now: float) -> Gone | Back | None:
        """A heartbeat, a goodbye or a will. A retained `online` may be a dead room's, a will may be another birth's.

        Without patience an absence is told at once: who is back before the next look was away all the same.
        """
        known = self._rooms.setdefault(room, _Room())
        if said.status == "offline":
            if known.session in (None, said.session):
                known.left_at = now if known.left_at is None else known.left_at
                if self._offline_after == 0 and not retained and self._up_at is not None:
                    return self._gone(room, known, now)
            return None
        if retained:
            return None
        known.session, known.heard_at, known.left_at = said.session, now, None
        if room not in self._told:
            return None
        self._told.discard(room)
        return Back(room, known.name)

    def look(self, now: float) -> list[Gone]:
        """Who is away for long enough, each once."""
        late = self._looked_at is None or now - self._looked_at > LATE_SECONDS
        self._looked_at = now
        if self._up_at is None:
            return []
        if late:
            self.link_up(now)
            return []
        found = (self._gone(name, room, now) for name, room in self._rooms.items())
        return [gone for gone in found if gone is not None]

    def _gone(self, name: str, room: _Room, now: float) -> Gone | None:
        """That the room is away, where that is to be told and was not yet."""
        counts = room.critical or (self._every and room.name)
        if not counts or name in self._told or (seconds := self._away(room, now)) is None:
            return None
        self._told.add(name)
        return Gone(name, room.name, seconds)

    def _away(self, room: _Room, now: float) -> float | None:
        assert self._up_at is not None
        if room.left_at is not None:
            since, patience = room.left_at, self._offline_after
        else:
            since = room.heard_at if room.heard_at is not None else self._up_at
            patience = max(self._offline_after, ROOM_SILENCE_SECONDS)
        return now - since if now - since >= patience else None
