"""What a backup of a home has not: databases on a server or beside the home, and what lies behind links."""

import os
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import msgspec

from deploy.archives import packing
from deploy.folder.parts import config
from shared.words.problem import HomeError

_MOST_LINKS = 5
"""So many are named, and of more it is said that there are more: whose folder it is may make any number."""


class Database(NamedTuple):
    """That of a service. `file`: where, as its configuration has it; None for one that lies on a server."""

    service: str
    file: Path | None


class Absent(NamedTuple):
    """In words: what a backup has not, and what to do about it."""

    what: str
    step: str

    def __str__(self) -> str:
        return f"{self.what}: {self.step}"


def databases(var: Path) -> list[Database]:
    """Those of the services that keep any. Raises HomeError("no-proof") where a service's configuration is none."""
    found = []
    for service in ("auth", "alerts", "readings"):
        if not (path := config(var, service)).exists():  # a home that an older version made has no readings
            continue
        try:
            url = str(msgspec.toml.decode(path.read_bytes()).get("database", ""))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise HomeError("no-proof", f"{path} cannot be read, and says where a database lies: {error}.") from error
        kind, _, file = url.partition("///")
        found.append(Database(service, Path(os.path.normpath(file)) if kind.startswith("sqlite") else None))
    return found


def found(var: Path, folders: Iterable[Path]) -> Iterator[Absent]:
    """All of it. `folders`: those of which the home consists. Raises as `databases` does."""
    yield from _databases_away(var)
    yield from _behind_links(folders)


def _databases_away(var: Path) -> Iterator[Absent]:
    for service, file in databases(var):
        if file is None:
            yield Absent(f"the database of {service}.toml lies on a server", "copy it with pg_dump")
        elif not file.is_relative_to(var):
            what = f"the database of {service}.toml lies in {file.parent}, outside the home"
            yield Absent(what, "copy it as well")


def _behind_links(folders: Iterable[Path]) -> Iterator[Absent]:
    all_links = (link for folder in folders for link in packing.links(folder))
    for link in islice(all_links, _MOST_LINKS):
        name = "".join(sign if sign.isprintable() else "?" for sign in str(link))
        yield Absent(f"what {name} leads to, a link", "copy it as well, or have the file itself there")
    if more := sum(1 for _ in all_links):
        what = f"what {more} more {'links lead' if more > 1 else 'link leads'} to"
        yield Absent(what, "find them with find -type l")


def files(var: Path) -> list[Path]:
    """The databases that a backup is to have. Raises HomeError("no-proof") where a service's configuration is none."""
    return [file for _, file in databases(var) if file is not None and file.is_relative_to(var)]


def check(needed: list[Path], there: set[Path]) -> None:
    """Links are left out: of a record that lies behind one a backup would have nothing, and look like a good one.

    Raises HomeError("no-proof") for a database that is needed and not there.
    """
    for file in needed:
        if file not in there:
            raise HomeError(
                "no-proof",
                f"{file} would not be in the backup: it lies behind a link, or went away. Put the file itself there; "
                "where it is to lie on another disk, mount that disk there.",
            )
