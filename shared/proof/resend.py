"""Which audit events are due to be published, pure: every one again and again, ever slower, until receipted."""

from shared.running import backoff
from shared.words.messages import AuditEvent

WINDOW = 200
"""How many unreceipted events may be under way at once."""


class Resender:
    """Remembers, for the events under way, when each is due again. `now` is monotonic seconds."""

    def __init__(self) -> None:
        self._due: dict[int, tuple[float, int]] = {}

    def due(self, events: tuple[AuditEvent, ...], now: float) -> list[AuditEvent]:
        """Those of the pending `events` to publish now; each is due again after 2 s, then up to a minute later."""
        open_seq = {event.seq for event in events}
        for seq in [seq for seq in self._due if seq not in open_seq]:
            del self._due[seq]
        chosen = []
        for event in events:
            at, attempt = self._due.get(event.seq, (now, 0))
            if at <= now:
                self._due[event.seq] = (now + backoff.delay(attempt, first=2.0, most=60.0), attempt + 1)
                chosen.append(event)
        return chosen

    def reset(self) -> None:
        """A new connection: everything is due at once."""
        self._due.clear()
