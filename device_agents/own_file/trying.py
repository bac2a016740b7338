"""What the master user set on a page, in the room: looked at, taken on trial, and kept or put back.

The card has a thread of its own, as it may take longer than a pulse. A room that has taken another file ends, and
whoever runs it starts it anew; that process stands here with a `trial`, and is online with it in time or goes back.
"""

import logging
import threading
from collections.abc import Callable
from typing import NamedTuple

from device_agents.config import RoomConfig
from device_agents.ids import made_id
from device_agents.ledger.proof import Proof
from device_agents.link.link import Link
from device_agents.own_file import checking, telling, text
from device_agents.own_file.shelf import Shelf, Trial, version
from shared.running.log import facts
from shared.words import messages, topics
from shared.words.messages import AuditEvent, Who, utc
from shared.words.names import Outcome, Severity
from shared.words.room_file import Complaint, FileAnswer, OfferedPin, RoomFile, RoomSettings

log = logging.getLogger(__name__)

STEADY_SECONDS = 5.0
"""So long a room is online by a new file before it stays: what fails at once fails within it."""
CHANGED, PUT_BACK = "room:file-changed", "room:file-put-back"
_OF_ANOTHER = "The room's file is another one by now: somebody changed it meanwhile. Look at it anew, and set it again."
_BUSY = "The room is just trying another change. Wait for a minute, and set it again."


class Done(NamedTuple):
    """The card has done what it was asked. `anew`: why the room is to start anew, "" where it goes on.

    `answer`: what is to be said, where the card takes nothing, and so does not know it.
    """

    anew: str = ""
    answer: FileAnswer | None = None


class OwnFile:
    """`put` leaves an item for the loop, `check_pins` asks the board; `now` is monotonic seconds, `wall` since 1970."""

    def __init__(
        self,
        shelf: Shelf,
        trial: Trial | None,
        room: RoomConfig,
        *,
        pins: tuple[OfferedPin, ...],
        check_pins: Callable[[RoomConfig], None],
        wall: Callable[[], float],
    ) -> None:
        self._shelf = shelf
        self._trial = trial
        self._room = room
        self._pins = pins
        self._check_pins = check_pins
        self._wall = wall
        self._thread: threading.Thread | None = None
        self._until: float | None = None
        self._steady_at: float | None = None

    def attach(self, link: Link, proof: Proof, put: Callable[[Done], None]) -> None:
        """Through whom it speaks."""
        self._link, self._proof, self._put = link, proof, put

    def start(self, now: float) -> None:
        """The room stands. What an earlier process could not tell is told."""
        if self._trial is not None:
            self._until = now + self._room.trial_seconds
        self._tell_record()

    def deadline(self) -> float | None:
        """When something is to be decided; None where nothing is tried."""
        if self._until is None:
            return None
        return self._until if self._steady_at is None else min(self._until, self._steady_at)

    def born(self, now: float) -> None:
        """A link has come about, and the room has said that it is there."""
        if self._until is not None:
            self._steady_at = now + STEADY_SECONDS
        self.say()

    def lost(self) -> None:
        """The link is gone."""
        self._steady_at = None

    def tick(self, now: float) -> None:
        """Keep what is tried, or go back, where it is time."""
        if (due := self.deadline()) is None or now < due:
            return
        steady = self._steady_at is not None and now >= self._steady_at
        self._until = self._steady_at = None
        if steady:
            self._apart(self._settle)
        else:
            seconds = round(self._room.trial_seconds)
            self._apart(lambda: self._go_back(f"The room did not come back within {seconds} seconds."))

    def hear(self, payload: bytes) -> None:
        """Settings came. Raises HomeError("malformed"). `Done` follows once they are judged."""
        if not payload:
            return
        settings = messages.decode(RoomSettings, payload)
        noted = self._shelf.noted()
        if noted is not None and noted.answer.id == settings.id:
            return  # retained at the broker: it comes with every connection
        if self._trial is not None and self._trial.id == settings.id:
            return
        if self._is_busy() or self._until is not None:
            self._say(self._refusal(settings, _said(_BUSY)))
            return
        self._apart(lambda: self._judged(settings))

    def done(self, done: Done) -> None:
        """The card has answered: say it, to the hub and in the record."""
        self._tell_record()
        if done.answer is not None:
            self._say(done.answer)
        else:
            self.say()

    def say(self) -> None:
        """The file as it stands, and what became of the last settings."""
        noted = self._shelf.noted()
        answer = noted.answer if noted is not None else None
        if self._until is not None and self._trial is not None:
            answer = FileAnswer(id=self._trial.id, outcome="trying", at=utc(self._wall()))
        self._say(answer)

    def _say(self, answer: FileAnswer | None) -> None:
        if not self._link.up:
            return
        try:
            content = self._shelf.read()
            devices = text.tables(content.decode())
        except (OSError, UnicodeDecodeError, text.UnwritableError) as error:
            log.error("Room's file cannot be told", extra=facts(reason=error))
            return
        told = RoomFile(room=self._room.room, version=version(content), devices=devices, pins=self._pins, answer=answer)
        self._link.publish(topics.room_file(self._room.room), telling.encoded(told), retain=RoomFile.RETAIN)

    def _judged(self, settings: RoomSettings) -> Done:
        """On the card's thread."""
        try:
            return self._judge(settings)
        except (OSError, UnicodeDecodeError) as error:
            log.error("Room's file cannot be changed", extra=facts(room=self._room.room, reason=error))
            said = _said(f"The room cannot write its file ({error}). Nothing was changed.")
            return Done(answer=self._refusal(settings, said))

    def _judge(self, settings: RoomSettings) -> Done:
        content = self._shelf.read()
        if version(content) != settings.of:
            return self._refuse(settings, _said(_OF_ANOTHER))
        before = content.decode()
        try:
            after = text.with_tables(before, settings.devices)
        except text.UnwritableError as error:
            return self._refuse(settings, _said(str(error)))
        if found := checking.complaints_of(self._shelf, after, text.tables(before), self._check_pins):
            return self._refuse(settings, *found)
        if after == before:
            self._shelf.note(FileAnswer(id=settings.id, outcome="taken", at=utc(self._wall())), told=True)
            return Done()
        if not self._shelf.take(settings.id, content, after.encode()):
            return self._refuse(settings, _said(_OF_ANOTHER))
        log.info("Room's file was changed from a page, and is tried", extra=facts(room=self._room.room))
        return Done("file: it was changed from a page of the hub, and the room starts anew with it")

    def _refuse(self, settings: RoomSettings, *complaints: Complaint) -> Done:
        log.warning("Settings from a page were refused", extra=facts(room=self._room.room, complaints=len(complaints)))
        self._shelf.note(self._refusal(settings, *complaints), told=True)
        return Done()

    def _refusal(self, settings: RoomSettings, *complaints: Complaint) -> FileAnswer:
        return FileAnswer(id=settings.id, outcome="refused", at=utc(self._wall()), complaints=complaints)

    def _settle(self) -> Done:
        self._shelf.settle()
        log.info("Room is back with its new file", extra=facts(room=self._room.room))
        return Done()

    def _go_back(self, why: str) -> Done:
        self._shelf.go_back(why)
        log.error("Room's former file was put back", extra=facts(room=self._room.room, reason=why))
        return Done("file: the former one was put back, and the room starts anew with it")

    def _tell_record(self) -> None:
        noted = self._shelf.noted()
        if noted is None or noted.told:
            return
        answer = noted.answer
        is_back = answer.outcome == "put-back"
        because = {"because": answer.complaints[0].text[:200]} if answer.complaints else {}
        event = AuditEvent(
            id=made_id(),
            at=answer.at,
            what=PUT_BACK if is_back else CHANGED,
            where=self._room.room,
            who=Who(issuer=self._room.room),
            outcome=Outcome.EXECUTED if answer.outcome != "refused" else Outcome.REJECTED,
            severity=Severity.CRITICAL,
            detail={"settings": answer.id} | because,
        )
        self._proof.note(event)
        try:
            self._shelf.note(answer, told=True)
        except OSError as error:
            log.error("What became of a change may be told again", extra=facts(reason=error))

    def _is_busy(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _apart(self, work: Callable[[], Done]) -> None:
        def guarded() -> None:
            try:
                done = work()
            except OSError as error:  # it goes on with the file that is there; the next start decides anew
                log.error("Card does not take what became of the room's file", extra=facts(reason=error))
                done = Done()
            self._put(done)

        self._thread = threading.Thread(target=guarded, name="own-file", daemon=True)
        self._thread.start()


def _said(what: str) -> Complaint:
    return Complaint(text=what)
