"""Whether a room could live with other device tables: judged by the very code that reads its file, and by its board."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from device_agents import complaints
from device_agents.config import RoomConfig
from device_agents.own_file import text
from device_agents.own_file.shelf import Shelf
from shared.running.config import ConfigError
from shared.words.room_file import COMPLAINTS_MOST, Complaint, DeviceTable

_PLACE = re.compile(r"devices\[(\d+)\](?:\.([\w.-]+))?[^:]*: (.*)")
_ABOUT_ALL = re.compile(r"(?:devices|top level): (.*)")
_PIN_OF = re.compile(r"(?:pin|line) \S+ \(([a-z][a-z0-9-]*)\)")
_SHARED = re.compile(r"pin \S+ is used by (.+); every device needs pins of its own")
_BY_HAND = "Only a hand on the room's own machine changes this, in its file."


def complaints_of(
    shelf: Shelf, content: str, before: Sequence[DeviceTable], check_pins: Callable[[RoomConfig], None]
) -> tuple[Complaint, ...]:
    """Everything that is wrong with a file of this content, whose devices were `before`. Raises OSError."""
    shelf.write_candidate(content.encode())
    wanted = text.tables(content)
    found = list(_beyond(before, wanted))
    try:
        check_pins(complaints.read(shelf.candidate))
    except ConfigError as error:
        for line in str(error).splitlines():
            found += _complaints(line.removeprefix(f"{shelf.candidate}: "), wanted)
    return tuple(found[:COMPLAINTS_MOST])


def _beyond(before: Sequence[DeviceTable], wanted: Sequence[DeviceTable]) -> Iterator[Complaint]:
    """What a page may not do, however right the file would be."""
    had = {one.get("id"): one for one in before}
    has = {one.get("id"): one for one in wanted}
    for id_, table in had.items():
        if table.get("lockout") is True and _locked(table) != _locked(has.get(id_, {})):
            # What is locked out in the file itself no hub sets free: docs/rooms.md.
            yield Complaint(device=str(id_)[:64], setting="lockout", text=f"It is locked out in the file. {_BY_HAND}")
    for id_, table in has.items():
        address = table.get("address")
        if isinstance(address, str) and address.startswith("/") and had.get(id_, {}).get("address") != address:
            text_ = f"A path on the room's machine is nothing for a page. {_BY_HAND}"
            yield Complaint(device=str(id_)[:64], setting="address", text=text_)


def _locked(table: DeviceTable) -> tuple[Any, ...]:
    return tuple(table.get(name) for name in ("lockout", "kind", "pin", "pins"))


def _complaints(line: str, wanted: Sequence[DeviceTable]) -> Iterator[Complaint]:
    """One line of what is wrong, at every device that it is about."""
    if (placed := _PLACE.fullmatch(line)) is not None and int(placed[1]) < len(wanted):
        table = wanted[int(placed[1])]
        said = placed[3].removesuffix(f" ({table.get('id')})")
        yield Complaint(device=_id(table), setting=placed[2], text=_shortened(said))
        return
    said = _ABOUT_ALL.sub(r"\1", line)
    about = _PIN_OF.findall(said)
    if (shared := _SHARED.search(said)) is not None:
        about = shared[1].split(" and ")
    for one in about:
        setting = "pins" if any(table.get("id") == one and "pins" in table for table in wanted) else "pin"
        yield Complaint(device=one[:64], setting=setting, text=_shortened(said))
    if not about:
        yield Complaint(text=_shortened(said))


def _id(table: DeviceTable) -> str | None:
    id_ = table.get("id")
    return id_[:64] if isinstance(id_, str) else None


def _shortened(said: str) -> str:
    return said if len(said) <= 400 else f"{said[:399]}…"
