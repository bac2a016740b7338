"""What a room is expected to say of devices that the master user has just set on a page: that was the yes to it.

In memory: an auth service that was restarted meanwhile asks once more, as it asks of any other change.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from auth_service.home.registry import Loosening
from shared.words.internal import RegisteredDevice, RegisteredRoom
from shared.words.messages import Who
from shared.words.room_file import SETTINGS_SECONDS, DeviceTable

LIFETIME = timedelta(seconds=SETTINGS_SECONDS + 900.0)
"""Until the settings have reached the room, or never will, and until it has tried them, or gone back."""


class _Word(NamedTuple):
    """What was set of one device, and how it stood; None where it is new."""

    table: DeviceTable
    stood: RegisteredDevice | None


class _Said(NamedTuple):
    by: Who
    at: datetime
    words: dict[str, _Word]


class Expected:
    """By room; the last word of each counts."""

    def __init__(self) -> None:
        self._said: dict[str, _Said] = {}

    def note(
        self, room: RegisteredRoom, tables: Iterable[DeviceTable], named: Iterable[str], by: Who, now: datetime
    ) -> None:
        """The master user set these tables, and of them looked at those that are `named`."""
        stood = {device.id: device for device in room.devices}
        chosen = set(named)
        words = {str(one.get("id")): one for one in tables}
        kept = {id_: _Word(one, stood.get(id_)) for id_, one in words.items() if id_ in chosen}
        self._said[room.id] = _Said(by, now, kept)

    def forget(self, room: str) -> None:
        """It was not sent after all."""
        self._said.pop(room, None)

    def agreed(
        self, room: str, waiting: Iterable[Loosening], now: datetime
    ) -> tuple[Who, tuple[Loosening, ...]] | None:
        """Who said so, and what of `waiting` they have said yes to by it; None where that is nothing."""
        said = self._said.get(room)
        if said is None or not timedelta(0) <= now - said.at < LIFETIME:
            return None
        found = tuple(one for one in waiting if (word := said.words.get(one.device)) is not None and _fits(word, one))
        return (said.by, found) if found else None


def _fits(word: _Word, one: Loosening) -> bool:
    """Whether it is what was set, or how it stood, to which a room goes back that cannot live by what was set."""
    stood = word.stood
    match one.field:
        case "kind":
            return one.wanted in (word.table.get("kind"), stood.kind.value if stood is not None else None)
        case "critical":
            return not word.table.get("critical", False) or (stood is not None and not stood.critical)
        case "confirm":
            return not word.table.get("confirm", False) or (stood is not None and not stood.confirm)
        case "safe_actions":
            set_ = word.table.get("safe_actions", [])
            before = [action.value for action in (stood.safe_actions or ())] if stood is not None else []
            wanted = set(one.wanted.split())
            return (isinstance(set_, list) and wanted <= set(map(str, set_))) or wanted <= set(before)
        case _:
            return False  # that it was away for a year is another question
