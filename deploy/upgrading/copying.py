"""The home as it stands while nothing of it runs, in one file a folder, and back again, each by its owner's hand."""

import contextlib
import os
import shutil
import subprocess
import tomllib
from pathlib import Path

from deploy.upgrading.place import Place, UpgradeError, as_owner, last_words

_LEFT = ("./log", "./turn.lock")
"""What is neither copied nor put back: logs go on, and others may be waiting at the lock."""
_SPARE = 64 * 2**20


def size(folder: Path) -> int:
    """How much a copy takes, in bytes."""
    total = 0
    for parent, folders, files in os.walk(folder):
        if Path(parent) == folder:
            folders[:] = [name for name in folders if f"./{name}" not in _LEFT]
        for name in files:
            with contextlib.suppress(FileNotFoundError):  # gone meanwhile, as a journal of SQLite's
                total += os.lstat(Path(parent) / name).st_size + 1024
    return total


def check_room(needed: dict[Path, int]) -> None:
    """Whether disks have room for so many bytes below each folder. Raises UpgradeError, naming what is short."""
    wanted: dict[int, tuple[Path, int]] = {}
    for folder, count in needed.items():
        device = folder.stat().st_dev
        first, total = wanted.get(device, (folder, _SPARE))
        wanted[device] = (first, total + count)
    for folder, count in wanted.values():
        free = shutil.disk_usage(folder).free
        if free < count:
            raise UpgradeError(
                f"this needs {count / 1e6:.0f} MB free in {folder} for copies and the newer version, and there are "
                f"{free / 1e6:.0f} MB; free some (`sudo apt-get clean` is a beginning), then again"
            )


def elsewhere(place: Place) -> list[str]:
    """The services whose database lies on a server, outside the home or behind a link: no copy of the home has it."""
    found = []
    for service in ("auth", "alerts", "readings"):
        for folder in (place.home / "services" / service, place.home):  # the second is of older versions
            with contextlib.suppress(FileNotFoundError, tomllib.TOMLDecodeError):
                database = tomllib.loads((folder / f"{service}.toml").read_text()).get("database", "")
                if not _is_in(place.home, str(database)):
                    found.append(service)
                break
    return found


def _is_in(home: Path, database: str) -> bool:
    """Whether SQLite's file of that URL is the home's own, wherever links lead."""
    kind, _, file = database.partition("///")
    return kind.startswith("sqlite") and Path(file).resolve().is_relative_to(home.resolve())


def keep(place: Place) -> None:
    """Copy each folder of the home, which stands still, into the upgrade's own. Raises UpgradeError."""
    for name, folder in place.parts.items():
        part, whole = place.state / f".{name}.tar.new", place.state / f"{name}.tar"
        command = ["tar", "-C", str(folder), *(f"--exclude={left}" for left in _LEFT), "-cf", "-", "."]
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            done = subprocess.run(command, stdout=file, stderr=subprocess.PIPE, check=False, **as_owner(folder))  # noqa: S603
            if done.returncode != 0:
                raise UpgradeError(f"{folder} cannot be copied: {last_words(done.stderr.decode(errors='replace'))}")
            os.fsync(file.fileno())
        part.replace(whole)


def put_back(place: Place) -> None:
    """Put each folder of the home as it was copied in the place of what lies there. Raises UpgradeError.

    In its place, since it may be a disk of its own. Cut off, it is done again from the copies, which stay.
    """
    for name, folder in place.parts.items():
        whole = place.state / f"{name}.tar"
        if not whole.exists():
            continue  # the signer's, which older versions had not
        kept = [word for left in _LEFT for word in ("!", "-path", left)]
        empty = ["find", ".", "-mindepth", "1", "-maxdepth", "1", *kept, "-exec", "rm", "-rf", "{}", "+"]
        _by_owner(folder, empty, None)
        with whole.open("rb") as file:
            _by_owner(folder, ["tar", "-xpf", "-"], file.fileno())
    os.sync()


def _by_owner(folder: Path, command: list[str], stdin: int | None) -> None:
    whose = as_owner(folder) | {"cwd": folder}
    done = subprocess.run(command, stdin=stdin, capture_output=True, check=False, **whose)  # noqa: S603
    if done.returncode != 0:
        raise UpgradeError(f"{folder} cannot be put back: {last_words(done.stderr.decode(errors='replace'))}")


def forget(place: Place) -> None:
    """Delete the copies: they hold the keys of the house, and what people had erased since would live on in them."""
    for path in (*place.state.glob("*.tar"), *place.state.glob(".*.tar.new")):
        path.unlink()
