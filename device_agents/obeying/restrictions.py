"""What the hub forbids, lockdown and lock-outs: obeyed at once, and from the ledger should we start without the hub."""

import logging
from collections.abc import Callable

from device_agents.ledger.ledger import Ledger
from device_agents.room.room import Room
from shared.running.log import facts
from shared.words import messages
from shared.words.messages import Lockdown, Lockouts
from shared.words.problem import HomeError
from shared.words.topics import TopicKind

log = logging.getLogger(__name__)


class Restrictions:
    """The hub's last word. `lock_down` is told whether the home obeys safe actions only."""

    def __init__(self, room: Room, ledger: Ledger, lock_down: Callable[[bool], None]) -> None:
        self._room = room
        self._ledger = ledger
        self._lock_down = lock_down
        self._lockdown: Lockdown | None = None

    def recall(self) -> None:
        """At a start: what held last still holds."""
        for kind in (TopicKind.LOCKDOWN, TopicKind.LOCKOUTS):
            try:
                if (payload := self._ledger.noted(kind)) is not None:
                    self._obey(kind, payload)
            except HomeError as error:
                log.error("What the hub forbade cannot be recalled", extra=facts(what=kind, reason=error.detail))

    def hear(self, kind: TopicKind, payload: bytes) -> None:
        """The hub says it anew; an empty payload forbids nothing. Raises HomeError where it cannot be read or kept."""
        if self._obey(kind, payload):
            self._ledger.note(kind, payload)

    def _obey(self, kind: TopicKind, payload: bytes) -> bool:
        """False for a word that is too old to count."""
        if kind is TopicKind.LOCKDOWN:
            return self._obey_lockdown(messages.decode(Lockdown, payload) if payload else None)
        places = messages.decode(Lockouts, payload).devices if payload else ()
        own = (place.partition("/") for place in places)
        self._room.lock_out(device for room, _, device in own if room == self._room.name)
        return True

    def _obey_lockdown(self, told: Lockdown | None) -> bool:
        before, active = self._lockdown, told is not None and told.active
        if before is not None and before.active and told is not None and told.at < before.at:
            # A broker that was killed may come back with what it retained before: that ends no lockdown.
            log.warning("Older word on a lockdown left", extra=facts(told=told.at, began=before.at))
            return False
        self._lockdown = told
        self._lock_down(active)
        if active or (before is not None and before.active):
            log.warning("Lockdown", extra=facts(active=active))
        return True
