"""Which events a reader may see and wants to see, pure: as a few arms, each of them one range of one index.

An arm holds what must be equal. What one may see is a union of arms, what one wants is one arm, and the answer is
where they meet. So no question reads more rows than the page has, however rare what it asks for.
"""

import itertools
import re
from collections.abc import Iterable, Iterator
from typing import TypeVar

import msgspec

from alert_service.chain.forms import NO_ROOM, room_of
from shared.words.internal_alerts import AuditFilter

_AT_ONCE = 100
"""SQLite takes 500 parts in a union, PostgreSQL plans them one by one."""

T = TypeVar("T")


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """What may be seen: everything, or `user`'s own acts, what happened in any room, and what in these places.

    A place is `room/device`, or `room/*` for the whole room.
    """

    user: str | None = None
    rooms: bool = False
    places: tuple[str, ...] = ()

    @property
    def everything(self) -> bool:
        """Whether nothing is hidden."""
        return self.user is None


class Arm(msgspec.Struct, frozen=True, kw_only=True):
    """Events that agree in what is named here; `in_rooms`: only what happened in some room."""

    user: str | None = None
    room: str | None = None
    place: str | None = None
    in_rooms: bool = False


def arms(scope: Scope, wanted: AuditFilter) -> tuple[Arm, ...]:
    """Where what may be seen and what is wanted meet; none where they do not."""
    want = Arm(user=wanted.user, room=wanted.room, place=wanted.device)
    met = (_meet(seen, want) for seen in _seen(scope))
    return tuple(dict.fromkeys(arm for arm in met if arm is not None))


def is_like(what: str, wanted: str) -> bool:
    """Whether what something is about fits a filter's `what`: one of several, in which `*` stands for anything."""
    patterns = (".*".join(map(re.escape, one.split("*"))) for one in wanted.split(","))
    return any(re.fullmatch(pattern, what, re.DOTALL) for pattern in patterns)


def batches(ranges: Iterable[T]) -> Iterator[list[T]]:
    """As many of them as one question of the database takes."""
    left = iter(ranges)
    while some := list(itertools.islice(left, _AT_ONCE)):
        yield some


def _seen(scope: Scope) -> Iterable[Arm]:
    if scope.everything:
        yield Arm()
        return
    yield Arm(user=scope.user)
    if scope.rooms:
        yield Arm(in_rooms=True)
    for place in scope.places:
        room, _, device = place.partition("/")
        yield Arm(room=room) if device == "*" else Arm(place=place)


def _meet(seen: Arm, want: Arm) -> Arm | None:
    """What both arms hold; None where nothing can be in both."""
    for one, other in ((seen.user, want.user), (seen.place, want.place), (seen.room, want.room)):
        if one is not None and other is not None and one != other:
            return None
    place = seen.place if seen.place is not None else want.place
    room = seen.room if seen.room is not None else want.room
    in_rooms = seen.in_rooms
    if place is not None:
        if room not in (None, room_of(place)):
            return None
        room = None
    where = room if room is not None else room_of(place) if place is not None else None
    if in_rooms and where is not None:
        if room_of(where) == NO_ROOM:
            return None
        in_rooms = False
    user = seen.user if seen.user is not None else want.user
    return Arm(user=user, room=room, place=place, in_rooms=in_rooms)
