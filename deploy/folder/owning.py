"""Users of their own for a home's services under systemd: root gives each the folders that are its business.

`python -m deploy.folder.owning [FOLDER]`, as root, at every installation, after a restore, and before a repair: makes
what is missing and mends what is not so, and changes nothing that is right. Every folder in `services/NAME` hands its
group on, so that what the service makes can be used by the hub's commands, whose user is a member, and the other way.
"""

import contextlib
import errno
import os
import pwd
import stat
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from deploy.folder import parts
from shared.running import installed
from shared.running.config import ConfigError

INSTALLED = Path("/var/lib/homesystem")
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Owner(NamedTuple):
    """A user's number and its group's."""

    user: int
    group: int


class Wanted(NamedTuple):
    """Who may own what lies in a folder (the first one does, where it is none of them), and with which modes."""

    owners: tuple[int, ...]
    group: int
    folder: int
    file: Callable[[int], int]


def user(part: str) -> str:
    """The user of a part, whose group is called like it."""
    return f"homesystem-{part}"


def known(names: Mapping[str, str] | None = None) -> dict[str, Owner]:
    """The parts' users on this machine. Raises ConfigError where one is missing."""
    found = {}
    for part, name in (names or {part: user(part) for part in parts.KEYS}).items():
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            raise ConfigError(f"{name}: there is no such user here; it is made by: {installed.again('hub')}") from None
        found[part] = Owner(entry.pw_uid, entry.pw_gid)
    return found


def wanted(home: Owner, part: Owner) -> tuple[Wanted, Wanted]:
    """What lies in a part's folder: what it is given, and what it writes itself."""
    given = Wanted((home.user,), part.group, 0o2750, lambda _mode: 0o640)
    own = Wanted((home.user, part.user), part.group, 0o2770, lambda mode: mode & 0o700 | 0o660)
    return given, own


def own(var: Path, users: Mapping[str, Owner]) -> None:
    """Make the parts' folders in `var`, and set owners and modes of what lies in them. Raises OSError, ConfigError."""
    with _opened(var, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC) as top:
        about = os.fstat(top)
        home = Owner(about.st_uid, about.st_gid)
        for name in (parts.SERVED, "log"):
            _make(top, name)
            with _opened(name, _FOLDER, top) as folder:
                _set(folder, home, 0o700)
                for part, entry in users.items():
                    given, its = wanted(home, entry)
                    if name == "log":
                        if part in parts.SERVICES:
                            _make(folder, part)
                            _own_all(folder, part, its)
                        continue
                    _make(folder, part)
                    with _opened(part, _FOLDER, folder) as inside:
                        _make(inside, parts.state(part))
                    _own_all(folder, part, given, but={parts.state(part)})
                    with _opened(part, _FOLDER, folder) as inside:
                        _own_all(inside, parts.state(part), its)


def strange(var: Path, users: Mapping[str, Owner]) -> Iterator[Path]:
    """What in the parts' folders is not as `own` makes it; looks only."""
    about = var.stat()
    home = Owner(about.st_uid, about.st_gid)
    for part, entry in users.items():
        given, its = wanted(home, entry)
        place = parts.folder(var, part)
        yield from _strange(place, given, but=place / parts.state(part))
        yield from _strange(place / parts.state(part), its)


def _strange(top: Path, right: Wanted, but: Path | None = None) -> Iterator[Path]:
    for folder, names, files in os.walk(top, onerror=_raise):
        for path, is_folder in [(Path(folder), True), *((Path(folder) / name, False) for name in files)]:
            with contextlib.suppress(FileNotFoundError):  # gone meanwhile
                about = path.lstat()
                mode = stat.S_IMODE(about.st_mode)
                owned = about.st_uid in right.owners and about.st_gid == right.group
                fits = mode == right.folder if is_folder else not mode & 0o007
                if not stat.S_ISREG(about.st_mode) and not is_folder:
                    continue
                if not (owned and fits):
                    yield path
        names[:] = [name for name in names if Path(folder) / name != but]


def _raise(error: OSError) -> None:
    raise error


def _own_all(above: int, name: str, right: Wanted, but: frozenset[str] | set[str] = frozenset()) -> None:
    """Through no link: who could put one there may be another user than who could read what it leads to."""
    with _opened(name, _FOLDER, above):
        pass  # a link there is an error, and not nothing to do
    for path, names, files, folder in os.fwalk(name, dir_fd=above, onerror=_raise):
        _set(folder, _owner(os.fstat(folder), right), right.folder)
        for file in files:
            _own_file(folder, file, right)
        if path == name:
            names[:] = [one for one in names if one not in but]


def _own_file(folder: int, name: str, right: Wanted) -> None:
    """A plain one with that name alone; another thing is left as it lies, and so is what is gone meanwhile."""
    try:
        opened = os.open(name, _FILE, dir_fd=folder)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ELOOP, errno.ENXIO):  # a link, a socket
            return
        raise
    try:
        about = os.fstat(opened)
        if stat.S_ISREG(about.st_mode) and about.st_nlink == 1:
            _set(opened, _owner(about, right), right.file(stat.S_IMODE(about.st_mode)))
    finally:
        os.close(opened)


def _owner(about: os.stat_result, right: Wanted) -> Owner:
    return Owner(about.st_uid if about.st_uid in right.owners else right.owners[0], right.group)


def _set(descriptor: int, owner: Owner, mode: int) -> None:
    about = os.fstat(descriptor)
    if (about.st_uid, about.st_gid) != owner:
        os.fchown(descriptor, *owner)
    if stat.S_IMODE(os.fstat(descriptor).st_mode) != mode:
        os.fchmod(descriptor, mode)


def _make(above: int, name: str) -> None:
    with contextlib.suppress(FileExistsError):
        os.mkdir(name, 0o700, dir_fd=above)


@contextlib.contextmanager
def _opened(name: str | Path, how: int, above: int | None = None) -> Iterator[int]:
    descriptor = os.open(name, how, dir_fd=above)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def main(arguments: list[str]) -> int:
    """The exit code; says what it lacks."""
    var = Path(arguments[0]) if arguments else INSTALLED
    try:
        if not parts.are_contained(var):
            own(var, known())
    except (ConfigError, OSError) as error:
        print(f"homesystem: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
