"""In which order rooms and devices stand, pure: the auth service keeps what was moved, gateways show all in that order.

An order is a list of ids that stand first; what it does not name follows in its usual order. So what comes anew needs
no place, and what went away and comes back has its own again.
"""

from collections.abc import Iterable, Mapping, Sequence

from shared.words.internal import RegisteredRoom
from shared.words.names import ACTIONS, Kind

_KINDS = tuple(Kind)
_FIRST = (Kind.LOCK, Kind.PULSE)


def usual(devices: Iterable[tuple[str, Kind]]) -> tuple[str, ...]:
    """Devices (id, kind) that nobody has moved: doors first, then by kind, what only tells last; of a kind by id."""
    ranked = sorted(devices, key=lambda one: (one[1] not in _FIRST, _KINDS.index(one[1]), one[0]))
    return tuple(one for one, _ in ranked)


def arranged(ids: Sequence[str], first: Iterable[str]) -> tuple[str, ...]:
    """The `ids` with those that `first` names in front, in its order; what it names besides is not there now."""
    here = set(ids)
    front = tuple(dict.fromkeys(one for one in first if one in here))
    named = set(front)
    return front + tuple(one for one in ids if one not in named)


def in_order(devices: Sequence[tuple[str, Kind]], *firsts: Sequence[str]) -> tuple[str, ...]:
    """Devices (id, kind) as they are shown, by each of `firsts` over the one before; what only tells stands last."""
    kinds, order = dict(devices), usual(devices)
    for first in firsts:
        order = arranged(order, first)
    return tuple(sorted(order, key=lambda one: kinds[one] not in ACTIONS))


def moved(ids: Sequence[str], one: str, *, before: str | None = None, after: str | None = None) -> tuple[str, ...]:
    """The `ids` with `one` directly before, or after, another; once more changes nothing. Both must be among them."""
    other = before if before is not None else after
    if other is None or other == one:
        return tuple(ids)
    rest = [found for found in ids if found != one]
    rest.insert(rest.index(other) + (before is None), one)
    return tuple(rest)


def shortest(ids: Sequence[str], wanted: Sequence[str]) -> tuple[str, ...]:
    """The shortest list that puts the `ids` into the order `wanted`, which has the same ones."""
    ranks = {one: rank for rank, one in enumerate(ids)}
    kept = len(wanted)
    while kept and (kept == len(wanted) or ranks[wanted[kept - 1]] < ranks[wanted[kept]]):
        kept -= 1
    return tuple(wanted[:kept])


def rooms_in_order(rooms: Iterable[RegisteredRoom]) -> tuple[str, ...]:
    """The ids of rooms, as the master user arranged them."""
    places = {room.id: room.look.place for room in rooms}
    return arranged(sorted(places), _placed(places))


def devices_in_order(room: RegisteredRoom) -> tuple[str, ...]:
    """The ids of a room's devices, as the master user arranged them."""
    places = {one.id: one.look.place for one in room.devices}
    return in_order([(one.id, one.kind) for one in room.devices], _placed(places))


def _placed(places: Mapping[str, int | None]) -> list[str]:
    """Those that have a place, in that order."""
    found = sorted((place, one) for one, place in places.items() if place is not None)
    return [one for _, one in found]
