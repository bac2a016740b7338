"""What rooms and devices are called on the pages, pure: by the master user, else by their descriptions; cleaned, all.

What calls itself as the master user calls another gets its id behind it.

Called by whoever writes letters; the descriptions come from the broker (letters/known_names.py).
"""

from collections.abc import Iterable, Mapping

from alert_service.telling.cleaning import NAME_CHARACTERS, clean
from shared.words.messages import Description
from shared.words.names import is_identity
from shared.words.naming import key

_DEVICES_MOST = 256
"""Of one room, those included that it no longer names: more than the home's registry takes."""


class Names:
    """The names of one home; what nobody named yet is told by its id."""

    def __init__(self) -> None:
        self._rooms: dict[str, str] = {}
        self._devices: dict[str, dict[str, str]] = {}
        self._home: dict[str, str] = {}

    def call(self, names: Mapping[str, str]) -> bool:
        """Take in what the master user calls rooms ("hall") and devices ("hall/lamp"); whether that is anything new."""
        before = self._home
        self._home = {where: called for where, name in names.items() if (called := clean(name, NAME_CHARACTERS))}
        return self._home != before

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

    def recall(self, rooms: dict[str, str], devices: dict[str, dict[str, str]], home: Mapping[str, str]) -> None:
        """Take in what was known before a restart, by the ids of rooms and of their devices."""
        self._rooms |= rooms
        self._devices |= devices
        self._home = dict(home)

    def known(self) -> tuple[dict[str, str], dict[str, dict[str, str]], dict[str, str]]:
        """All that is known, as `recall` takes it."""
        return self._rooms, self._devices, self._home

    def room(self, room: str) -> str:
        """A room's name, else its id."""
        if (home := self._home.get(room)) is not None:
            return home
        others = (name for where, name in self._home.items() if "/" not in where)
        return _told_apart(self._rooms.get(room) or clean(room, NAME_CHARACTERS), room, others)

    def device(self, room: str, device: str) -> str:
        """A device's name alone; an id reads as a word."""
        if (home := self._home.get(f"{room}/{device}")) is not None:
            return home
        own = self._devices.get(room, {}).get(device) or clean(device.replace("-", " ").capitalize(), NAME_CHARACTERS)
        return _told_apart(own, device, (name for where, name in self._home.items() if where.startswith(f"{room}/")))

    def place(self, where: str) -> str:
        """`hall/front-door` as "Front door (Hall)", a room by its name; anything else as it stands.

        "Garage door" says its room already.
        """
        room, slash, device = where.partition("/")
        if not slash:
            return self.room(room) if room in self._home or room in self._rooms else clean(where)
        if not (is_identity(room) and is_identity(device)):
            return clean(where)
        name, owner = self.device(room, device), self.room(room)
        return (
            name
            if (where in self._home or device in self._devices.get(room, {})) and owner.casefold() in name.casefold()
            else f"{name} ({owner})"
        )


def _told_apart(own: str, its_id: str, others: Iterable[str]) -> str:
    return f"{own} ({its_id})" if key(own) in map(key, others) else own
