"""How the house is kept, gathered for API and pages alike: the master user's to see.

What one part cannot say is missing, and why is told; nothing that was not looked at counts as well.
"""

import asyncio
import shutil
from collections.abc import Awaitable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from aiohttp import web

from gateway import keys
from gateway.config import GatewayConfig
from gateway.door import sessions
from gateway.door.authority import AUTHORITY, HomeAuthority
from gateway.picture import guards
from gateway.picture.kept import Authorities, AuthorityKept, Disk, Facts, RoomKept
from shared.keeping import notes
from shared.running.config import ConfigError
from shared.running.log import security
from shared.trust import authority, tls
from shared.words.languages import later
from shared.words.noted import BackupMade, DoctorReport
from shared.words.problem import HomeError
from shared.words.version import VERSION

MASTER_ONLY = later("How the house is kept is the master user's to see.")

T = TypeVar("T")


async def facts(request: web.Request) -> Facts:
    """All that can be learned now. Raises HomeError: sign-in-required, forbidden."""
    info = sessions.signed_in(request)
    if not guards.may_look_after(info):
        security("forbidden", user=info.user.id, about="house")
        raise HomeError("forbidden", MASTER_ONLY)
    app, missing = request.app, dict[str, str]()
    home, folder = app[keys.HOME], app[keys.CONFIG].spool.parent

    async def or_missing(name: str, asked: Awaitable[T]) -> T | None:
        try:
            return await asked
        except HomeError as error:
            missing[name] = error.detail or error.title
            return None

    config, offered = app[keys.CONFIG], app[AUTHORITY]
    house, alerts, disk, doctor, backup, authorities = await asyncio.gather(
        or_missing("house", app[keys.AUTH].house()),
        or_missing("alerts", app[keys.ALERTS].ready()),
        or_missing("disk", asyncio.to_thread(_disk, folder)),
        or_missing("doctor", asyncio.to_thread(notes.read, folder, DoctorReport)),
        or_missing("backup", asyncio.to_thread(notes.read, folder, BackupMade)),
        or_missing("authorities", asyncio.to_thread(_authorities, config, offered)),
    )
    rooms = []
    for name in home.names():
        if (room := home.room(name)) is not None:
            said = home.description(name)
            version = said.agent_version if said is not None else None
            rooms.append(RoomKept(id=name, name=room.name, status=room.status, version=version))
    return Facts(
        now=datetime.now(UTC),
        version=VERSION,
        demo=app[keys.CONFIG].demo,
        writable=app[keys.PROOF].writable,
        rooms=tuple(rooms),
        house=house,
        alerts=alerts,
        disk=disk,
        doctor=doctor,
        backup=backup,
        authorities=authorities,
        missing=missing,
    )


def _authorities(config: GatewayConfig, offered: HomeAuthority) -> Authorities:
    device, web = config.broker.tls.ca, config.https.certificate.with_name(authority.FILE)
    try:
        followed = len(authority.fingerprints(device)) > 1
    except ConfigError as error:
        raise HomeError("internal", "The authorities' certificates cannot be read.") from error
    following = offered.following()
    return Authorities(
        device=AuthorityKept(ends_at=_ends(device), followed=followed),
        web=AuthorityKept(
            ends_at=_ends(web),
            followed=following is not None,
            changes_at=following.changes_at if following is not None else None,
        )
        if offered.now() is not None
        else None,
    )


def _ends(path: Path) -> datetime | None:
    """Of the first certificate in a file."""
    ends = tls.ends_at(path)
    return datetime.fromtimestamp(ends, UTC) if ends is not None else None


def _disk(folder: Path) -> Disk:
    try:
        usage = shutil.disk_usage(folder)
    except OSError as error:
        raise HomeError("internal", "The folder of the databases cannot be looked at.") from error
    return Disk(free=usage.free, total=usage.total)
