"""The home in a few sentences, and each room of a large one in a few words: what is not as it should be first.

static/wording.js says the same for what the stream brings; a test holds both against one another.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from gateway.pages.speaking import say
from gateway.picture.sums import Count, RoomSum
from shared.words.languages import later

MOST_SHOWN: Final = 200
"""A home of more devices is shown in sums, and its rooms one by one."""

_FACTS: Final = (
    ("jammed", later("{name} is jammed"), later("{count} locks are jammed")),
    ("mismatch", later("{name} does not follow"), later("{count} devices do not follow")),
    ("fault", later("{name} has a fault"), later("{count} devices have a fault")),
    ("unlocked", later("{name} is unlocked"), later("{count} locks are unlocked")),
    ("ajar", later("{name} is open"), later("{count} contacts are open")),
    ("sensor", later("{name} gives no reading"), later("{count} devices give no reading")),
    ("motion", later("{name} sees motion"), later("{count} sensors see motion")),
    ("moving", later("{name} is moving"), later("{count} devices are moving")),
    ("adrift", later("{name} is at an unknown position"), later("{count} covers are at unknown positions")),
    ("on", later("{name} is on"), later("{count} devices are on")),
    ("unknown", later("{name} is unknown"), later("{count} devices are unknown")),
)
"""What is told, in this order: the look, said of one by name, and of several."""
_BARRED: Final = (later("{name} is locked out"), later("{count} devices are locked out"))
_ROOMS: Final = {
    "offline": (later("{name} is offline"), later("{count} rooms are offline")),
    "unknown": (later("{name} is unknown"), later("{count} rooms are unknown")),
}
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
    """A room of a large home: `facts`, or, where there are none, why; the less its `rank`, the sooner to be seen.

    One that is `hidden` is shown all the same while it is not as it should be.
    """

    sum: RoomSum
    facts: tuple[Fact, ...]
    rest: str
    rank: int
    hidden: bool = False

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
            named = say("{device} in {room}", device=seen.device, room=room.name)
            sentences.append(f"{say(of_one, name=named)}.")
        elif count:
            sentences.append(f"{say(of_many, count=count)}.")
    for status, (of_one, of_many) in _ROOMS.items():
        names = [room.name for room in rooms if room.status == status]
        if len(names) == 1:
            sentences.append(f"{say(of_one, name=names[0])}.")
        elif names:
            sentences.append(f"{say(of_many, count=len(names))}.")
    if not sentences:
        return (say("All is quiet."),) if any(room.looks for room in rooms) else (say("There is nothing here yet."),)
    return tuple(sentences)


def tile(room: RoomSum, *, hidden: bool = False) -> Tile:
    """One room in a few words."""
    facts = [
        Fact(_said(room.looks[look], of_one, of_many), "bad" if look in _GRAVE else "lit" if look in _LIT else "calm")
        for look, of_one, of_many in _FACTS
        if look in room.looks
    ]
    if room.barred is not None:
        facts.append(Fact(_said(room.barred, *_BARRED), "calm"))
    ranks = (rank for rank, (look, _, _) in enumerate(_FACTS) if look in _GRAVE and look in room.looks)
    rank = _AWAY if room.status != "online" else min(ranks, default=_CALM)
    return Tile(room, tuple(facts), _rest(room), rank, hidden)


def _said(seen: Count, of_one: str, of_many: str) -> str:
    return say(of_many, count=seen.count) if seen.device is None else say(of_one, name=seen.device)


def _rest(room: RoomSum) -> str:
    if not room.devices:
        return say("It has not described itself yet.")
    return say("All is quiet.") if room.status == "online" else say("Nothing is known of it.")
