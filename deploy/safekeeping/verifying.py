"""`homesystem backup verify`: a rehearsal. An archive is brought back into a folder of its own, and everything opened.

What is found is told, a sentence each; the folder is gone afterwards.
"""

import asyncio
import contextlib
import datetime as dt
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from alert_service.record import walk
from alert_service.store import open_store
from deploy.archives import packing, scratch
from deploy.archives.absent import databases
from deploy.archives.backup import HOME, Label
from deploy.archives.present import authority_of, vault_of
from deploy.folder import home as homes
from deploy.folder import parts
from deploy.pki import reading
from deploy.safekeeping import opening, restore, settling
from shared.running.config import ConfigError
from shared.words.problem import HomeError

_LIST = "pki/crl.pem"


class Found(NamedTuple):
    """One thing looked at, and whether it is well."""

    text: str
    well: bool


def verify(archive: Path, called: Path, var: Path, now: dt.datetime) -> Iterator[Found]:
    """Look at an archive that can be read, and is called otherwise where it was sealed.

    Raises HomeError where it is none, or there is no room for what is in it.
    """
    label = restore.read(archive)
    yield Found(f"{called.name} is whole: a backup of {label.at}, of the home in {label.folder}", well=True)
    with scratch.made(opening.place(var), scratch.VERIFY) as folder:
        work = {part: folder / part for part in restore.parts_in(archive)}
        for made in work.values():
            made.mkdir()
        try:
            restore.unpack(archive, work)
        except OSError as error:
            raise HomeError(
                "no-proof", f"There is no room in {folder.parent} to unpack it: {error.strerror}."
            ) from error
        looks: tuple[Callable[[], Iterator[Found]], ...] = (
            lambda: _whole(work[HOME]),
            lambda: _databases(work),
            lambda: _record(work[HOME], label),
            lambda: _certificates(work),
            lambda: _rehearsed(work, label, now),
        )
        for look in looks:
            yield from _examined(look)


def _examined(look: Callable[[], Iterator[Found]]) -> Iterator[Found]:
    try:
        yield from look()
    except (HomeError, ConfigError, OSError, ValueError, KeyError, sqlite3.Error) as error:
        yield Found(error.detail if isinstance(error, HomeError) else str(error), well=False)


def _whole(home: Path) -> Iterator[Found]:
    """What no home is without."""
    rights = parts.folder(home, "broker") / "mosquitto/dynamic-security.json"
    needed = [home / "home.toml", rights, home / _LIST]
    needed += [parts.config(home, service) for service in ("auth", "alerts", "gateway")]
    needed += [home / "secrets" / name for name in homes.SECRETS]
    missing = [str(path.relative_to(home)) for path in needed if not path.is_file()]
    msgspec.toml.decode((home / "home.toml").read_bytes())
    msgspec.json.decode(rights.read_bytes())
    if missing:
        yield Found(f"it has no {', '.join(missing)}", well=False)
    else:
        yield Found("configuration, secrets and the broker's rights are in it", well=True)


def _databases(work: Mapping[str, Path]) -> Iterator[Found]:
    """Each is opened, and read to its end."""
    sound = 0
    for path in sorted(one for folder in work.values() for one in packing.files(folder)):
        if not packing.is_database(path):
            continue
        try:
            with contextlib.closing(sqlite3.connect(path)) as database:
                said = [str(row[0]) for row in database.execute("PRAGMA integrity_check(3)")]
        except sqlite3.Error as error:
            said = [str(error)]
        if said != ["ok"]:
            yield Found(f"{path.name} is torn: {'; '.join(said)}", well=False)
        else:
            sound += 1
    yield Found(f"{sound} databases can be opened and are sound", well=sound > 0)


def _record(home: Path, label: Label) -> Iterator[Found]:
    """Every row of the record, by its chain."""
    found = dict(databases(home))
    if "alerts" not in found:
        return  # its configuration is missing, which `_whole` says
    if (named := found["alerts"]) is None:
        yield Found("the record lies on a server, and not in this backup", well=True)
        return
    file = home / named.relative_to(label.folder)
    spool = Path(msgspec.toml.decode(parts.config(home, "gateway").read_bytes())["spool"])
    if file.is_file():
        yield asyncio.run(_walked(f"sqlite+aiosqlite:///{file}"))
    elif (home / spool.relative_to(label.folder)).exists():
        yield Found(f"the record is not in it: there is no {file.relative_to(home)}", well=False)
    else:
        yield Found("there is no record yet: the home never ran", well=True)


async def _walked(url: str) -> Found:
    store = await open_store(url)
    try:
        verdict = [one async for one in walk.walk(store)][-1]  # one a batch, the last is the result
    finally:
        await store.close()
    if verdict.broken is not None:
        return Found(f"the record is broken: row {verdict.broken.row} {verdict.broken.reason}", well=False)
    told = f"up to row {verdict.row}, hash {verdict.head}" if verdict.row else "and empty"
    return Found(f"the record is whole {told}", well=True)


def _certificates(work: Mapping[str, Path]) -> Iterator[Found]:
    """Every certificate that has its key here is for that key, and of an authority of the home; and so is the list."""
    pki, vault = work[HOME] / "pki", vault_of(work)
    files = [authority_of(work), *pki.glob("*-ca*.crt"), *vault.glob("*-ca*.crt")]
    authorities = [one for path in files for one in reading.certificates(path)]
    pairs = 0
    for path in sorted([*pki.glob("*.crt"), *vault.glob("*.crt"), *vault.parent.glob("*.crt")]):
        if not (key := path.with_suffix(".key")).exists():
            continue
        certified = reading.certificate(path)
        if not reading.belong_together(reading.private_key(key), certified):
            yield Found(f"{path.name} and {key.name} do not belong together", well=False)
        elif not any(reading.is_signed_by(certified, one) for one in authorities):
            yield Found(f"{path.name} is of no authority of this home", well=False)
        pairs += 1
    if not (vault / "device-ca.key").exists():
        yield Found("the device authority's key is not in it: rooms could not be enrolled or renewed", well=False)
    lists = reading.revocation_lists(work[HOME] / _LIST)
    believed = reading.certificates(pki / "device-ca.crt")
    if not all(any(reading.is_list_of(one, authority) for one in lists) for authority in believed):
        yield Found("the revocation list is not of this home's authority", well=False)
    yield Found(f"{pairs} certificates were held against their keys and authorities", well=pairs > 0)


def _rehearsed(work: dict[str, Path], label: Label, now: dt.datetime) -> Iterator[Found]:
    """As a restore does it, to the last step before it lies in its place."""
    settling.settle(work, Path(label.folder), label, None, lambda _standing: (), now)
    yield Found("it can be brought back: accounts, authorities and rights were settled as a restore does it", well=True)
