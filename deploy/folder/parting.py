"""A home whose services had one user, taken apart: what each is to have goes into a folder of its own.

`python -m deploy.folder.parting FOLDER`, as the home's user, while nothing of it runs; owning.py comes after it.

Whatever interrupts it, it is begun again: all that is there stays as it is until the new folder stands, whole, under
its name. Databases are linked and not copied, however large; what lay where it lay before goes afterwards.
"""

import contextlib
import errno
import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from deploy.folder import parts
from deploy.pki.files import sync, write
from shared.running import installed
from shared.running.config import ConfigError

_BEGUN = f"{parts.SERVED}.new"
_NOTES = ("doctor.json", "backup.json", "backup-target.json")
"""What the hub's commands leave for the gateway (shared/keeping/notes.py)."""
_PASSING = ("mosquitto.pid", "watch")


def part(var: Path, place: Path | None = None) -> bool:
    """Take the home in `var` apart, which stands still; whether that was still to be done.

    `place`: where its files lie now, if not in `var` yet, which its configuration names. Raises ConfigError, OSError.
    """
    home = place or var
    if parts.are_contained(home) or not (home / "home.toml").exists():
        return False
    if _is_whole(home):
        _tidy(home)
        return False
    _begin(home, var)
    for folder in [home / _BEGUN, *(home / _BEGUN).rglob("*/")]:
        sync(folder)
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(home / parts.SERVED)  # empty folders, as root makes them for a home to come
    (home / _BEGUN).rename(home / parts.SERVED)
    sync(home)
    _tidy(home)
    return True


def is_due(home: Path) -> bool:
    """Whether a home lies in `home` whose services have one user still."""
    return (home / "home.toml").exists() and not parts.are_contained(home) and not _is_whole(home)


def _is_whole(home: Path) -> bool:
    """The gateway's configuration tells: every home has one, and it lies in one place or the other."""
    return (home / parts.SERVED / "gateway" / "gateway.toml").exists()


def _begin(home: Path, var: Path) -> None:
    begun = home / _BEGUN
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(begun)
    for name in parts.KEYS:
        for folder in (parts.state(name), "pki", "secrets"):
            (begun / name / folder).mkdir(parents=True)
    for path in _files(home / "mosquitto"):
        if path.name not in _PASSING:
            _link(path, begun / "broker" / "mosquitto")
    for name in _NOTES:
        if (home / "data" / name).is_file():
            _link(home / "data" / name, begun / "gateway" / "data")
    for service in parts.SERVICES:
        if (file := home / f"{service}.toml").exists():  # an older version had no readings; repair writes them
            _begin_service(service, file, begun / service, var)


def _begin_service(service: str, file: Path, begun: Path, var: Path) -> None:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: cannot be read ({error}); check it with homesystem doctor") from error
    for named in sorted(set(_named(text, var))):
        where = _place(service, named)
        if where is None or named == file.name or _is_handed_out(service, named):
            continue
        old = file.parent / named
        for path in _beside(old) if named.startswith("data/") else [old]:
            if path.is_file():
                _link(path, (begun / where).parent)
    write(begun / file.name, _told(text, service, var).encode(), 0o640)


def _link(path: Path, folder: Path) -> None:
    try:
        os.link(path, folder / path.name)
    except FileExistsError:
        return  # two names of one database begin alike
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        raise ConfigError(
            f"{path.parent} lies on another disk than the home, whose databases lie in {parts.SERVED} from now on: "
            "with nothing of it running, have all of the home on one disk, such as that one mounted in the home's "
            f"place with everything that is in the home now; then: {installed.again('hub')}"
        ) from error


def _tidy(home: Path) -> None:
    """Take away what lay where it lay before, and was linked; hand out what was not."""
    for service in parts.SERVICES:
        place = parts.folder(home, service)
        if (place / f"{service}.toml").exists():
            (home / f"{service}.toml").unlink(missing_ok=True)
        for folder in ("data", "secrets"):
            for path in _files(place / folder):
                for old in (home / "data" / path.name, home / "secrets" / path.name, home / "pki" / path.name):
                    if old.is_file() and old.samefile(path):
                        old.unlink()
        _move_logs(home, service)
    packages = parts.folder(home, "gateway") / "packages"
    if (home / "packages").is_dir() and not packages.exists():  # what a hub from git offers its rooms
        (home / "packages").rename(packages)
    for made_anew in (home / "mosquitto", home / "data" / "gateway-templates"):
        if made_anew.is_dir():
            shutil.rmtree(made_anew)
    (home / "mosquitto.conf").unlink(missing_ok=True)
    parts.hand_out(home)


def _move_logs(home: Path, service: str) -> None:
    target = home / "log" / service
    if not (home / "log").is_dir():
        return
    target.mkdir(exist_ok=True)
    for path in _files(home / "log"):
        if re.fullmatch(rf"{service}(-\w+)?\.log(\.\d{{4}}-\d\d-\d\d)?", path.name):
            path.rename(target / path.name)
            if path.name == f"{service}-security.log":
                path.symlink_to(Path(service) / path.name)  # fail2ban was told of it there


def _named(text: str, var: Path) -> Iterator[str]:
    """The files in the home that a configuration names, from the home's folder."""
    for found in re.finditer(rf"{re.escape(str(var))}/([^\"'\s#]+)", text):
        yield found[1]


def _told(text: str, service: str, var: Path) -> str:
    """The configuration, with each of them where it lies from now on."""

    def there(found: re.Match[str]) -> str:
        where = _place(service, found[1])
        return f"{var}/{found[1]}" if where is None else f"{var}/{parts.SERVED}/{service}/{where}"

    text = re.sub(rf"{re.escape(str(var))}/log(?=[\"'\s])", f"{var}/log/{service}", text)
    return re.sub(rf"{re.escape(str(var))}/(?!log/)([^\"'\s#]+)", there, text)


def _place(service: str, named: str) -> str | None:
    """Where a file of a service lies in the service's folder; None for what stays where it is."""
    first, _, rest = named.partition("/")
    if named == f"{service}.toml" or _is_handed_out(service, named):
        return named
    if first == "log":
        return None
    if first == "data" and rest:
        return f"data/{Path(rest).name}"
    return f"secrets/{Path(named).name}"


def _is_handed_out(service: str, named: str) -> bool:
    """Whether it gets there by itself (parts.hand_out)."""
    path = Path(named)
    if path.parts[0] == "pki":
        return path.suffix in (".crt", ".pem", ".json") or path.stem in parts.KEYS[service]
    return path.parts[0] == "secrets" and path.name in parts.SECRETS.get(service, ())


def _beside(path: Path) -> list[Path]:
    """A database with its journals, and torn ones that lie aside."""
    begins = (f"{path.name}-", f"{path.name}.")
    return [one for one in _files(path.parent) if one.name == path.name or one.name.startswith(begins)]


def _files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.glob("*")) if path.is_file() and not path.is_symlink()]


def main(arguments: list[str]) -> int:
    """The exit code; says what it did, and what it could not do."""
    os.umask(0o077)
    try:
        if part(var := Path(arguments[0])):
            print(f"each service of the home has its files in {var / parts.SERVED} now")
    except (ConfigError, OSError) as error:
        print(f"homesystem: the home could not be taken apart: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
