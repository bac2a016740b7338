"""An archive as it can be read: a sealed one is opened into a file of its own, which is gone afterwards."""

import contextlib
import errno
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from deploy.archives import pruning, scratch, sealing
from deploy.archives.plan import Plan
from deploy.archives.sealing import Key
from deploy.safekeeping import keys
from shared.words.problem import HomeError


class Opened(NamedTuple):
    """The archive that can be read, and the key that opened it; None where it was not sealed."""

    archive: Path
    key: Key | None


def chosen(file: Path) -> Path:
    """The archive that somebody named: itself, or the newest of a folder to which backups go.

    Raises HomeError("invalid-value") where that has none.
    """
    path = file.absolute()
    if not path.is_dir():
        return path
    if (found := pruning.newest(one.name for one in path.iterdir())) is None:
        raise HomeError("invalid-value", f"{path} has no backup in it; is its disk mounted?")
    return path / found


def place(var: Path) -> Path:
    """Where there is room for as much as a home has: beside it, or where this machine keeps what passes."""
    return var.parent if os.access(var.parent, os.W_OK) else Path(tempfile.gettempdir())


@contextlib.contextmanager
def opened(archive: Path, var: Path, named: Path | None, plan: Plan, asked: keys.Ask = keys.ask) -> Iterator[Opened]:
    """Open `archive` by the key in the file `named`, or one that is at hand (keys.at_hand).

    Raises HomeError: invalid-value (not there, no key, another key, damaged), no-proof (the disk is full).
    """
    try:
        is_sealed = sealing.is_sealed(archive)
    except FileNotFoundError:
        raise HomeError("invalid-value", f"{archive} is not there.") from None
    except OSError as error:
        raise HomeError("invalid-value", f"{archive} cannot be read: {error.strerror}.") from error
    if not is_sealed:
        yield Opened(archive, None)
        return
    with scratch.made(place(var), scratch.OPENED) as folder:
        # Under another name until it is whole: the beginning of what was cut off opens well.
        begun, whole = folder / "opening", folder / "archive.tar.gz"
        try:
            with archive.open("rb") as sealed, begun.open("wb") as plain:
                key = sealing.opened_by(keys.at_hand(archive, named, plan, asked), sealed, plain)
                plain.flush()
        except OSError as error:
            if error.errno == errno.ENOSPC:
                text = f"There is no room in {folder.parent} to open {archive}."
                raise HomeError("no-proof", text) from error
            raise HomeError("no-proof", f"{archive} cannot be read: {error.strerror}.") from error
        except HomeError as error:
            is_whole = error.detail.endswith(".")
            raise HomeError(error.slug, error.detail if is_whole else f"{archive.name}: {error.detail}.") from error
        begun.replace(whole)
        yield Opened(whole, key)
