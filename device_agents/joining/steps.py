"""The steps by which a machine becomes a room, each of which may be the last: a second try goes on from there.

What is made lies in a folder of root's until it is in its place: key and request, then certificate and authority, then
the room's file.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from device_agents.joining import pair, room_file
from device_agents.joining.board import Board
from device_agents.joining.hub import Hub
from shared.words import names
from shared.words.problem import HomeError

WORK = Path("/var/lib/homesystem-join")
"""Root's alone, and gone again once the room runs."""
HOME = Path("/var/lib/homesystem")
_LINE = "line"
"""In the folder: the hash of the token by which all that lies there was had."""


class Wish(NamedTuple):
    """What the line says: the room, the hub (HOST:PORT), by whose authority it is believed, and the token."""

    room: str
    place: str
    anchor: Path
    token: str


@contextlib.contextmanager
def alone(room: str, folder: Path) -> Iterator[None]:
    """Nobody else makes a room of `folder` meanwhile, as where a line is pasted twice: each would make a key.

    Raises HomeError: changed-meanwhile where somebody does, invalid-value.
    """
    _begin_folder(room, folder)
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            told = f"This machine is becoming room {room} by a line that was pasted before. Wait for that one."
            raise HomeError("changed-meanwhile", told) from None
        yield
    finally:
        os.close(number)


def fetch(wish: Wish, folder: Path, board: Callable[[], Board]) -> None:
    """Have all that a room needs in `folder`, which is what `room add --out` writes on the hub.

    Raises HomeError: what the hub says, or what is in the way here.
    """
    _begin_folder(wish.room, folder)
    _begin(folder, wish.token)
    path = folder / room_file.NAME
    if pair.has_certificate(folder) and path.exists():
        return
    csr = pair.request(folder)
    got = Hub(wish.place, wish.anchor).join(token=wish.token, room=wish.room, csr=csr)
    # The file first: once the certificate lies there, all does.
    pair.write(path, room_file.text(wish.room, got.broker.host, got.broker.port, board()))
    pair.take(folder, got.certificate, got.authority)


def _begin_folder(room: str, folder: Path) -> None:
    if not names.is_identity(room) or names.is_reserved(room):
        raise HomeError("invalid-value", f"{room!r} is no name of a room. Paste the whole line.")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _begin(folder: Path, token: str) -> None:
    """What a try by an earlier line left is worth nothing: it is not what this line is for."""
    mark = folder / _LINE
    if mark.exists() and mark.read_text() != _hashed(token):
        # The certificate first: where it lies, all else counts as well.
        for name in (pair.CERTIFICATE, pair.AUTHORITY, pair.REQUEST, pair.KEY, room_file.NAME):
            (folder / name).unlink(missing_ok=True)
    pair.write(mark, _hashed(token))


def place(room: str, folder: Path, script: Path) -> None:
    """Put it in its place and start it. Raises HomeError where that fails."""
    done = subprocess.run([script, "--start", room, folder], check=False)  # noqa: S603 - our own script
    if done.returncode != 0:
        raise HomeError("failed", f"Room {room} is not in its place yet, as it says above. Then paste the line again.")


def forget(folder: Path, token: str) -> None:
    """The key lies where the room has it, and nowhere else. One that was cut short is forgotten by the next.

    What stays is by which line the machine became the room, as a hash.
    """
    pair.write(_joined(folder), _hashed(token))
    gone = folder.with_name(f".{folder.name}.gone")
    shutil.rmtree(gone, ignore_errors=True)
    folder.rename(gone)
    shutil.rmtree(gone)


def is_done(room: str, folder: Path, home: Path, token: str) -> bool:
    """Whether this machine is the room, by this very line, and nothing of that is left to do."""
    mark, parts = _joined(folder), (f"agents/{room}.toml", f"pki/{room}/room.crt", f"pki/{room}/room.key")
    return (
        not folder.exists()
        and mark.exists()
        and mark.read_text() == _hashed(token)
        and all((home / part).exists() for part in parts)
    )


def check_root() -> None:
    """Raises HomeError("forbidden") for whoever could not put anything in its place."""
    if os.geteuid() != 0:
        raise HomeError("forbidden", "This changes the system: sudo homesystem room join …")


def _joined(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.joined")


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
