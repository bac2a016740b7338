"""The room's word on commands: what is written into ledger and spool about each, and what its issuer is told.

A command under an id that was used before is answered as it was answered then (promise 3). What the ledger cannot
take just now is kept in memory and written later.
"""

import logging
from collections.abc import Callable

import msgspec

from device_agents.devices.output import Memory
from device_agents.ids import made_id
from device_agents.ledger.ledger import Intent, Ledger
from device_agents.ledger.proof import Proof
from device_agents.obeying import wish
from device_agents.obeying.wish import Wish
from shared.running.log import facts
from shared.words import messages, topics
from shared.words.messages import Acknowledgement, AuditEvent, State, Who, utc
from shared.words.names import Outcome, Severity, is_gateway, is_identity
from shared.words.problem import HomeError
from shared.words.topics import Topic

log = logging.getLogger(__name__)

_UNWRITTEN_MOST = 1000

Publish = Callable[[str, bytes], bool]
"""topic, payload; False where there is no link."""


class _Outcome(msgspec.Struct, frozen=True):
    """What the ledger could not take yet; without `stands` it is a refusal."""

    intent: Intent
    answer: bytes
    stands: tuple[State, Memory] | None
    events: tuple[AuditEvent, ...]


class Answers:
    """Writes and speaks for one room."""

    def __init__(self, room: str, ledger: Ledger, proof: Proof, publish: Publish, wall: Callable[[], float]) -> None:
        self._room = room
        self._ledger = ledger
        self._proof = proof
        self._publish = publish
        self._wall = wall
        self._unwritten: dict[tuple[str, str], _Outcome] = {}

    @property
    def owes(self) -> bool:
        """Whether `write_late` has something to do."""
        return bool(self._unwritten)

    def may_have_forgotten(self, issued: float) -> bool:
        """Whether what was issued then (monotonic seconds) may have been obeyed, and the ledger lost that."""
        return issued < self._ledger.remembers_since

    def recover(self) -> frozenset[str]:
        """Answer what an earlier process left unfinished, once and for all; returns the devices concerned."""
        try:
            unfinished = self._ledger.unfinished()
        except HomeError as error:
            log.error("What was interrupted cannot be read", extra=facts(reason=error.detail))
            return frozenset()
        for intent in unfinished:
            log.warning("Command was interrupted", extra=facts(device=intent.device, command_id=intent.id))
            events = () if intent.owed is None else (intent.owed,)
            try:
                self._ledger.interrupted(intent, self._interrupted(intent.id), *events)
            except HomeError as error:  # it stays unfinished, and a repeat is answered alike nevertheless
                log.error("Interruption cannot be written yet", extra=facts(reason=error.detail))
        return frozenset(intent.device for intent in unfinished)

    def begin(self, wanted: Wish, *, synced: bool, asked: bool) -> Intent | None:
        """Commit what is about to be done, with an event that says so where `asked`; None where the id is known.

        Raises HomeError("ledger-failed").
        """
        if (wanted.party, wanted.id) in self._unwritten:
            return None
        intent = self.intent(wanted)
        events = (wish.event(wanted, Outcome.ASKED, self._wall()),) if asked else ()
        return intent if self._ledger.begin(intent, *events, synced=synced) else None

    def finish(self, wanted: Wish, intent: Intent, state: State, memory: Memory, failure: HomeError | None) -> bytes:
        """Commit how it ended, with its audit event; returns the acknowledgement to publish."""
        answer = messages.encode(wish.acknowledgement(wanted, failure, state, self._wall()))
        events: tuple[AuditEvent, ...] = ()
        if wanted.audited:
            events = (wish.event(wanted, wish.outcome_of(failure), self._wall(), reason=wish.slug_of(failure)),)
            self._proof.wake(*events)
        try:
            self._ledger.finish(intent, answer, state, memory, *events, synced=wanted.critical)
        except HomeError as error:
            log.error("Outcome cannot be written yet", extra=facts(reason=error.detail, command_id=wanted.id))
            self._owe(_Outcome(intent, answer, (state, memory), events))
        return answer

    def write_late(self) -> None:
        """Write outcomes that the ledger could not take when they were due."""
        for key, late in list(self._unwritten.items()):
            try:
                if late.stands is None:
                    self._ledger.refuse(late.intent, late.answer, *late.events)
                else:
                    self._ledger.finish(late.intent, late.answer, *late.stands, *late.events, synced=bool(late.events))
            except HomeError:
                return
            del self._unwritten[key]
            self._proof.wake(*late.events)

    def repeats(self, wanted: Wish, *, safe: bool) -> bool:
        """Answer a command that is known already as it was answered before; False when it is new.

        Where the ledger cannot even be read, only a safe action counts as new.
        """
        if wanted.command.id is None:
            return False
        late = self._unwritten.get((wanted.party, wanted.id))
        try:
            entry = self._ledger.find(wanted.party, wanted.id)
        except HomeError as error:
            log.error("Ledger cannot be read", extra=facts(reason=error.detail))
            if late is None and not safe:
                self.turn_away(wanted, error)
            return late is not None or not safe
        if late is not None:
            self._answer_again(wanted, late.intent.wish, late.answer)
        elif entry is not None:
            self._answer_again(wanted, entry.wish, entry.answer)
        return late is not None or entry is not None

    def refuse(self, wanted: Wish, why: HomeError) -> None:
        """Refuse, and remember it where the issuer could repeat it: a repeat is answered alike."""
        answer = messages.encode(wish.acknowledgement(wanted, why, None, self._wall()))
        events = self._refusal_events(wanted, why)
        if wanted.command.id is not None:
            intent = self.intent(wanted)
            try:
                self._ledger.refuse(intent, answer, *events)
            except HomeError as error:
                log.error("Refusal cannot be written yet", extra=facts(reason=error.detail, command_id=wanted.id))
                self._owe(_Outcome(intent, answer, None, events))
            self._proof.wake(*events)
        elif events:
            self._proof.note(*events)
        self.say(wanted, answer)

    def turn_away(self, wanted: Wish, why: HomeError) -> None:
        """Refuse what is not even a command for us, or cannot be remembered: its id stays free."""
        log.info("Command turned away", extra=facts(device=wanted.device, issuer=wanted.issuer, reason=why.slug))
        if events := self._refusal_events(wanted, why):
            self._proof.note(*events)
        self.deny(wanted, why)

    def deny(self, wanted: Wish, why: HomeError) -> None:
        """Answer what asked for nothing to be done: there is nothing to record, and its id stays free."""
        self.say(wanted, messages.encode(wish.acknowledgement(wanted, why, None, self._wall())))

    def unreadable(self, topic: Topic, payload: bytes, error: HomeError) -> None:
        """Refuse what is no command at all, under its id if it has one."""
        log.info("Command cannot be read", extra=facts(device=topic.device, issuer=topic.who, reason=error.detail))
        id_ = wish.id_in(payload) or made_id()
        if not is_gateway(topic.who):
            event = AuditEvent(
                id=made_id(),
                at=utc(self._wall()),
                what="device:command",
                where=f"{self._room}/{topic.device[:64]}",
                who=Who(issuer=topic.who),
                outcome=Outcome.REJECTED,
                severity=Severity.INFO,
                command_id=id_,
                detail={"reason": error.slug},
            )
            self._proof.note(event)
        refusal = Acknowledgement(
            id=id_, outcome=Outcome.REJECTED, at=utc(self._wall()), reason=error.slug, detail=error.detail[:200]
        )
        self._say(topic.device, messages.encode(refusal))

    def say(self, wanted: Wish, answer: bytes) -> None:
        """Publish an acknowledgement; a button of the room's own waits for none."""
        if not wanted.button:
            self._say(wanted.device, answer)

    def intent(self, wanted: Wish) -> Intent:
        """What the ledger is told of a command before it is done."""
        owed = None
        if wanted.audited:
            owed = wish.event(wanted, Outcome.FAILED, self._wall(), reason="interrupted")
        return Intent(
            party=wanted.party,
            id=wanted.id,
            begun=self._wall(),
            device=wanted.device,
            wish=wanted.fingerprint,
            owed=owed,
        )

    def _say(self, device: str, answer: bytes) -> None:
        if is_identity(device):  # a topic's level may hold anything; we repeat no such thing
            self._publish(topics.acknowledgement(self._room, device), answer)

    def _owe(self, outcome: _Outcome) -> None:
        if len(self._unwritten) < _UNWRITTEN_MOST:
            self._unwritten[outcome.intent.party, outcome.intent.id] = outcome

    def _answer_again(self, wanted: Wish, known: str, answer: bytes | None) -> None:
        if known != wanted.fingerprint:
            self.turn_away(wanted, HomeError("id-reused"))
        else:
            # Without an answer it was interrupted, and the ledger could not be told so; or a card spoilt the answer.
            given = answer if answer and _answers(answer, wanted.id) else self._interrupted(wanted.id)
            again = msgspec.structs.replace(messages.decode(Acknowledgement, given), repeated=True)
            self.say(wanted, messages.encode(again))

    def _refusal_events(self, wanted: Wish, why: HomeError) -> tuple[AuditEvent, ...]:
        if not wanted.audited and why.slug not in wish.SECURITY_SLUGS and why.slug != "expired":
            return ()
        return (wish.event(wanted, wish.outcome_of(why), self._wall(), reason=why.slug),)

    def _interrupted(self, id_: str) -> bytes:
        why = HomeError("interrupted")
        interrupted = Acknowledgement(
            id=id_, outcome=wish.outcome_of(why), at=utc(self._wall()), reason=why.slug, detail=why.detail
        )
        return messages.encode(interrupted)


def _answers(answer: bytes, id_: str) -> bool:
    """Whether it still is the acknowledgement of this command."""
    try:
        return messages.decode(Acknowledgement, answer).id == id_
    except HomeError:
        return False
