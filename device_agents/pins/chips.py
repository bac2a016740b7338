"""Which GPIO chip a room means and whether it is there: by path or label, and by its label again where it went away.

The kernel counts chips as they come. One that was pulled out while somebody held its lines comes back under the next
number, and what has its old number then may be another.
"""

import errno
import logging
import os
from pathlib import Path
from typing import Any

import msgspec

from shared.running.config import EX_TEMPFAIL, ConfigError
from shared.running.log import facts

log = logging.getLogger(__name__)

FIND = "gpiodetect lists the chips; a Raspberry Pi's header is the one called pinctrl-…"
DEVICES = Path("/dev")
PLACES = Path("/sys/bus/gpio/devices")
_NOTE = "chip"


class AwayError(ConfigError):
    """The chip is not there just now: whoever runs the agent is to start it again."""

    exit_code = EX_TEMPFAIL


class Chip(msgspec.Struct, frozen=True):
    """One chip that is there. Its path is right until it goes away or the board boots; `alone`: none is like it.

    `place` is what it is plugged into, as the kernel calls it; empty where nobody asked, or the kernel does not say.
    """

    path: Path
    label: str
    lines: int
    alone: bool = True
    place: str = ""

    def is_like(self, other: "Chip") -> bool:
        """Whether they may be one: the same label, as many lines."""
        return (self.label, self.lines) == (other.label, other.lines)


def opened(gpiod: Any, chip: Path) -> Any:
    """The library's chip; opening moves nothing. Raises AwayError where there is none, ConfigError."""
    try:
        return gpiod.Chip(str(chip))
    except FileNotFoundError:
        raise AwayError(f"chip: there is no {chip}; {FIND}") from None
    except PermissionError as error:
        raise ConfigError(
            f"chip: {chip} may not be written; add the user to its group, usually: sudo usermod -aG gpio USER"
        ) from error
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno in (errno.ENODEV, errno.ENXIO):  # it is on its way out, or in
            raise AwayError(f"chip: {chip} is not there any more; {FIND}") from error
        raise ConfigError(f"chip: {chip} is no GPIO chip ({error}); {FIND}") from error


def there(gpiod: Any) -> list[Chip]:
    """All chips that may be opened, each once: some have a second name by a link."""
    found = []
    for path in sorted({path.resolve() for path in DEVICES.glob("gpiochip*")}):
        try:
            found.append(_described(gpiod, path))
        except ConfigError as error:
            log.debug("Chip cannot be looked at", extra=facts(chip=path, reason=error))
    return [msgspec.structs.replace(one, alone=sum(one.is_like(other) for other in found) == 1) for one in found]


def find(gpiod: Any, chip: Path, folder: Path | None = None) -> Chip:
    """The chip that a room's file names, by path or by label. Raises AwayError where it is not there, ConfigError.

    In `folder`, which a boot empties, stands how the one of that path was called when it was first found: so it is
    found under another number as well, and no other is taken for it.
    """
    if not chip.is_absolute():
        return _labelled(gpiod, str(chip))
    known = _noted(folder, chip)
    if known is None:
        found = _described(gpiod, chip)
        alone = sum(found.is_like(other) for other in there(gpiod)) <= 1
        found = msgspec.structs.replace(found, alone=alone, place=_place(chip))
        _note(folder, msgspec.structs.replace(found, path=chip))
        return found
    if chip.exists() and (found := _described(gpiod, chip)).is_like(known) and known.place in ("", _place(chip)):
        return msgspec.structs.replace(found, alone=known.alone, place=known.place)
    if (again := again_there(gpiod, known)) is None:
        raise AwayError(f"chip: {chip} ({known.label}) went away; plug it in again, or stop the room and start it")
    log.warning("Chip has another number now", extra=facts(chip=chip, label=known.label, path=again.path))
    return msgspec.structs.replace(again, alone=known.alone, place=known.place)


def again_there(gpiod: Any, known: Chip) -> Chip | None:
    """The chip that went away, if it is back: in its place, whatever its number; where the kernel knows of no places,
    under its own path, or, where none was like it, under any. One that is alike may have been there all along.
    """
    like = [one for one in there(gpiod) if one.is_like(known)]
    if known.place:
        like = [one for one in like if _place(one.path) == known.place]
        return like[0] if len(like) == 1 else None
    own = [one for one in like if one.path == known.path.resolve()]
    if own or not known.alone:
        return next(iter(own), None)
    return like[0] if len(like) == 1 else None


def _place(chip: Path) -> str:
    try:
        return str((PLACES / chip.resolve().name).resolve(strict=True).parent)
    except OSError:
        return ""


def _labelled(gpiod: Any, label: str) -> Chip:
    chips = there(gpiod)
    found = [one for one in chips if one.label == label]
    if len(found) > 1:
        paths = " and ".join(str(one.path) for one in found)
        raise ConfigError(f"chip: {paths} are all called {label!r}; name the one by its path")
    if not found:
        labels = ", ".join(one.label for one in chips) or "none that may be opened"
        raise AwayError(f"chip: none is called {label!r}; there is: {labels}; gpiodetect lists them")
    return found[0]


def _described(gpiod: Any, path: Path) -> Chip:
    with opened(gpiod, path) as chip:
        try:
            about = chip.get_info()
        except (OSError, UnicodeDecodeError) as error:
            raise AwayError(f"chip: {path} cannot be looked at ({error})") from error
    return Chip(path=path, label=about.label, lines=about.num_lines)


def _noted(folder: Path | None, chip: Path) -> Chip | None:
    if folder is None:
        return None
    try:
        noted = msgspec.json.decode((folder / _NOTE).read_bytes(), type=Chip, dec_hook=_read_path)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        log.warning("What the chip was called cannot be read", extra=facts(reason=error))
        return None
    return noted if noted.path == chip else None  # another: the room's file was changed


def _note(folder: Path | None, chip: Chip) -> None:
    if folder is None:
        return
    try:
        beside = folder / f"{_NOTE}.new"
        beside.write_bytes(msgspec.json.encode(chip, enc_hook=os.fspath))
        beside.replace(folder / _NOTE)
    except OSError as error:
        log.warning("What the chip is called cannot be noted", extra=facts(reason=error))


def _read_path(_kind: type, text: Any) -> Path:
    return Path(text)
