"""The commands that are under way, pure: who waits for which id, and that each gets exactly one answer.

One id is one wish: a repeat joins it while it is under way and gets the recorded answer afterwards, and the same id for
another wish is refused (docs/api.md).
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Final, NamedTuple

import msgspec

from gateway.proof import Fingerprint, Wish
from shared.messages import State
from shared.names import Outcome
from shared.problem import HomeError

_REMEMBERED: Final = 10_000
"""How many settled ids are remembered; the agents' ledgers know the older ones."""
_ROOMS_WORD: Final = frozenset({Outcome.EXECUTED, Outcome.REJECTED, Outcome.FAILED})


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """How a command ended. `slug` is its problem, None when it was executed; `outcome` None means nothing was sent."""

    outcome: Outcome | None
    slug: str | None = None
    reason: str | None = None
    detail: str | None = None
    state: State | None = None


class _Settled(NamedTuple):
    user: str
    fingerprint: Fingerprint
    answer: Verdict | None


class Flight:
    """One wish under way. `sent` once it was handed to the broker; `verdict` once it is settled."""

    __slots__ = ("on_settled", "sent", "verdict", "wish")

    def __init__(self, wish: Wish, on_settled: Callable[["Flight", Verdict], None]) -> None:
        self.wish = wish
        self.on_settled = on_settled
        self.sent = False
        self.verdict: Verdict | None = None


class Flights:
    """All wishes under way, by id, and the settled ids of late."""

    def __init__(self) -> None:
        self._flying: dict[str, Flight] = {}
        self._settled: OrderedDict[str, _Settled] = OrderedDict()

    def __len__(self) -> int:
        return len(self._flying)

    def under_way(self, wish: Wish) -> Flight | None:
        """The flight that this wish repeats. Raises HomeError("id-reused") when its id belongs to another wish."""
        flight = self._flying.get(wish.id)
        if flight is not None:
            former: tuple[str, Fingerprint] | None = (flight.wish.user.id, flight.wish.fingerprint)
        else:
            settled = self._settled.get(wish.id)
            former = None if settled is None else (settled.user, settled.fingerprint)
        if former is not None and former != (wish.user.id, wish.fingerprint):
            raise HomeError("id-reused", id=wish.id, outcome="rejected", reason="id-reused")
        return flight

    def knows(self, command_id: str) -> bool:
        """Whether the id was settled here of late, with an answer or without."""
        return command_id in self._settled

    def answer(self, command_id: str) -> Verdict | None:
        """The recorded answer to an id that was settled of late: the room's word, or that it came too late.

        None also where the answer was lost, or where nothing was sent: that one may be asked for again.
        """
        settled = self._settled.get(command_id)
        return None if settled is None else settled.answer

    def begin(self, wish: Wish, on_settled: Callable[[Flight, Verdict], None]) -> Flight:
        """Take off; `under_way` was None."""
        flight = self._flying[wish.id] = Flight(wish, on_settled)
        return flight

    def settle(self, flight: Flight, verdict: Verdict) -> bool:
        """Give the flight its verdict; the first one stands, and False says that this was not it."""
        if flight.verdict is not None:
            return False
        flight.verdict = verdict
        del self._flying[flight.wish.id]
        answered = verdict.outcome is Outcome.EXPIRED or (flight.sent and verdict.outcome in _ROOMS_WORD)
        answer = verdict if answered else None
        self._settled[flight.wish.id] = _Settled(flight.wish.user.id, flight.wish.fingerprint, answer)
        self._settled.move_to_end(flight.wish.id)
        if len(self._settled) > _REMEMBERED:
            self._settled.popitem(last=False)
        flight.on_settled(flight, verdict)
        return True

    def waiting_for(self, command_id: str, room: str, device: str) -> Flight | None:
        """The flight that an acknowledgement from this device speaks of; None for a late or a foreign one."""
        flight = self._flying.get(command_id)
        if flight is None or not flight.sent:
            return None
        wished = flight.wish.device
        return flight if wished.room == room and wished.id == device else None

    def sent_to(self, room: str | None = None) -> list[Flight]:
        """The flights whose command is out, to one room or to all."""
        return [f for f in self._flying.values() if f.sent and (room is None or f.wish.device.room == room)]
