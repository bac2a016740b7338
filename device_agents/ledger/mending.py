"""A ledger that is spoilt while it is in use, or has no card at all, is opened anew as soon as that can be."""

from collections.abc import Callable

from device_agents.ids import made_id
from device_agents.ledger import opening
from device_agents.ledger.ledger import Ledger
from device_agents.ledger.proof import Proof

AGAIN_SECONDS = 10.0


class Mending:
    """Looks after one room's ledger. `now` is monotonic seconds, `wall` tells seconds since 1970.

    Once it is opened anew, `proof` turns to its spool, and `remember_all` writes into it what is known of the devices.
    """

    def __init__(
        self,
        room: str,
        ledger: Ledger,
        proof: Proof,
        remember_all: Callable[[], None],
        wall: Callable[[], float],
    ) -> None:
        self._room = room
        self._ledger = ledger
        self._proof = proof
        self._remember_all = remember_all
        self._wall = wall
        self._at = 0.0

    def deadline(self) -> float | None:
        """When it is worth while to try; None where nothing ails."""
        return None if (at := self._ledger.mends_at) is None else max(at, self._at)

    def tick(self, now: float) -> None:
        """Try where it is time. What is known of the devices goes into the other file at once."""
        if (at := self.deadline()) is None or now < at:
            return
        self._at = now + AGAIN_SECONDS
        was_kept = self._ledger.is_kept
        if not self._ledger.mend():
            return
        self._proof.turn_to(self._ledger.spool)
        self._remember_all()
        if self._ledger.is_kept and not was_kept:
            self._proof.note(opening.kept_again(made_id(), self._room, self._wall()))
