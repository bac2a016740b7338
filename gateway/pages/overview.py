"""The home in a few sentences, and each room of a large one in a few words, pure: what is not as it should be first.

static/wording.js says the same for what the stream brings; a test holds both against one another.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from gateway.picture.sums import Count, RoomSum

MOST_SHOWN: Final = 200
"""A home of more devices is shown in sums, and its rooms one by one."""

_FACTS: Final = (
    ("jammed", "is jammed", "locks are jammed"),
    ("mismatch", "does not follow", "devices do not follow"),
    ("fault", "has a fault", "devices have a fault"),
    ("unlocked", "is unlocked", "locks are unlocked"),
    ("ajar", "is open", "contacts are open"),
    ("sensor", "gives no reading", "devices give no reading"),
    ("motion", "sees motion", "sensors see motion"),
    ("moving", "is moving", "devices are moving"),
    ("adrift", "is at an unknown position", "covers are at unknown positions"),
    ("on", "is on", "devices are on"),
    ("unknown", "is unknown", "devices are unknown"),
)
"""What is told, in this order: the look, said of one by name, and of several."""
_BARRED: Final = ("is locked out", "devices are locked out")
_GRAVE: Final = frozenset({"jammed", "mismatch", "fault", "unlocked", "ajar", "sensor", "unknown"})
"""What a careful person goes to see."""
_LIT: Final = frozenset({"on", "motion"})
_AWAY: Final = len(_FACTS)
_CALM: Final = _AWAY + 1


class Fact(NamedTuple):
    """One thing about a room in words: "3 contacts are open". `tone` is "bad", "lit" or "calm"."""

    text: str
    tone: str


class Tile(NamedTuple):
    """A room of a large home: `facts`, or, where there are none, why; the less its `rank`, the sooner to be seen."""

    sum: RoomSum
    facts: tuple[Fact, ...]
    rest: str
    rank: int

    @property
    def grave(self) -> bool:
        """Whether it is not as it should be."""
        return self.rank < _CALM


def headline(rooms: Iterable[RoomSum]) -> tuple[str, ...]:
    """The home in a few short sentences; what is not known comes before any "all is quiet"."""
    rooms = tuple(rooms)
    sentences = []
    for look, of_one, of_many in _FACTS:
        found = [(room, room.looks[look]) for room in rooms if look in room.looks]
        count = sum(seen.count for _, seen in found)
        if count == 1:
            room, seen = found[0]
            sentences.append(f"{seen.device} in {room.name} {of_one}.")
        elif count:
            sentences.append(f"{count} {of_many}.")
    for status in ("offline", "unknown"):
        names = [room.name for room in rooms if room.status == status]
        if len(names) == 1:
            sentences.append(f"{names[0]} is {status}.")
        elif names:
            sentences.append(f"{len(names)} rooms are {status}.")
    if not sentences:
        return ("All is quiet.",) if any(room.looks for room in rooms) else ("There is nothing here yet.",)
    return tuple(sentences)


def tile(room: RoomSum) -> Tile:
    """One room in a few words."""
    facts = [
        Fact(_said(room.looks[look], of_one, of_many), "bad" if look in _GRAVE else "lit" if look in _LIT else "calm")
        for look, of_one, of_many in _FACTS
        if look in room.looks
    ]
    if room.barred is not None:
        facts.append(Fact(_said(room.barred, *_BARRED), "calm"))
    ranks = (rank for rank, (look, _, _) in enumerate(_FACTS) if look in _GRAVE and look in room.looks)
    return Tile(room, tuple(facts), _rest(room), _AWAY if room.status != "online" else min(ranks, default=_CALM))


def _said(seen: Count, of_one: str, of_many: str) -> str:
    return f"{seen.count} {of_many}" if seen.device is None else f"{seen.device} {of_one}"


def _rest(room: RoomSum) -> str:
    if not room.devices:
        return "It has not described itself yet."
    return "All is quiet." if room.status == "online" else "Nothing is known of it."
