"""What rooms and devices are called on the pages, pure: their descriptions say it, and it is cleaned like any text.

Called by whoever writes letters; the descriptions come from the broker (letters/known_names.py).
"""

from alert_service.telling.cleaning import NAME_CHARACTERS, clean
from shared.words.messages import Description
from shared.words.names import is_identity

_DEVICES_MOST = 256
"""Of one room, those included that it no longer names: more than the home's registry takes."""


class Names:
    """The names of one home; what nobody named yet is told by its id."""

    def __init__(self) -> None:
        self._rooms: dict[str, str] = {}
        self._devices: dict[str, dict[str, str]] = {}

    def learn(self, room: str, described: Description) -> bool:
        """Take in how a room describes itself; whether that says anything new. What it no longer names stays known."""
        named = {device.id: name for device in described.devices if (name := clean(device.name, NAME_CHARACTERS))}
        name = clean(described.name, NAME_CHARACTERS) or self._rooms.get(room, "")
        before = self._devices.get(room, {})
        former = {device: old for device, old in before.items() if device not in named}
        devices = named | dict([*former.items()][: max(0, _DEVICES_MOST - len(named))])
        if (self._rooms.get(room, ""), before) == (name, devices):
            return False
        self._devices[room] = devices
        if name:
            self._rooms[room] = name
        return True

    def recall(self, rooms: dict[str, str], devices: dict[str, dict[str, str]]) -> None:
        """Take in what was known before a restart, by the ids of rooms and of their devices."""
        self._rooms |= rooms
        self._devices |= devices

    def known(self) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
        """All that is known, as `recall` takes it."""
        return self._rooms, self._devices

    def room(self, room: str) -> str:
        """A room's name, else its id."""
        return self._rooms.get(room) or clean(room, NAME_CHARACTERS)

    def device(self, room: str, device: str) -> str:
        """A device's name alone; an id reads as a word."""
        return self._devices.get(room, {}).get(device) or clean(device.replace("-", " ").capitalize(), NAME_CHARACTERS)

    def place(self, where: str) -> str:
        """`hall/front-door` as "Front door (Hall)", a room by its name; anything else as it stands.

        "Garage door" says its room already.
        """
        room, slash, device = where.partition("/")
        if not slash:
            return self._rooms.get(room) or clean(where)
        if not (is_identity(room) and is_identity(device)):
            return clean(where)
        name, owner = self.device(room, device), self.room(room)
        return (
            name
            if device in self._devices.get(room, {}) and owner.casefold() in name.casefold()
            else f"{name} ({owner})"
        )
