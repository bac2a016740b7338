"""Which audit events are due to be published, pure: every one again and again, ever slower, until receipted."""

from collections.abc import Sequence

from shared.running import backoff

WINDOW = 200
"""How many unreceipted events may be under way at once."""


class Resender:
    """Remembers, for the events under way, when each is due again, by their `seq`. `now` is monotonic seconds."""

    def __init__(self) -> None:
        self._due: dict[int, tuple[float, int]] = {}

    def due(self, waiting: Sequence[int], now: float) -> tuple[int, ...]:
        """Those of the events that wait to publish now; each is due again after 2 s, then up to a minute later."""
        still = set(waiting)
        for seq in [seq for seq in self._due if seq not in still]:
            del self._due[seq]
        chosen = []
        for seq in waiting:
            at, attempt = self._due.get(seq, (now, 0))
            if at <= now:
                self._due[seq] = (now + backoff.delay(attempt, first=2.0, most=60.0), attempt + 1)
                chosen.append(seq)
        return tuple(chosen)

    def reset(self) -> None:
        """A new connection: everything is due at once."""
        self._due.clear()
