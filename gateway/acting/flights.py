"""The commands that are under way, pure: who waits for which id, and that each gets exactly one answer.

One id is one wish: a repeat joins it while it is under way and gets the recorded answer afterwards, and the same id for
another wish is refused (docs/api.md).
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Final, NamedTuple

from gateway.acting.verdicts import Verdict
from gateway.acting.wish import Fingerprint, Wish
from shared.words.names import Outcome
from shared.words.problem import HomeError

_REMEMBERED: Final = 10_000
"""How many settled ids are remembered; the agents' ledgers know the older ones."""
_ROOMS_WORD: Final = frozenset({Outcome.EXECUTED, Outcome.REJECTED, Outcome.FAILED})


class _Settled(NamedTuple):
    user: str
    fingerprint: Fingerprint
    answer: Verdict | None
    begun: bool
    unsent: bool


class Flight:
    """One wish under way. `sent` once it was handed to the broker; `verdict` once it is settled.

    `claimed` once its intent is written, where nobody had used its id before. `recall`: somebody had; the room is only
    asked how that ended, and whatever it says, nothing moves.
    """

    __slots__ = ("claimed", "on_settled", "recall", "sent", "verdict", "wish")

    def __init__(self, wish: Wish, on_settled: Callable[["Flight", Verdict], None]) -> None:
        self.wish = wish
        self.on_settled = on_settled
        self.sent = False
        self.claimed = False
        self.recall = False
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

    def begun(self, command_id: str) -> bool:
        """Whether something may have been done under an id that was settled here of late."""
        settled = self._settled.get(command_id)
        return settled is not None and settled.begun

    def knows(self, command_id: str) -> bool:
        """Whether the id is under way, or was settled of late in a way that holds: no repeat of it moves anything."""
        settled = self._settled.get(command_id)
        return command_id in self._flying or (settled is not None and (settled.begun or settled.answer is not None))

    def answer(self, command_id: str) -> Verdict | None:
        """The recorded answer to an id that was settled of late: the room's word, or that it came too late.

        None also where the answer was lost, or where nothing was sent: that one may be asked for again.
        """
        settled = self._settled.get(command_id)
        return None if settled is None else settled.answer

    def begin(self, wish: Wish, on_settled: Callable[[Flight, Verdict], None]) -> Flight:
        """Take off; `under_way` was None. Where its intent was written before, and nothing sent, it keeps its claim."""
        flight = self._flying[wish.id] = Flight(wish, on_settled)
        settled = self._settled.get(wish.id)
        flight.claimed = settled is not None and settled.unsent
        return flight

    def settle(self, flight: Flight, verdict: Verdict) -> bool:
        """Give the flight its verdict; the first one stands, and False says that this was not it."""
        if flight.verdict is not None:
            return False
        flight.verdict = verdict
        del self._flying[flight.wish.id]
        wish = flight.wish
        if verdict.slug != "id-reused":  # else the id is another wish's
            answered = verdict.outcome is Outcome.EXPIRED or (flight.sent and verdict.outcome in _ROOMS_WORD)
            begun = flight.recall or (flight.sent and verdict.outcome is not None)
            settled = _Settled(
                user=wish.user.id,
                fingerprint=wish.fingerprint,
                answer=verdict if answered else None,
                begun=begun,
                unsent=flight.claimed and not begun,
            )
            self._remember(wish.id, settled)
        flight.on_settled(flight, verdict)
        return True

    def _remember(self, command_id: str, settled: _Settled) -> None:
        self._settled[command_id] = settled
        self._settled.move_to_end(command_id)
        if len(self._settled) > _REMEMBERED:
            self._settled.popitem(last=False)

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
