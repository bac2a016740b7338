"""Rooms' files on fakes: what the hall tells of its own, and what it answers to settings."""

import msgspec

from gateway.acting.room_files import RoomFiles
from shared.words import messages
from shared.words.internal_room_file import FileChange, FileSent
from shared.words.problem import HomeError
from shared.words.room_file import Complaint, FileAnswer, OfferedPin, Outcome, RoomFile

LAMP = {"id": "lamp", "name": "Lamp", "kind": "switch", "pin": 17, "max_on": 600.0}
BLIND = {"id": "blind", "name": "Blind", "kind": "cover", "pins": [5, 6], "travel_time": 20.0}
PINS = tuple(OfferedPin(line=pin, name=f"GPIO{pin}", place=pin + 1, quiet=pin > 4) for pin in (4, 5, 6, 16, 17, 27))
HALL_FILE = RoomFile(room="hall", version="0" * 64, devices=(LAMP, BLIND), pins=PINS)


class FakeRoom:
    """The auth service and, behind it, a room that judges: `complains` is what it says of the next settings."""

    def __init__(self) -> None:
        self.files = RoomFiles()
        self.files.hear(HALL_FILE)
        self.set: list[FileChange] = []
        self.complains: tuple[Complaint, ...] = ()
        self.is_silent = False
        self.asks_for_proof = False

    async def take(self, room: str, wanted: FileChange) -> FileSent:
        """As AuthClient.set_room_file."""
        if self.asks_for_proof:
            raise HomeError("step-up-required")
        self.set.append(wanted)
        sent = FileSent(id=f"s{len(self.set)}")
        if not self.is_silent:
            outcome: Outcome = "refused" if self.complains else "trying"
            answer = FileAnswer(id=sent.id, outcome=outcome, at=messages.utc(0), complaints=self.complains)
            self.files.hear(msgspec.structs.replace(HALL_FILE, answer=answer))
        return sent
