"""Losing the hub: when no gateway has been heard for long enough, each output falls to its `on_link_loss`, once."""

import contextlib
import logging

from device_agents.room import Device, Room
from shared.log import facts
from shared.messages import By
from shared.names import Action
from shared.problem import HomeError

log = logging.getLogger(__name__)

_ACTIONS = {"off": Action.OFF, "on": Action.ON, "locked": Action.LOCK, "unlocked": Action.UNLOCK}


class LinkLoss:
    """Watches how long ago any gateway was heard. `now` is monotonic seconds."""

    def __init__(self, after: float) -> None:
        self._after = after
        self._started = 0.0
        self._answered: float | None = None

    def start(self, now: float) -> None:
        """Before the first heartbeat, the silence counts from the start."""
        self._started = now

    def deadline(self, last_heard: float | None) -> float | None:
        """When the hub will count as lost; None once that has been answered."""
        since = self._since(last_heard)
        return None if since == self._answered else since + self._after

    def tick(self, room: Room, last_heard: float | None, now: float) -> list[Device]:
        """Obey the policies where it is time; returns the devices concerned."""
        at = self.deadline(last_heard)
        if at is None or now < at:
            return []
        self._answered = self._since(last_heard)
        log.warning("No gateway heard", extra=facts(room=room.name, seconds=self._after))
        fallen = []
        for device in room.devices.values():
            action = _ACTIONS.get(device.config.on_link_loss)
            if action is None or device.output is None:
                continue
            with contextlib.suppress(HomeError):  # logged where it happened; the state says what is so
                room.move(device, room.plan(device, action, None, now))
            room.stand(device, By(source="failsafe"))
            room.remember(device)
            fallen.append(device)
        return fallen

    def _since(self, last_heard: float | None) -> float:
        return self._started if last_heard is None else last_heard
