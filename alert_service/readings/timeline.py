"""What one device said, as rows that hold until the next one, pure. Moments are milliseconds since 1970, by the hub.

A row is never set before one that is there, nor before what was summed up already, whatever clock a room has.
"""

from typing import NamedTuple

from alert_service.readings.quantities import GAP, Said

MOST_WAITING = 60
"""Rows that wait for the next write; of what changes more often, the last one stands for all that come after."""
LIVE_MS = 60_000
"""A room whose moments are further from ours than this has another clock: then the moment of hearing counts."""

_CLOSE_MS = 1000
"""Two clocks may differ by so much, and one of them is rounded."""


class Row(NamedTuple):
    """From `at` on this was so."""

    at: int
    said: Said


class Timeline:
    """One device. `last` is its newest row, written or not; `known_until`: up to where we were there to hear."""

    __slots__ = ("last", "unsure_from", "waiting")

    def __init__(self, last: Row | None = None, known_until: int | None = None) -> None:
        self.last = last
        self.waiting: list[Row] = []
        self.unsure_from: int | None = None
        """We were away from here on, and have not heard yet whether what was said before still holds."""
        if last is not None and last.said != GAP:
            self.unsure_from = max(last.at, last.at if known_until is None else known_until)

    def hear(self, said: Said, since: int, *, now: int, live: bool, floor: int) -> None:
        """A state that has been so since `since`, by its room; nothing is set before `floor`.

        After an absence of ours it may have begun meanwhile: then what lies between is a gap. Where it has been
        the same all the time it goes on.
        """
        holds = self.last is not None and self.last.said == said
        if self.unsure_from is not None:
            if holds and since <= self.unsure_from + _CLOSE_MS:
                self.unsure_from = None
                return
            self._leave()
            holds = said == GAP
        if holds:
            return
        at = since if not live or abs(now - since) <= LIVE_MS else now
        self._append(min(max(at, floor), now), said)

    def leave(self, at: int) -> None:
        """From `at` on nothing is known: its room is away. Since we were, where that is longer ago."""
        if self.unsure_from is not None:
            self._leave()
        elif self.last is not None and self.last.said != GAP:
            self._append(at, GAP)

    def doubt(self, at: int) -> None:
        """We hear nothing any more from `at` on."""
        if self.unsure_from is None and self.last is not None and self.last.said != GAP:
            self.unsure_from = at

    def settle(self) -> None:
        """Whoever has not said by now that it went on has not."""
        if self.unsure_from is not None:
            self._leave()

    def take(self) -> list[Row]:
        """The rows that wait, to be written."""
        taken, self.waiting = self.waiting, []
        return taken

    def put_back(self, rows: list[Row]) -> None:
        """They could not be written: they wait for the next time, the newest MOST_WAITING and one of all."""
        self.waiting = [*rows, *self.waiting][-2 * MOST_WAITING :]

    def turn_back(self, now: int) -> None:
        """The hub's clock was set back to `now`: what was noted after that is not known to have been then."""
        self.waiting = [row for row in self.waiting if row.at <= now]
        if self.last is not None and self.last.at > now:
            self.last = Row(now, GAP)
            self.waiting.append(self.last)
        if self.unsure_from is not None:
            self.unsure_from = min(self.unsure_from, now)

    def _leave(self) -> None:
        assert self.unsure_from is not None
        at, self.unsure_from = self.unsure_from, None
        self._append(at, GAP)

    def _append(self, at: int, said: Said) -> None:
        # A gap is never thinned away for a value's sake: what is not known must not look as if it were.
        if len(self.waiting) >= (2 * MOST_WAITING if said == GAP else MOST_WAITING):
            self.last = self.waiting[-1] = Row(self.waiting[-1].at, said)
            return
        if self.last is not None:
            at = max(at, self.last.at + 1)
        self.last = Row(at, said)
        self.waiting.append(self.last)
