"""The room's next certificate: asked for while a request waits beside the pair, tried, and given up where it fails.

The disk has a thread of its own, as it may take longer than a pulse. What the request asks for is made elsewhere
(deploy/room-renew.sh, by a timer), so that the agent needs no more than what connects it.
"""

import logging
import threading
from collections.abc import Callable
from typing import NamedTuple

from device_agents.link.link import Link
from device_agents.link.pair import Pair
from shared.running import backoff
from shared.running.log import facts
from shared.words import messages, topics
from shared.words.problem import HomeError
from shared.words.renewing import Authorities, Certificate, Csr
from shared.words.topics import TopicKind

log = logging.getLogger(__name__)

LOOK_SECONDS = 60.0
SOON_SECONDS = 10.0
"""So often a request is looked for once others are believed than the room does."""
ASK_FIRST_SECONDS, ASK_MOST_SECONDS = 60.0, 3600.0
TRIES = 3
"""So often a new pair may fail to connect before the old one is taken again, which is good for weeks yet."""


class Renewed(NamedTuple):
    """The new pair lies in its place, or `fault` says why not."""

    fault: str | None


class Renewal:
    """Speaks while there is a link. `now` is monotonic seconds; `put` leaves an item for the loop."""

    def __init__(self, pair: Pair, room: str, link: Link, put: Callable[[Renewed], None]) -> None:
        self._pair = pair
        self._room = room
        self._link = link
        self._put = put
        self._thread: threading.Thread | None = None
        self._look_at = 0.0
        self._ask_at = 0.0
        self._asked: str | None = None
        self._attempt = 0
        self._tried = self._connected = False
        self._told: Authorities | None = None
        self._behind = False

    def deadline(self) -> float:
        """When to look again."""
        return self._look_at

    def born(self, now: float) -> None:
        """A link has come about: with a new pair, that was its proof. What waits is asked for at once."""
        self._connected = True
        self._look_at = self._ask_at = now

    def tick(self, now: float) -> None:
        """Ask where it is time; go back to the old pair where the new one does not connect."""
        if not self._busy:
            self._judge()
        if not self._busy:
            self._follow(now)
        if now < self._look_at:
            return
        self._look_at = now + (SOON_SECONDS if self._behind else LOOK_SECONDS)
        if not self._link.up or self._busy or (csr := self._pair.request()) is None:
            return
        if csr != self._asked:
            self._asked, self._attempt, self._ask_at = csr, 0, now
        if now >= self._ask_at:
            self._link.publish(topics.csr(self._room), messages.encode(Csr(csr=csr, follows=True)))
            self._ask_at = now + backoff.delay(self._attempt, first=ASK_FIRST_SECONDS, most=ASK_MOST_SECONDS)
            self._attempt += 1
            self._look_at = min(self._look_at, self._ask_at)

    def hear(self, kind: TopicKind, payload: bytes) -> None:
        """The certificate came, or the word which authorities are believed, as at every connection and every change.

        Raises HomeError("malformed"). `Renewed` follows once the disk has a certificate.
        """
        if kind is TopicKind.AUTHORITIES:
            self._told = messages.decode(Authorities, payload)
            return
        answer = messages.decode(Certificate, payload)
        if self._busy or self._asked is None:
            return  # nobody here asked, or the same answer twice

        def take() -> None:
            fault = None
            try:
                self._pair.take(answer)
            except (HomeError, OSError) as error:
                fault = error.detail if isinstance(error, HomeError) else str(error)
            self._put(Renewed(fault))

        self._apart(take)

    def took(self, renewed: Renewed) -> None:
        """The disk is done; the link finds the new pair by itself, in a quiet moment."""
        if renewed.fault is not None:
            log.error("New certificate cannot be used", extra=facts(room=self._room, reason=renewed.fault))
            return
        log.info("Certificate renewed", extra=facts(room=self._room))
        self._asked, self._behind = None, False

    def _judge(self) -> None:
        """Whether the new pair has shown that it connects, or that it does not; asked once for each link and loss."""
        if self._connected:
            self._connected = self._tried = False
            if self._link.up and self._pair.is_new:
                if self._link.newest == "taken":
                    self._settle()
                elif self._link.newest == "refused":
                    self._go_back()
        elif not self._link.up and self._link.failures >= TRIES and not self._tried:
            self._tried = True
            if self._pair.is_new:
                self._go_back()

    def _follow(self, now: float) -> None:
        """Ask before the time where others are believed than the room does: deploy/room-renew.sh makes the request."""
        if (told := self._told) is None:
            return
        self._told = None
        self._look_at = min(self._look_at, now + SOON_SECONDS)

        def look() -> None:
            try:
                due = self._pair.is_behind(told)
            except HomeError as error:
                log.error("Authorities cannot be read", extra=facts(room=self._room, reason=error.detail))
                return
            if due:
                log.info("Another authority is to be believed", extra=facts(room=self._room))
            self._pair.ask_early(due=due)
            self._behind = due

        self._apart(look)

    def _settle(self) -> None:
        log.info("New certificate works", extra=facts(room=self._room))
        self._apart(self._pair.settle)

    def _go_back(self) -> None:
        log.error("New certificate does not connect: the old one is used again", extra=facts(room=self._room))
        self._apart(self._pair.go_back)

    @property
    def _busy(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _apart(self, work: Callable[[], None]) -> None:
        def guarded() -> None:
            try:
                work()
            except OSError as error:
                log.error("Certificate's files cannot be changed", extra=facts(room=self._room, reason=error))

        self._thread = threading.Thread(target=guarded, name="renewal", daemon=True)
        self._thread.start()
