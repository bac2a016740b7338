"""The room's audit events on their way to the alert service: spooled, sent, and sent again until receipted.

What cannot be spooled just now (a full disk, a safe action that went ahead) is owed and tried again; the loop calls
`tick` at its `deadline`.
"""

import logging
import time
from collections import deque
from collections.abc import Callable

from shared.proof.resend import WINDOW, Resender
from shared.proof.spool import Spool
from shared.running.log import facts
from shared.words import messages, topics
from shared.words.messages import AuditEvent
from shared.words.names import Severity
from shared.words.problem import HomeError

log = logging.getLogger(__name__)

GATHER_SECONDS = 0.03
"""So long does an ordinary event wait for others to travel with: nobody waits for it, and a busy room reads once."""
PATROL_SECONDS = 1.0
OWED_MOST = 1000
ANSWERS_AT_ONCE = 20
ANSWER_SECONDS = 0.1
"""What the alert service asks for goes out in portions: commands must not wait behind a week's events."""


class Proof:
    """Keeps one spool's events moving. `send` publishes one payload and tells whether there is a link.

    `failed` is told of every error that the spool meets. `monotonic`: the clock that `tick` is told of.
    """

    def __init__(
        self,
        spool: Spool,
        room: str,
        send: Callable[[str, bytes], bool],
        failed: Callable[[HomeError], None] = lambda _error: None,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._spool = spool
        self._failed = failed
        self._monotonic = monotonic
        self._topic = topics.audit(room)
        self._send = send
        self._resender = Resender()
        self._owed: deque[AuditEvent] = deque(maxlen=OWED_MOST)
        self._asked: deque[AuditEvent] = deque()
        self._linked = False
        self._is_full = False
        """Whether more may wait in the spool than may be under way."""
        self._due: float | None = 0.0

    def deadline(self) -> float | None:
        """When something is to be written or sent again; None while everything is receipted."""
        return self._due

    def wake(self, *events: AuditEvent) -> None:
        """The ledger takes these: ordinary ones go out together in a moment, and any other with the next tick."""
        if any(event.severity is not Severity.INFO for event in events):
            self._due = 0.0
        elif events:
            due = self._monotonic() + GATHER_SECONDS
            self._due = due if self._due is None else min(self._due, due)

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
        self.wake(*events)

    def mention(self, *events: AuditEvent) -> None:
        """Write what only happened: it stands in front of nothing, and what fails is left out."""
        try:
            self._spool.append(*events, durable=False)
        except HomeError as error:
            self._failed(error)
            log.warning("Happenings cannot be written", extra=facts(events=len(events), reason=error.detail))
        else:
            self.wake(*events)

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
        self._resender.told(receipt)
        try:
            self._spool.receipted(receipt)
        except HomeError as error:
            self._failed(error)
            raise
        if self._is_full:
            self._due = 0.0

    def resend(self, payload: bytes) -> None:
        """The alert service misses these. Raises HomeError where the wish cannot be read."""
        asked = messages.decode(messages.Resend, payload)
        self._resender.told(asked)
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
            due = self._resender.due(waiting, now)
            events = self._spool.numbered(due.seq)
        except HomeError as error:
            self._failed(error)
            log.warning("Audit events cannot be read", extra=facts(reason=error.detail))
            self._resender.reset()
            self._due = now + PATROL_SECONDS
            return
        for payload in self._resender.packed(events, again=due.again):
            if not self._send(self._topic, payload):
                self._resender.reset()
                break
        self._is_full = len(waiting) == WINDOW
        if waiting:
            self._due = now + PATROL_SECONDS
        portion = [self._asked.popleft() for _ in range(min(ANSWERS_AT_ONCE, len(self._asked)))]
        for payload in self._resender.packed(portion):
            self._send(self._topic, payload)
        if self._asked:
            self._due = now + ANSWER_SECONDS
