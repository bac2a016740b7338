"""Which audit events are due to be published, pure: every one again and again, ever slower, until receipted.

And how: several in one message while the alert service says that it understands that, and once. What has no receipt
in time travels alone from then on, whatever was the matter; so no word of an alert service that is gone, or has become
an older one, keeps an event from being recorded.
"""

from collections.abc import Container, Iterator, Sequence
from typing import NamedTuple

from shared.proof import together
from shared.running import backoff
from shared.words.messages import AuditEvent, Receipt, Resend

WINDOW = 200
"""How many unreceipted events may be under way at once."""


class Due(NamedTuple):
    """What to publish now, by `seq`: all of it, and what of it was published before on this connection."""

    seq: tuple[int, ...]
    again: Container[int]


class Resender:
    """Remembers, for the events under way, when each is due again, by their `seq`. `now` is monotonic seconds."""

    def __init__(self) -> None:
        self._due: dict[int, tuple[float, int]] = {}
        self._together = 1

    def due(self, waiting: Sequence[int], now: float) -> Due:
        """Those of the events that wait to publish now; each is due again after 2 s, then up to a minute later."""
        still = set(waiting)
        for seq in [seq for seq in self._due if seq not in still]:
            del self._due[seq]
        chosen, again = [], set()
        for seq in waiting:
            at, attempt = self._due.get(seq, (now, 0))
            if at <= now:
                self._due[seq] = (now + backoff.delay(attempt, first=2.0, most=60.0), attempt + 1)
                chosen.append(seq)
                if attempt:
                    again.add(seq)
        if again:
            self._together = 1
        return Due(tuple(chosen), again)

    def told(self, word: Receipt | Resend) -> None:
        """What the alert service says counts until it says otherwise, or no receipt comes."""
        self._together = word.together

    def packed(self, events: Sequence[AuditEvent], *, again: Container[int] = ()) -> Iterator[bytes]:
        """The messages to publish these events with, in their order."""
        return together.packed(events, self._together, alone=again)

    def reset(self) -> None:
        """A new connection: everything is due at once, and another alert service may listen."""
        self._due.clear()
        self._together = 1
