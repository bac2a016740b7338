"""What the household decided about its backups: for whose key they are sealed, where they go, how many are kept.

`plan.toml` in a folder that, of an installed home, is root's: whoever breaks into a service can neither have the next
backup sealed for another key, with the authorities' keys in it, nor take away those that were made.
"""

import contextlib
import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec

from deploy.archives.backup import BACKUP, place
from deploy.pki.files import locked, write
from shared.running.config import Config, ConfigError, load
from shared.words.problem import HomeError

INSTALLED = Path("/var/lib/homesystem")
"""Where a home lies that runs under systemd: the only one whose folders belong to several users."""
NAME = "plan.toml"
_MADE = "made.json"
_Count = Annotated[int, msgspec.Meta(ge=0, le=1000)]


class Keep(Config, frozen=True):
    """How many are kept: the newest of each of so many days, weeks and months that have one."""

    daily: _Count = 7
    weekly: _Count = 4
    monthly: _Count = 12


class Plan(Config, frozen=True):
    """`recipient`: the public half of the household's key. `key`: the key under a passphrase, where there is one.

    `target`: a folder, or sftp://user@host[:port]/folder. `mark` is what the target's own mark says, so that another
    home's target, and the empty place of a disk that is not plugged in, are no target of ours.
    """

    recipient: str | None = None
    key: str | None = None
    target: str | None = None
    mark: str | None = None
    keep: Keep = Keep()


class _File(Config, frozen=True):
    backup: Plan = Plan()


class Made(msgspec.Struct, frozen=True):
    """An archive that lies at the target. `size` is None until it is known to be there whole."""

    name: str
    at: dt.datetime
    size: int | None


def folder(var: Path) -> Path:
    """Where the plan of the home in `var` lies, and what was made by it."""
    return place(var, BACKUP) if var == INSTALLED else var / BACKUP


def read(var: Path) -> Plan:
    """The home's plan; an empty one where nobody made one. Raises ConfigError, PermissionError."""
    path = folder(var) / NAME
    return load(_File, path, {}).backup if _is_there(path) else Plan()


def save(var: Path, plan: Plan) -> None:
    """Put it in the place of the one before."""
    _prepare(var)
    told = {name: getattr(plan, name) for name in ("recipient", "key", "target", "mark")}
    lines = [f"{name} = {msgspec.json.encode(value).decode()}" for name, value in told.items() if value is not None]
    kept = [f"{name} = {getattr(plan.keep, name)}" for name in Keep.__struct_fields__]
    text = "\n".join(["# What `homesystem backup key` and `homesystem backup target` were told.", "[backup]", *lines])
    write(folder(var) / NAME, "\n".join([text, "", "[backup.keep]", *kept, ""]).encode(), 0o600)


def made(var: Path) -> list[Made]:
    """What we made at the target, or began to, and did not prune yet, the oldest first. Raises ConfigError."""
    path = folder(var) / _MADE
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[Made]) if _is_there(path) else []
    except msgspec.MsgspecError as error:
        raise ConfigError(f"{path}: cannot be read ({error}); take it away: what is at the target stays") from error


def note(var: Path, archives: list[Made]) -> None:
    """Put this in the place of what `made` says."""
    _prepare(var)
    write(folder(var) / _MADE, msgspec.json.encode(archives), 0o600)


@contextlib.contextmanager
def alone(var: Path) -> Iterator[None]:
    """One backup at a time. Raises HomeError("changed-meanwhile") where another command is at it."""
    _prepare(var)
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(locked(folder(var) / "lock", wait=False))
        except BlockingIOError:
            told = "Another backup of this home is being made: wait until it ends."
            raise HomeError("changed-meanwhile", told) from None
        yield


@contextlib.contextmanager
def listing(var: Path) -> Iterator[None]:
    """One list of who was revoked at a time, from looking to writing: others wait, so that the newest is the last."""
    _prepare(var)
    with locked(folder(var) / "list.lock"):
        yield


def _prepare(var: Path) -> None:
    folder(var).mkdir(mode=0o700, exist_ok=True)


def _is_there(path: Path) -> bool:
    """Raises PermissionError where one may not look, which `Path.exists` takes for "no"."""
    try:
        path.stat()
    except FileNotFoundError:
        return False
    return True
