"""What this gateway leaves as proof: audit events into its durable spool, from which the courier carries them.

A critical command's intent is on disk before anything is sent (`intent`); everything else is gathered and written a
few times a second, off the path of the commands (`note`), and kept in memory until it could be written. Pages say when
nothing can be written (`writable`), which `watch` finds out without anybody's command.
"""

import asyncio
import logging
import time
from collections.abc import Callable

from gateway.acting.used import Used, Written
from gateway.acting.wish import Wish
from shared.proof.spool import Spool
from shared.running import backoff, ids
from shared.running.log import facts
from shared.words import messages
from shared.words.messages import AuditEvent, Who
from shared.words.names import Outcome, Severity
from shared.words.problem import HomeError

log = logging.getLogger(__name__)

GATHER_SECONDS = 0.2
INTENT_SECONDS = 3.0
"""A disk that takes longer than this to write an intent counts as one that cannot."""
WATCH_SECONDS = 5.0
SPARSE_BYTES = 1024 * 1024
"""A disk with less than this is tried by writing: looking costs no wear, so that it is all that is done otherwise."""
_HELD_EVENTS = 20_000


class Proof:
    """Writes audit events for `issuer`; `written` gets them then, and `urgent` those that must not wait for others."""

    def __init__(
        self,
        spool: Spool,
        *,
        issuer: str,
        urgent: Callable[[tuple[AuditEvent, ...]], None],
        written: Callable[[tuple[AuditEvent, ...]], None] = lambda _events: None,
    ) -> None:
        self._spool = spool
        self._used = Used(spool)
        self._issuer = issuer
        self._urgent, self._written = urgent, written
        self._gathered: list[AuditEvent] = []
        self._some = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None
        self.writable = True

    def event(
        self, wish: Wish, outcome: Outcome, *, reason: str | None = None, severity: Severity | None = None
    ) -> AuditEvent:
        """What there is to record about a command."""
        detail: dict[str, str] = {"reason": reason} if reason is not None else {}
        if wish.value is not None:
            detail["value"] = str(wish.value)
        if wish.token:
            detail["token"] = wish.token
        if wish.partner is not None:
            detail |= {"user": wish.partner.name, "partner": wish.partner.id}
        if wish.due is not None:
            detail["due"] = wish.due.isoformat()
        return AuditEvent(
            id=ids.long(),
            at=messages.utc(time.time()),
            what=f"device:{wish.action}",
            where=f"{wish.device.room}/{wish.device.id}",
            who=Who(issuer=self._issuer, user=wish.user, address=wish.origin),
            command_id=wish.id,
            outcome=outcome,
            severity=severity or (Severity.CRITICAL if wish.device.critical else Severity.INFO),
            detail=detail,
        )

    async def intent(self, wish: Wish, *, late: bool = False, again: bool = False) -> Written:
        """Write, and sync to disk, that a critical command was asked for; what came of it.

        Nothing is written where the id was used before, or where a new wish comes too `late`. `again`: it was refused
        here, and nothing sent. Raises HomeError("no-proof"), or id-reused where the id belongs to another wish.
        """
        event = self.event(wish, Outcome.ASKED)
        try:
            async with asyncio.timeout(INTENT_SECONDS):
                written = await asyncio.to_thread(self._used.claim, wish, event, late=late, again=again)
        except TimeoutError:
            self._found(writable=False)
            raise HomeError("no-proof", "the disk took too long to write the intent") from None
        except HomeError as error:
            if error.slug == "no-proof":
                self._found(writable=False, reason=error.detail)
            raise
        self._found(writable=True)
        self._urgent(written.events)
        return written

    def note(self, event: AuditEvent) -> None:
        """Have an event written soon."""
        if len(self._gathered) >= _HELD_EVENTS:
            log.error("Audit event dropped: too many wait for the disk", extra=facts(what=event.what, id=event.id))
            return
        self._gathered.append(event)
        self._some.set()

    async def run(self) -> None:
        """Write what was noted until cancelled, and the rest on the way out."""
        attempt = 0
        try:
            while True:
                await self._some.wait()
                await asyncio.sleep(GATHER_SECONDS if attempt == 0 else backoff.delay(attempt, first=GATHER_SECONDS))
                attempt = 0 if await self._write() else attempt + 1
        finally:
            self._write_now(self._take())

    async def watch(self) -> None:
        """Look after the spool's disk until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(WATCH_SECONDS)

    async def look(self) -> bool:
        """Whether proof can be written; a disk that failed, or is all but full, is tried by writing."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look(), name="look at the disk")
        # One at a time, whoever gives up waiting: a disk that hangs would keep a thread for each.
        await asyncio.shield(self._looking)
        return self.writable

    async def _look(self) -> None:
        try:
            if not self.writable or await asyncio.to_thread(self._spool.space) < SPARSE_BYTES:
                await asyncio.to_thread(self._spool.probe)
        except HomeError as error:
            self._found(writable=False, reason=error.detail)
        else:
            self._found(writable=True)

    def _found(self, *, writable: bool, reason: str = "") -> None:
        if writable != self.writable:
            self.writable = writable
            if writable:
                log.info("Proof can be written again")
            else:
                log.error("No proof can be written: critical actions are refused", extra=facts(reason=reason or "-"))

    async def _write(self) -> bool:
        events = self._take()
        writing = asyncio.ensure_future(asyncio.to_thread(self._append, events))
        try:
            written = await asyncio.shield(writing)
        except asyncio.CancelledError:
            await asyncio.wait({writing})  # half a second at most; the thread would go on without us anyway
            raise
        except HomeError as error:
            log.error("Audit events cannot be written yet", extra=facts(events=len(events), reason=error))
            self._found(writable=False, reason=error.detail)
            self._gathered[:0] = events
            self._some.set()
            return False
        self._found(writable=True)
        self._urgent(tuple(event for event in written if event.severity is not Severity.INFO))
        self._written(tuple(event for event in written if event.severity is Severity.INFO))
        return True

    def _take(self) -> list[AuditEvent]:
        events, self._gathered = self._gathered, []
        self._some.clear()
        return events

    def _append(self, events: list[AuditEvent]) -> tuple[AuditEvent, ...]:
        return self._spool.append(*events, durable=any(event.severity is not Severity.INFO for event in events))

    def _write_now(self, events: list[AuditEvent]) -> None:
        if not events:
            return
        try:
            self._append(events)
        except HomeError as error:
            log.error("Audit events are lost", extra=facts(events=len(events), reason=error))
