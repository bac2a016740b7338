"""What the master user sets for a room's file on a page, between gateway and auth service."""

from typing import Annotated

import msgspec

from shared.words.internal import Address
from shared.words.messages import DESCRIBED_MOST, Text
from shared.words.room_file import Tables, Version

ROOM_FILE = "/internal/rooms/{room}/file"
"""PUT a FileChange, answered by FileSent."""


class FileChange(msgspec.Struct, frozen=True, kw_only=True):
    """PUT ROOM_FILE: the device tables that the master user, whose session this is, wants in the place of those `of`.

    `named`: the devices that are others by it, new ones and those that go included.
    """

    token: str
    of: Version
    devices: Tables
    named: Annotated[tuple[Text, ...], msgspec.Meta(max_length=2 * DESCRIBED_MOST)]
    address: Address


class FileSent(msgspec.Struct, frozen=True, kw_only=True):
    """The id under which the room answers on `home/{room}/file`."""

    id: str
