"""Audit events of accounts, sessions and certificates: built here, appended to auth's spool, carried by the courier."""

import asyncio
import logging
import uuid
from collections import deque
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import NamedTuple

from shared.proof.spool import Spool
from shared.running.log import facts
from shared.words.messages import AuditEvent, Who
from shared.words.names import Outcome, Severity
from shared.words.problem import HomeError

log = logging.getLogger(__name__)

OWED_MOST = 1000


class Happened(NamedTuple):
    """One of several things that happened at once, by the same hand."""

    what: str
    where: str
    detail: dict[str, str]


class Proof:
    """Writes events to `spool`; `wake` tells the courier, where one runs in this process.

    `synced`: ordinary events, too, wait until the disk has them.
    """

    def __init__(
        self,
        spool: Spool,
        *,
        now: Callable[[], datetime],
        wake: Callable[[], None] | None = None,
        synced: bool = False,
    ) -> None:
        self._synced = synced
        self._spool = spool
        self._now = now
        self._wake = wake
        self._owed: deque[AuditEvent] = deque(maxlen=OWED_MOST)

    async def write(
        self,
        what: str,
        where: str,
        who: Who,
        *,
        severity: Severity = Severity.INFO,
        outcome: Outcome = Outcome.EXECUTED,
        detail: dict[str, str] | None = None,
    ) -> None:
        """Append one event; a critical or security event waits until the disk has it.

        Raises HomeError("no-proof") when it cannot be written.
        """
        await self._append(self._event(what, where, who, severity, outcome, detail))
        await self.write_owed()

    async def write_together(self, happened: Iterable[Happened], who: Who) -> None:
        """Append ordinary events of one cause, all of them or none. Raises HomeError("no-proof")."""
        events = [
            self._event(one.what, one.where, who, Severity.INFO, Outcome.EXECUTED, one.detail) for one in happened
        ]
        if events:
            await self._append(*events)
        await self.write_owed()

    async def write_or_owe(
        self,
        what: str,
        where: str,
        who: Who,
        *,
        severity: Severity,
        outcome: Outcome = Outcome.EXECUTED,
        detail: dict[str, str] | None = None,
    ) -> None:
        """Append an event of what must go on whatever the disk says; what cannot be written yet is owed."""
        self._owed.append(self._event(what, where, who, severity, outcome, detail))
        await self.write_owed()

    async def write_owed(self) -> None:
        """Append what is owed, the oldest first, as far as that can be done now."""
        while self._owed:
            event = self._owed.popleft()
            try:
                await self._append(event)
            except HomeError as error:
                log.error("Event not recorded yet", extra=facts(what=event.what, where=event.where, reason=error))
                self._owed.appendleft(event)
                return

    async def note(self, what: str, where: str, who: Who, severity: Severity = Severity.INFO, /, **detail: str) -> None:
        """Append an event of what must go on even if it cannot be recorded; then the log alone has it."""
        try:
            await self.write(what, where, who, severity=severity, detail=detail)
        except HomeError as error:
            log.error("Event not recorded", extra=facts(what=what, where=where, reason=error))

    @property
    def owes(self) -> bool:
        """Whether events still wait for room on the disk."""
        return bool(self._owed)

    async def _append(self, *events: AuditEvent) -> None:
        durable = self._synced or any(event.severity is not Severity.INFO for event in events)
        await asyncio.to_thread(lambda: self._spool.append(*events, durable=durable))
        if self._wake is not None:
            self._wake()

    def _event(
        self, what: str, where: str, who: Who, severity: Severity, outcome: Outcome, detail: dict[str, str] | None
    ) -> AuditEvent:
        return AuditEvent(
            id=str(uuid.uuid4()),
            at=self._now(),
            what=what,
            where=where,
            who=who,
            outcome=outcome,
            severity=severity,
            detail={name: value[:200] for name, value in (detail or {}).items()},
        )
