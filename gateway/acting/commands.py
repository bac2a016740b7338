"""Carries permitted commands to the rooms and waits for their word (docs/flow.md).

Nobody is told "executed" without an acknowledgement that says so. A flight that has begun is finished and recorded
even when the caller goes away.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from functools import partial
from typing import Protocol

from gateway.acting.flights import Flight, Flights
from gateway.acting.patience import Patience
from gateway.acting.proof import Proof
from gateway.acting.verdicts import EXPIRED, ID_USED, Executed, Verdict, answer, verdict_of
from gateway.acting.wish import Wish
from gateway.picture.home import Home
from shared.broker.mqtt import NO_MATCHING_SUBSCRIBERS
from shared.running.log import facts
from shared.running.seldom import Seldom
from shared.words import messages, topics
from shared.words.messages import COMMAND_SECONDS, Acknowledgement, Command
from shared.words.names import Outcome, Severity
from shared.words.problem import HomeError

log = logging.getLogger(__name__)

WAIT_SECONDS = 6.5
"""Longer than a command may live, so that a refusal as expired still arrives."""
REUSED_SECONDS = 60.0
"""A user who repeats ids has this told once in so long: each is refused, but the letters are not the user's to fill."""
REPEATED = "repeated"
"""In an event's detail: the wish had come by another way before, and nothing moved this time."""
_REUSERS = 1024
_REFUSED_FROM = 128


class Broker(Protocol):
    """What is needed of shared.broker.bus.Bus; the tests have one without a socket."""

    identity: str

    @property
    def connected(self) -> bool:
        """Whether a command published now would go out."""

    def post(
        self, topic: str, payload: bytes, *, expiry: float | None, confirmed: Callable[[int | None], None]
    ) -> None:
        """Publish now or raise HomeError("broker-unreachable"); `confirmed` hears PUBACK's reason code, None: lost."""


class Commands:
    """The commands under way. `before_send` runs before each publish, `on_unknown` for each lost without an answer."""

    def __init__(
        self,
        broker: Broker,
        home: Home,
        proof: Proof,
        *,
        before_send: Callable[[], None],
        on_unknown: Callable[[Wish, str], None],
        wait_seconds: float = WAIT_SECONDS,
        now: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._broker = broker
        self._home = home
        self._proof = proof
        self._before_send = before_send
        self._on_unknown = on_unknown
        self._now = now
        self._wall = wall
        self._reused = Seldom(REUSED_SECONDS, most=_REUSERS)
        self._flights = Flights()
        self._waiting: dict[Flight, list[asyncio.Future[Verdict]]] = {}
        self._patience: Patience[Flight] = Patience(
            wait_seconds,
            is_over=lambda flight: flight.verdict is not None,
            overdue=lambda flight: self._give_up(flight, "no-answer"),
        )
        self._proving: set[asyncio.Task[None]] = set()

    async def execute(self, wish: Wish) -> Executed:
        """Have the wish carried out, or join it if it is under way already, or answer as it was answered before.

        Raises HomeError with the members id, outcome and reason: room-offline, broker-unreachable, no-proof (nothing
        was sent), id-reused, what the room refused it for, expired or unknown.
        """
        try:
            flight = self._flights.under_way(wish)
        except HomeError:
            self._note_reuse(wish)
            raise
        if flight is None:
            if (known := self._flights.answer(wish.id)) is not None:
                return answer(wish.id, known)
            flight = self._begin(wish)
        if flight.verdict is None:
            # Each caller waits alone, and may go away; the flight goes on and is recorded.
            waiting: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()
            self._waiting[flight].append(waiting)
            verdict = await waiting
        else:
            verdict = flight.verdict
        return answer(wish.id, verdict)

    def knows(self, command_id: str) -> bool:
        """Whether `execute` would join or repeat what came of this id before, and begin nothing."""
        return self._flights.knows(command_id)

    def hear(self, room: str, device: str, said: Acknowledgement) -> None:
        """An acknowledgement; one that nobody waits for any more is left alone, its state flows all the same."""
        flight = self._flights.waiting_for(said.id, room, device)
        if flight is None:
            return
        if said.outcome in (Outcome.ASKED, Outcome.UNKNOWN):
            log.warning("Acknowledgement cannot be used", extra=facts(room=room, outcome=said.outcome))
            return
        self._flights.settle(flight, verdict_of(said, self._home.state(room, device)))

    def lose_room(self, room: str) -> None:
        """The room went or started anew: what was sent to it may or may not have been done."""
        for flight in self._flights.sent_to(room):
            self._give_up(flight, "room-offline")

    def lose_all(self, reason: str) -> None:
        """Our link is gone, or we stop: no answer will come."""
        for flight in self._flights.sent_to():
            self._give_up(flight, reason)

    async def settled(self) -> None:
        """Wait until no intent is being written any more."""
        while self._proving:
            await asyncio.wait(self._proving)

    def away(self, room: str) -> str | None:
        """Why nothing can be sent to a room, as a problem; None where it is there.

        All rooms go with the broker, and then none of them is to be looked at.
        """
        if self._home.status(room) == "online":
            return None
        return "room-offline" if self._broker.connected else "broker-unreachable"

    def _begin(self, wish: Wish) -> Flight:
        late = not wish.safe and self._wall() - wish.issued_at > COMMAND_SECONDS
        if not late and (away := self.away(wish.device.room)) is not None:
            raise HomeError(away, id=wish.id)
        begun = self._flights.begun(wish.id)
        flight = self._flights.begin(wish, self._settled)
        self._waiting[flight] = []
        if wish.recall:
            flight.recall = True
            self._send(flight)
            return flight
        if not late and self._refused_by_lockdown(flight):
            return flight
        if wish.device.critical and not wish.safe:
            task = asyncio.create_task(self._prove_and_send(flight, late=late), name="prove command")
            self._proving.add(task)
            task.add_done_callback(self._proving.discard)
        elif late and not begun:
            self._flights.settle(flight, EXPIRED)
        else:
            flight.recall = late
            if wish.device.critical and not begun:
                # Of one that was sent before and never answered this is told already: the letter has who asked.
                self._proof.note(self._proof.event(wish, Outcome.ASKED))
            self._send(flight)
        return flight

    async def _prove_and_send(self, flight: Flight, *, late: bool) -> None:
        try:
            written = await self._proof.intent(flight.wish, late=late, again=flight.claimed)
        except HomeError as error:
            outcome = None
            if error.slug == "id-reused":
                self._note_reuse(flight.wish)
                outcome = Outcome.REJECTED
            self._flights.settle(flight, Verdict(outcome=outcome, slug=error.slug, detail=error.detail))
        except BaseException:
            # Stopping, or a fault of ours: whoever waits gets an answer, and nothing was sent.
            self._flights.settle(flight, Verdict(outcome=None, slug="no-proof"))
            raise
        else:
            if written.is_late:
                self._flights.settle(flight, EXPIRED)
            else:
                flight.recall = written.is_used
                flight.claimed = not written.is_used
                self._send(flight)

    def _send(self, flight: Flight) -> None:
        wish = flight.wish
        if (away := self.away(wish.device.room)) is not None:
            self._flights.settle(flight, Verdict(outcome=None, slug=away))
            return
        if self._refused_by_lockdown(flight):  # it began while the intent was written
            return
        command = Command(
            action=wish.action,
            value=wish.value,
            id=wish.id,
            issued_at=messages.utc(self._issued(wish)),
            user=wish.user,
            origin=wish.origin,
            recall=flight.recall,
        )
        topic = topics.command(wish.device.room, wish.device.id, self._broker.identity)
        try:
            self._before_send()
            self._broker.post(
                topic, messages.encode(command), expiry=Command.EXPIRY, confirmed=partial(self._confirmed, flight)
            )
        except HomeError as error:
            self._flights.settle(flight, Verdict(outcome=None, slug=error.slug, detail=error.detail))
            return
        flight.sent = True
        self._patience.wait_for(flight)

    def _issued(self, wish: Wish) -> float:
        """A safe action is never too late: an old one counts from now, or its room would let it expire."""
        now = self._wall()
        return now if wish.safe and now - wish.issued_at > COMMAND_SECONDS else wish.issued_at

    def _refused_by_lockdown(self, flight: Flight) -> bool:
        """The rooms would refuse it too; but what is not sent cannot go wrong."""
        if flight.wish.safe or flight.recall or not self._home.lockdown.active:
            return False
        self._flights.settle(flight, Verdict(outcome=Outcome.REJECTED, slug="lockdown"))
        return True

    def _confirmed(self, flight: Flight, code: int | None) -> None:
        """PUBACK came, or never will."""
        if code is None:
            self._give_up(flight, "link-lost")
        elif code == NO_MATCHING_SUBSCRIBERS:
            self._flights.settle(flight, Verdict(outcome=None, slug="room-offline"))
        elif code >= _REFUSED_FROM:
            log.error("Broker refused a command", extra=facts(room=flight.wish.device.room, code=code))
            detail = f"The broker refused the command (reason code {code}); nothing was sent."
            self._flights.settle(flight, Verdict(outcome=None, slug="broker-unreachable", detail=detail))

    def _give_up(self, flight: Flight, reason: str) -> None:
        verdict = Verdict(outcome=Outcome.UNKNOWN, slug="unknown", reason=reason)
        if self._flights.settle(flight, verdict):
            self._on_unknown(flight.wish, reason)

    def _settled(self, flight: Flight, verdict: Verdict) -> None:
        """Whatever the way a flight ended: answer, record."""
        for waiting in self._waiting.pop(flight):
            if not waiting.done():
                waiting.set_result(verdict)
        self._record(flight, verdict)

    def _note_reuse(self, wish: Wish, reason: str = "id-reused", severity: Severity | None = Severity.SECURITY) -> None:
        now, key = self._now(), f"{reason} {wish.user.id}"
        if self._reused.is_due(key, now):
            self._proof.note(self._proof.event(wish, Outcome.REJECTED, reason=reason, severity=severity))
            self._reused.said(key, now)

    def _record(self, flight: Flight, verdict: Verdict) -> None:
        """What the room records itself is its own; what never reached it, and all the rest, is ours to record."""
        wish = flight.wish
        if verdict.slug == "id-reused":
            return  # noted already, once in a while
        if flight.recall:
            if verdict.reason == ID_USED:
                self._note_reuse(wish, ID_USED, severity=None)
        elif verdict.outcome is None or not flight.sent:
            if wish.device.critical:
                outcome = Outcome.EXPIRED if verdict.outcome is Outcome.EXPIRED else Outcome.REJECTED
                self._proof.note(self._proof.event(wish, outcome, reason=verdict.slug))
        elif wish.device.critical and verdict.repeated:
            # Another gateway's wish, which the room has answered and recorded: ours is told to end like that one.
            self._proof.note(self._proof.event(wish, verdict.outcome, reason=REPEATED))
        elif not wish.device.room_proves:
            self._proof.note(self._proof.event(wish, verdict.outcome, reason=verdict.reason))
