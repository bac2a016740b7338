"""What happens at a room's inputs, for the history, pure: one by one while it is seldom, and summed while it goes on.

A door that swings all night and a hallway full of guests are told in a few lines, and every time is counted. So much is
bounded for each device and day: about a thousand happenings of a door or a button, and half as many of motion.
"""

from collections.abc import Iterable
from typing import NamedTuple

from device_agents.devices.contact import OPEN
from device_agents.devices.input import Happening
from shared.words.happenings import GESTURE, TIMES, UNSEEN, UNTIL
from shared.words.messages import AuditEvent, Value, Who, utc
from shared.words.names import Kind, Outcome, Severity

SUM_SECONDS = 900.0
"""So often a sum is told at the most, and so long it waits."""


class Pace(NamedTuple):
    """So many are told one by one at a time, one more for each `refill` seconds; `calm` seconds without end a sum."""

    burst: int
    refill: float
    calm: float


_PACES = {Kind.MOTION: Pace(1, 300.0, 300.0)}
_OTHERS = Pace(60, 120.0, 60.0)
_WHAT: dict[str, str] = {"motion": "device:motion"}
_PRESSED = "device:pressed"


class Told(NamedTuple):
    """One happening, or several alike that were summed: `at` is the first one's wall time, `until` the last one's."""

    device: str
    what: str
    gesture: str
    at: float
    until: float
    times: int

    def event(self, id_: str, room: str) -> AuditEvent:
        """As the spool takes it."""
        detail = {GESTURE: self.gesture} if self.gesture else {}
        if self.times > 1:
            detail |= {TIMES: str(self.times), UNTIL: utc(self.until).isoformat()}
        return AuditEvent(
            id=id_,
            at=utc(self.at),
            what=self.what,
            where=f"{room}/{self.device}",
            who=Who(issuer=room),
            outcome=Outcome.EXECUTED,
            severity=Severity.INFO,
            detail=detail,
        )


class _Flow:
    """One device's happenings. Times are monotonic seconds, save those of what is told."""

    def __init__(self, device: str, pace: Pace, now: float) -> None:
        self._device = device
        self._pace = pace
        self._left = float(pace.burst)
        self._left_at = now
        self._last = now
        self._summed_at = now - SUM_SECONDS
        self._first: float | None = None
        self._sums: dict[tuple[str, str], Told] = {}

    @property
    def due(self) -> float:
        """When its sums are to be told; for a flow that has some."""
        assert self._first is not None
        return max(self._summed_at + SUM_SECONDS, min(self._first + SUM_SECONDS, self._last + self._pace.calm))

    def add(self, what: str, gesture: str, now: float, wall: float) -> Told | None:
        """It happened; what is to be told of it now, if it is alone."""
        self._left = min(self._pace.burst, self._left + (now - self._left_at) / self._pace.refill)
        self._left_at = now
        self._last = now
        if self._first is None and self._left >= 1:
            self._left -= 1
            return Told(self._device, what, gesture, wall, wall, 1)
        if self._first is None:
            self._first = now
        known = self._sums.get((what, gesture))
        self._sums[what, gesture] = (
            Told(self._device, what, gesture, wall, wall, 1)
            if known is None
            else known._replace(until=max(wall, known.until), times=known.times + 1)
        )
        return None

    def take(self, now: float) -> list[Told]:
        """The sums, in the order in which they began."""
        told, self._sums, self._first = list(self._sums.values()), {}, None
        self._summed_at = now
        return told


class Passing:
    """What a room's inputs did and nobody was told of yet."""

    def __init__(self) -> None:
        self._flows: dict[str, _Flow] = {}
        self._summing: dict[str, _Flow] = {}  # the loop asks for their deadline with every command
        self._doors: dict[str, Value] = {}
        self._unseen: set[str] = set()

    def knew(self, device: str, value: Value) -> None:
        """Where a contact stood when an earlier process saw it last."""
        if value is not None:
            self._doors[device] = value
            self._unseen.add(device)

    def knows(self, device: str, value: Value) -> bool:
        """Whether a contact stands as it was known last."""
        return self._doors.get(device) == value

    def stands(self, device: str, value: Value, now: float, wall: float) -> list[Told]:
        """Where a contact stands now; None while it is at fault.

        That it moved while there was no agent, or while it was at fault, is told as what nobody saw.
        """
        if value is None:
            self._unseen.add(device)
            return []
        before, self._doors[device] = self._doors.get(device), value
        seen = device not in self._unseen
        self._unseen.discard(device)
        if before is None or before == value:
            return []
        what = "device:opened" if value == OPEN else "device:closed"
        return self._add(device, _OTHERS, what, "" if seen else UNSEEN, now, wall)

    def happened(self, device: str, kind: Kind, event: Happening, now: float, wall: float) -> list[Told]:
        """Somebody moved, or pressed a button."""
        what = _WHAT.get(event, _PRESSED)
        gesture = event if what == _PRESSED else ""
        return self._add(device, _PACES.get(kind, _OTHERS), what, gesture, now, wall)

    def deadline(self) -> float | None:
        """When a sum is to be told."""
        return min((flow.due for flow in self._summing.values()), default=None)

    def due(self, now: float) -> list[Told]:
        """The sums whose time has come."""
        return self._taken([device for device, flow in self._summing.items() if flow.due <= now], now)

    def rest(self, now: float) -> list[Told]:
        """All sums: the agent ends."""
        return self._taken([*self._summing], now)

    def _taken(self, devices: Iterable[str], now: float) -> list[Told]:
        told = (one for device in devices for one in self._summing.pop(device).take(now))
        return sorted(told, key=lambda one: one.at)

    def _add(self, device: str, pace: Pace, what: str, gesture: str, now: float, wall: float) -> list[Told]:
        flow = self._flows.get(device)
        if flow is None:
            flow = self._flows[device] = _Flow(device, pace, now)
        ended = self._taken([device], now) if device in self._summing and flow.due <= now else []
        alone = flow.add(what, gesture, now, wall)
        if alone is not None:
            return [*ended, alone]
        self._summing[device] = flow
        return ended
