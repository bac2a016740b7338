"""Rooms on other machines ask for their next certificate over the broker; those that still live get it.

The signer signs it. The topic says who asks: the broker lets a room publish on no other. One request is done after the
other, and a room that asks without end keeps nobody else waiting.
"""

import asyncio
import hashlib
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Literal, NamedTuple, Protocol

from auth_service.home import identity_rows
from auth_service.proof import Proof
from shared.broker.bus import Bus, Delivery
from shared.keeping.database import Store
from shared.running.log import facts
from shared.running.seldom import Seldom
from shared.words import messages, topics
from shared.words.messages import Who
from shared.words.names import Outcome, Severity, is_identity
from shared.words.problem import HomeError
from shared.words.renewing import Certificate, Csr
from shared.words.topics import TopicKind

log = logging.getLogger(__name__)

ANSWER_SECONDS = 10.0
"""A room gets one answer in so long, whatever it sends."""
BUDGET = 4
BUDGET_TIME = timedelta(days=1)
"""A room needs a new certificate every two months, and another try where its card failed: so many a day are enough."""
FAILED_SECONDS = 600.0
"""After a try that failed nothing is signed for a room for so long: the signer may be away, or the room at fault."""
WAITING_MOST = 1024


class Sign(Protocol):
    """Has a signing request of a room's or a client's signed."""

    async def __call__(self, name: str, asked: Csr, *, role: Literal["room", "client"] = "room") -> Certificate:
        """The certificate, and which authorities are believed. Raises HomeError: the signer refuses, or is away."""


class _Answer(NamedTuple):
    asked: Csr
    certificate: Certificate


class Renewals:
    """Takes requests from the bus with `hear`, and answers them while `run` runs."""

    def __init__(self, store: Store, proof: Proof, sign: Sign, *, now: Callable[[], datetime]) -> None:
        self._store = store
        self._proof = proof
        self._sign = sign
        self._now = now
        self._waiting: dict[str, bytes] = {}
        self._woken = asyncio.Event()
        self._heard = Seldom(ANSWER_SECONDS, most=WAITING_MOST)
        self._failed = Seldom(FAILED_SECONDS, most=WAITING_MOST)
        self._told = Seldom(BUDGET_TIME.total_seconds(), most=WAITING_MOST)
        self._signed: dict[str, deque[datetime]] = {}
        self._answers: dict[str, _Answer] = {}

    def hear(self, delivery: Delivery) -> bool:
        """Take a request; False when the delivery is none. The last one of each room waits, and costs nothing yet."""
        topic = topics.parse(delivery.topic)
        if topic is None or topic.kind is not TopicKind.CSR:
            return False
        # A retained one is of nobody who is waiting for an answer.
        if not delivery.retained and is_identity(topic.room):
            if topic.room in self._waiting or len(self._waiting) < WAITING_MOST:
                self._waiting[topic.room] = delivery.payload
            self._woken.set()
        return True

    async def run(self, bus: Bus) -> None:
        """Answer until cancelled."""
        while True:
            await self._woken.wait()
            self._woken.clear()
            while self._waiting:
                room = next(iter(self._waiting))
                payload = self._waiting.pop(room)
                now = self._now().timestamp()
                if not self._heard.is_due(room, now):
                    continue
                self._heard.said(room, now)
                try:
                    await self.answer(room, payload, bus.publish)
                except HomeError as error:
                    # The room asks again by itself.
                    log.warning("Certificate not renewed", extra=facts(room=room, reason=error))

    async def answer(
        self, room: str, payload: bytes, publish: Callable[[str, messages.Message], Awaitable[int]]
    ) -> None:
        """Answer one request.

        Raises HomeError: malformed, not-found, rate-limited, no-proof, or what the signer says.
        """
        asked = messages.decode(Csr, payload)
        async with self._store.read() as connection:
            identity = await identity_rows.find(connection, room)
        if identity is None or identity.role != "room" or identity.revoked_at is not None:
            raise HomeError("not-found", f"There is no room {room}, or it was revoked.")
        known = self._answers.get(room)
        if known is None or known.asked != asked:
            known = self._answers[room] = _Answer(asked, await self._renew(room, asked))
        await publish(topics.certificate(room), known.certificate)

    async def _renew(self, room: str, asked: Csr) -> Certificate:
        if not self._failed.is_due(room, self._now().timestamp()):
            raise HomeError("rate-limited", f"Room {room} asks again too soon after a try that failed.")
        await self._spend(room)
        where, who = f"room/{room}", Who(issuer=room)
        detail = {"request": hashlib.sha256(asked.csr.encode()).hexdigest()[:16]}
        await self._proof.write("certificate:renewed", where, who, detail=detail)
        try:
            return await self._sign(room, asked)
        except HomeError as error:
            self._signed[room].pop()
            self._failed.said(room, self._now().timestamp())
            failed = detail | {"reason": error.slug}
            await self._proof.write("certificate:renewed", where, who, outcome=Outcome.FAILED, detail=failed)
            raise

    async def _spend(self, room: str) -> None:
        """One of the room's few signatures of a day. Raises HomeError("rate-limited"), and tells the owner once."""
        now, spent = self._now(), self._signed.setdefault(room, deque())
        while spent and not timedelta(0) <= now - spent[0] < BUDGET_TIME:
            spent.popleft()
        if len(spent) >= BUDGET:
            if self._told.is_due(room, now.timestamp()):
                await self._proof.write(
                    "certificate:refused",
                    f"room/{room}",
                    Who(issuer=room),
                    severity=Severity.SECURITY,
                    outcome=Outcome.REJECTED,
                    detail={"reason": "rate-limited", "count": str(BUDGET)},
                )
                self._told.said(room, now.timestamp())
            raise HomeError("rate-limited", f"Room {room} asked for {BUDGET} certificates within a day.")
        spent.append(now)
