"""Carries a service's spooled audit events to the alert service until each is receipted (gateway and auth)."""

import asyncio
import contextlib
import itertools
import logging
from collections.abc import Container

from shared.broker.bus import Bus, Delivery
from shared.proof.resend import WINDOW, Resender
from shared.proof.spool import Spool
from shared.running.log import facts
from shared.running.seldom import Seldom
from shared.running.waiting import woken
from shared.words import messages, topics
from shared.words.problem import HomeError

log = logging.getLogger(__name__)

_PATROL_SECONDS = 1.0
_COMPLAINT_SECONDS = 60.0
_ROOM_FOR_MORE = WINDOW // 2
"""So many receipts are no reason to wait for the patrol: a busy house writes more events than a window a second."""
_FEW = 16
"""Where more are written in a moment, each message with fewer of them would cost every command."""
_FRESH_MOST = 5 * WINDOW
"""So many events that were just written are kept in memory until they go; of more, the older are read again."""


class Courier:
    """Publishes what waits in `spool` over `bus`: a window's worth under way, and more as receipts come.

    `wake` after an append has it looked at now; `carry` lets what is urgent pass the others. Whoever says what was
    `appended` spares it reading that again, and a few go now: who acts looks at the history.
    """

    def __init__(self, spool: Spool, bus: Bus) -> None:
        self._spool = spool
        self._bus = bus
        self._resender = Resender()
        self._woken = asyncio.Event()
        self._fresh: dict[int, messages.AuditEvent] = {}
        self._receipts: list[messages.Receipt] = []
        self._wanted: list[int] = []
        self._wanted_after: int | None = None
        self._complained = Seldom(_COMPLAINT_SECONDS, most=16)

    async def run(self) -> None:
        """Deliver until cancelled."""
        while True:
            # The timeout is the patrol: what another process appended, and what is due again.
            await woken(self._woken, _PATROL_SECONDS)
            self._woken.clear()
            try:
                await self._work()
            except HomeError as error:
                # A link that went away or a disk that fails: all is due when they are back.
                self._complain("Audit events wait", error)
                self._resender.reset()

    def wake(self) -> None:
        """Something was appended."""
        self._woken.set()

    def appended(self, events: tuple[messages.AuditEvent, ...]) -> None:
        """The spool has these now: a few go at once, and of many the patrol sends more together."""
        self._fresh |= {event.seq: event for event in events}
        for seq in list(itertools.islice(self._fresh, max(0, len(self._fresh) - _FRESH_MOST))):
            del self._fresh[seq]
        if len(self._fresh) <= _FEW:
            self._woken.set()

    def carry(self, events: tuple[messages.AuditEvent, ...]) -> None:
        """Publish these, fresh from the spool, ahead of all that waits; their receipt is awaited like any other."""
        with contextlib.suppress(HomeError):  # without a link they wait with the others
            self._send(events)

    def link_up(self) -> None:
        """The broker is back: what was under way may be lost, so all of it is due."""
        self._resender.reset()
        self._woken.set()

    def hear(self, delivery: Delivery) -> bool:
        """Take a receipt or a request to resend; False when the delivery is neither. Does not touch the disk."""
        topic = topics.parse(delivery.topic)
        if topic is None or topic.who != self._bus.identity:
            return False
        try:
            if topic.kind is topics.TopicKind.RECEIPT:
                receipt = messages.decode(messages.Receipt, delivery.payload)
                self._resender.told(receipt)
                self._receipts.append(receipt)
                if sum(len(one.events) for one in self._receipts) >= _ROOM_FOR_MORE:
                    self._woken.set()
            elif topic.kind is topics.TopicKind.RESEND:
                asked = messages.decode(messages.Resend, delivery.payload)
                self._resender.told(asked)
                self._wanted = [*self._wanted, *asked.seq][:WINDOW]
                self._wanted_after = asked.after if asked.after is not None else self._wanted_after
                self._woken.set()
            else:
                return False
        except HomeError as error:
            log.warning("Receipt cannot be used", extra=facts(reason=error))
        return True

    async def _work(self) -> None:
        receipts, self._receipts = self._receipts, []
        if receipts:
            together = messages.Receipt(events=tuple(line for receipt in receipts for line in receipt.events))
            try:
                await asyncio.to_thread(self._spool.receipted, together)
            except HomeError as error:
                # Their events are sent, and receipted, again.
                self._complain("Receipt cannot be kept", error)
        if not self._bus.connected:
            return
        await self._send_in_turns(await self._answer())
        waiting = await asyncio.to_thread(self._spool.waiting, WINDOW)
        due = self._resender.due(waiting, asyncio.get_running_loop().time())
        if due.seq:
            await self._send_in_turns(await self._numbered(due.seq), again=due.again)

    async def _numbered(self, seq: tuple[int, ...]) -> tuple[messages.AuditEvent, ...]:
        fresh = [self._fresh.pop(number) for number in seq if number in self._fresh]
        if len(fresh) == len(seq):
            return tuple(fresh)
        known = {event.seq for event in fresh}
        read = await asyncio.to_thread(self._spool.numbered, tuple(number for number in seq if number not in known))
        return tuple(sorted([*fresh, *read], key=lambda event: event.seq))

    def _complain(self, words: str, error: HomeError) -> None:
        """Each second it fails anew, for as long as it lasts: the log says so once a minute."""
        key, now = (words, error.slug), asyncio.get_running_loop().time()
        if self._complained.is_due(key, now):
            self._complained.said(key, now)
            log.warning(words, extra=facts(reason=error))

    async def _answer(self) -> tuple[messages.AuditEvent, ...]:
        """What the alert service asked for, a window's worth."""
        wanted, self._wanted = tuple(self._wanted), []
        after, self._wanted_after = self._wanted_after, None
        found = await asyncio.to_thread(self._spool.numbered, wanted) if wanted else ()
        if after is not None:
            found += await asyncio.to_thread(self._spool.following, after, WINDOW - len(found))
        return found

    def _send(self, events: tuple[messages.AuditEvent, ...]) -> None:
        for payload in self._resender.packed(events):
            self._publish(payload)

    async def _send_in_turns(self, events: tuple[messages.AuditEvent, ...], *, again: Container[int] = ()) -> None:
        """As `_send`; between two messages the loop is others', so that no command waits for a whole window."""
        for payload in self._resender.packed(events, again=again):
            self._publish(payload)
            await asyncio.sleep(0)

    def _publish(self, payload: bytes) -> None:
        sent = self._bus.send(topics.audit(self._bus.identity), payload)
        # PUBACK proves nothing here: only the receipt ends the resending.
        sent.add_done_callback(lambda future: future.cancelled() or future.exception())
