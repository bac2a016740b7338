"""A room's file as it travels: what the room tells of its devices and pins, what was set on a page, what it answers.

Identity, broker, paths and the kind of pins never travel: docs/rooms.md.
"""

from typing import Annotated, Any, ClassVar, Literal

import msgspec

from shared.words.messages import DESCRIBED_MOST, Id, Message, Moment, Text

SETTINGS_SECONDS = 600.0
"""What was set on a page and did not reach its room in so long is not done any more."""
TABLES_BYTES = 48 * 1024
"""All tables of a room, as JSON: settings of so many fit into a packet of the broker's."""
FILE_BYTES = 63 * 1024
"""All that a room tells of its file, as JSON: with topic and properties it fits into a packet of the broker's."""
COMPLAINTS_MOST = 64

DeviceTable = dict[str, Any]
"""One `[[devices]]` table as it stands in the file. Which settings there are is for the agent to know."""
Version = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
"""SHA-256 of the file's bytes: which file somebody has looked at."""
Tables = Annotated[tuple[DeviceTable, ...], msgspec.Meta(max_length=DESCRIBED_MOST)]
Outcome = Literal["trying", "taken", "refused", "put-back"]


class RoomSettings(Message, frozen=True, kw_only=True):
    """The device tables that a room is to have, in the place of those in the file of version `of`."""

    RETAIN: ClassVar[bool] = True
    EXPIRY: ClassVar[float | None] = SETTINGS_SECONDS

    id: Id
    of: Version
    devices: Tables


class Complaint(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is wrong, and of which device's which setting; without both it is about the file as a whole."""

    text: Annotated[str, msgspec.Meta(max_length=400)]
    device: Text | None = None
    setting: Text | None = None


class FileAnswer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of the settings of that id.

    `trying`: they are in force, and the room has not shown yet that it comes back with them; `taken`: it has;
    `refused`: nothing was changed; `put-back`: it did not come back, and has its former file again.
    """

    id: Id
    outcome: Outcome
    at: Moment
    complaints: Annotated[tuple[Complaint, ...], msgspec.Meta(max_length=COMPLAINTS_MOST)] = ()


class OfferedPin(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A pin that the board has for devices, taken by one of the room's or not.

    `line` is its number as the file has it, `name` what the chip calls it, `place` its pin of a 40-pin header. `quiet`:
    nothing else of the board ever uses it.
    """

    line: Annotated[int, msgspec.Meta(ge=0, le=100_000)]
    name: Text = ""
    place: int | None = None
    quiet: bool = False


class RoomFile(Message, frozen=True, kw_only=True, omit_defaults=True):
    """The file by which a room runs, and what became of the last settings that it was sent.

    `devices` is None where they cannot be changed from a page; `why` says so then.
    """

    RETAIN: ClassVar[bool] = True

    room: Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9-]{0,31}\Z")]
    version: Version
    devices: Tables | None
    pins: Annotated[tuple[OfferedPin, ...], msgspec.Meta(max_length=256)] = ()
    why: Text | None = None
    answer: FileAnswer | None = None
