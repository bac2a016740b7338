"""Losing the hub: when no gateway has been heard for long enough, each output falls to its `on_link_loss`, once."""

import logging

from device_agents.room.device import Device
from device_agents.room.room import Room
from shared.running.log import facts
from shared.words.messages import By
from shared.words.names import Action
from shared.words.problem import HomeError

log = logging.getLogger(__name__)

AGAIN_SECONDS = 0.5
"""What a rest or an interlock still holds back is tried again this often."""
_ACTIONS = {"off": Action.OFF, "on": Action.ON, "locked": Action.LOCK, "unlocked": Action.UNLOCK}
_HELD_BACK = frozenset({"too-soon", "interlocked"})


class LinkLoss:
    """Watches how long ago any gateway was heard. `now` is monotonic seconds."""

    def __init__(self, room: Room, after: float) -> None:
        self._room = room
        self._after = {
            device.id: device.config.link_loss_after or after
            for device in room.devices.values()
            if device.output is not None and device.config.on_link_loss in _ACTIONS
        }
        self._started = 0.0
        self._answered: dict[str, float] = {}
        self._again: dict[str, float] = {}

    def start(self, now: float) -> None:
        """Before the first heartbeat, the silence counts from the start."""
        self._started = now

    def deadline(self, last_heard: float | None) -> float | None:
        """When the next output will count the hub as lost; None once all have answered that."""
        since = self._since(last_heard)
        return min((at for id_ in self._after if (at := self._due(id_, since)) is not None), default=None)

    def tick(self, last_heard: float | None, now: float) -> list[Device]:
        """Obey the policies where it is time; returns the devices concerned."""
        since = self._since(last_heard)
        fallen = []
        for id_ in self._after:
            at = self._due(id_, since)
            if at is not None and now >= at and self._fall(self._room.devices[id_], since, now):
                fallen.append(self._room.devices[id_])
        return fallen

    def _due(self, id_: str, since: float) -> float | None:
        if self._answered.get(id_) != since:
            return since + self._after[id_]
        return self._again.get(id_)

    def _fall(self, device: Device, since: float, now: float) -> bool:
        """Whether it fell; what is held back is due again."""
        if self._answered.get(device.id) != since:
            log.warning("No gateway heard", extra=facts(device=device.id, policy=device.config.on_link_loss))
        self._answered[device.id] = since
        self._again.pop(device.id, None)
        action = _ACTIONS[device.config.on_link_loss]
        try:
            step = self._room.plan(device, action, None, now, safe=False, wear=False)
            self._room.move(device, step, now)
        except HomeError as error:
            if error.slug in _HELD_BACK:
                self._again[device.id] = now + AGAIN_SECONDS
                return False
            log.error("Policy cannot be obeyed", extra=facts(device=device.id, reason=error.detail))
        self._room.stand(device, By(source="failsafe"))
        self._room.remember(device)
        return True

    def _since(self, last_heard: float | None) -> float:
        return self._started if last_heard is None else last_heard
