"""What the loop does every ten seconds besides: look after clocks, pins and ledger."""

import logging
from collections.abc import Callable

from device_agents.ledger.ledger import Ledger
from device_agents.obeying.answers import Answers
from device_agents.obeying.clock import Clocks
from device_agents.room.device import Device
from device_agents.room.room import Room
from shared.running.log import facts
from shared.words.messages import COMMAND_SECONDS
from shared.words.problem import HomeError

log = logging.getLogger(__name__)

TIDY_SECONDS = 10.0
PRUNE_SECONDS = 3600.0
LOOK_SECONDS = 60.0
"""So often the ledger's file is read as it lies on the card: what a process works with may long be in memory."""
QUIET_SECONDS = 1.0
"""Without a command for so long, a disk sync holds up nobody."""


class Upkeep:
    """`tell` publishes a device's state; `now` is monotonic seconds, `wall` tells seconds since 1970."""

    def __init__(
        self,
        room: Room,
        clocks: Clocks,
        answers: Answers,
        ledger: Ledger,
        tell: Callable[[Device], None],
        wall: Callable[[], float],
    ) -> None:
        self._room = room
        self._clocks = clocks
        self._answers = answers
        self._ledger = ledger
        self._tell = tell
        self._wall = wall
        self._at = 0.0
        self._prune_at = 0.0
        self._look_at = 0.0
        self._busy_at = 0.0
        self._apart = False

    def start(self, now: float) -> None:
        """The loop begins."""
        self._at = now + TIDY_SECONDS

    def busy(self, now: float) -> None:
        """A command came: nothing that may take its time just now."""
        self._busy_at = now

    def deadline(self) -> float:
        """When there is something to do."""
        return self._at

    def tick(self, now: float) -> None:
        """Do it where it is time."""
        if now < self._at:
            return
        self._at = now + TIDY_SECONDS
        self._look_at_clocks(now)
        for device in self._room.patrol(now):
            self._tell(device)
        if self._answers.owes:
            self._answers.write_late()
        try:
            if now >= self._prune_at:
                self._prune_at = now + PRUNE_SECONDS
                self._ledger.prune()
            quiet = now - self._busy_at >= QUIET_SECONDS
            if quiet:
                self._ledger.fold()
            self._ledger.look(closely=quiet and now >= self._look_at)
            if quiet and now >= self._look_at:
                self._look_at = now + LOOK_SECONDS
        except HomeError as error:
            log.warning("Ledger cannot be tidied", extra=facts(reason=error.detail))

    def _look_at_clocks(self, now: float) -> None:
        wall = self._wall()
        self._clocks.watch(now, wall)
        if seconds := self._clocks.set_by():
            log.warning("Clock was set", extra=facts(seconds=seconds))
            for device in self._room.clock_set(seconds):
                self._tell(device)
        seconds = self._clocks.ahead_of_hub(now, wall)
        if (apart := abs(seconds) > COMMAND_SECONDS) != self._apart:
            self._apart = apart
            message = "Clocks disagree: trusted clients may be refused" if apart else "Clocks agree again"
            log.warning(message, extra=facts(seconds_ahead_of_hub=seconds))
