"""The room's audit events on their way to the alert service: spooled, sent, and sent again until receipted.

What cannot be spooled just now (a full disk, a safe action that went ahead) is owed and tried again; the loop calls
`tick` at its `deadline`.
"""

import logging
from collections import deque
from collections.abc import Callable

from shared.proof.resend import WINDOW, Resender
from shared.proof.spool import Spool
from shared.running.log import facts
from shared.words import messages, topics
from shared.words.messages import AuditEvent
from shared.words.problem import HomeError

log = logging.getLogger(__name__)

PATROL_SECONDS = 1.0
OWED_MOST = 1000
ANSWERS_AT_ONCE = 20
ANSWER_SECONDS = 0.1
"""What the alert service asks for goes out in portions: commands must not wait behind a week's events."""


class Proof:
    """Keeps one spool's events moving. `send` publishes one payload and tells whether there is a link.

    `failed` is told of every error that the spool meets.
    """

    def __init__(
        self,
        spool: Spool,
        room: str,
        send: Callable[[str, bytes], bool],
        failed: Callable[[HomeError], None] = lambda _error: None,
    ) -> None:
        self._spool = spool
        self._failed = failed
        self._topic = topics.audit(room)
        self._send = send
        self._resender = Resender()
        self._owed: deque[AuditEvent] = deque(maxlen=OWED_MOST)
        self._asked: deque[AuditEvent] = deque()
        self._linked = False
        self._due: float | None = 0.0

    def deadline(self) -> float | None:
        """When something is to be written or sent again; None while everything is receipted."""
        return self._due

    def wake(self) -> None:
        """The ledger committed an event: it goes out with the next tick."""
        self._due = 0.0

    def turn_to(self, spool: Spool) -> None:
        """Another file has taken the place of the one in use; what was under way is sent again from there."""
        self._spool = spool
        self._resender.reset()
        self._asked.clear()
        self._due = 0.0

    def note(self, *events: AuditEvent) -> None:
        """Write events that nothing waits for; what fails is owed."""
        try:
            self._spool.append(*events, durable=False)
        except HomeError as error:
            self._failed(error)
            log.error("Audit event cannot be written yet", extra=facts(reason=error.detail))
            if len(self._owed) + len(events) > OWED_MOST:
                log.error("Audit events dropped: too many wait for the disk", extra=facts(events=len(events)))
            self._owed.extend(events)
        self._due = 0.0

    def link_up(self) -> None:
        """What was under way may be lost: all of it is due."""
        self._linked = True
        self._resender.reset()
        self._due = 0.0

    def link_down(self) -> None:
        """Nothing is sent until the link is back; the alert service asks again then."""
        self._linked = False
        self._asked.clear()

    def receipted(self, payload: bytes) -> None:
        """The alert service has recorded these. Raises HomeError for a receipt that cannot be read or kept."""
        receipt = messages.decode(messages.Receipt, payload)
        try:
            self._spool.receipted(receipt)
        except HomeError as error:
            self._failed(error)
            raise
        self._due = 0.0

    def resend(self, payload: bytes) -> None:
        """The alert service misses these. Raises HomeError where the wish cannot be read."""
        asked = messages.decode(messages.Resend, payload)
        try:
            found = self._spool.numbered(asked.seq[:WINDOW])
            if asked.after is not None:
                found += self._spool.following(asked.after, WINDOW - len(found))
        except HomeError as error:
            self._failed(error)
            raise
        self._asked.extend(found[: WINDOW - len(self._asked)])
        self._due = 0.0

    def tick(self, now: float) -> None:
        """Write what is owed, send what is due."""
        self._due = None
        while self._owed:
            try:
                self._spool.append(self._owed[0], durable=False)
            except HomeError as error:
                self._failed(error)
                self._due = now + PATROL_SECONDS
                break
            self._owed.popleft()
        if not self._linked:
            return
        try:
            waiting = self._spool.waiting(WINDOW)
            due = self._spool.numbered(self._resender.due(waiting, now))
        except HomeError as error:
            self._failed(error)
            log.warning("Audit events cannot be read", extra=facts(reason=error.detail))
            self._resender.reset()
            self._due = now + PATROL_SECONDS
            return
        for event in due:
            if not self._send(self._topic, messages.encode(event)):
                self._resender.reset()
                break
        if waiting:
            self._due = now + PATROL_SECONDS
        for _ in range(min(ANSWERS_AT_ONCE, len(self._asked))):
            self._send(self._topic, messages.encode(self._asked.popleft()))
        if self._asked:
            self._due = now + ANSWER_SECONDS
