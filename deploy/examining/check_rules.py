"""What the doctor sees of the rules for letters: do the places that they name exist, and tell of such things?"""

import asyncio
from collections.abc import Iterator

from alert_service import config as alerts_config
from alert_service.telling import notice_check
from auth_service import config as auth_config
from auth_service import store as auth_store
from auth_service.home import room_rows
from deploy.examining.finding import Finding, well, wrong
from deploy.folder.home import Home
from shared.keeping import database
from shared.words.internal import RegisteredRoom


def rules(home: Home) -> Iterator[Finding]:
    """Rules on happenings against the registry; what is wrong with a rule by itself stands under `settings`."""
    written = alerts_config.read(home.config("alerts")).rules
    mine = [rule for rule in written if rule.on_happenings]
    if not mine:
        yield well("rules", f"{len(written)} of its own, none on happenings")
        return
    url = auth_config.read(home.config("auth")).database
    if database.missing(url) is not None:
        return  # `enrolments` says so
    rooms = asyncio.run(_rooms(url))
    devices = {f"{room.id}/{device.id}": device.kind for room in rooms for device in room.devices}
    faults = list(notice_check.against(written, devices, [room.id for room in rooms]))
    for fault in faults:
        yield wrong("rules", fault, f"mend it in {home.config('alerts')}, and try it: `homesystem rule try`")
    if not faults:
        yield well("rules", f"{len(written)} of its own, {len(mine)} on happenings of places that are here")


async def _rooms(url: str) -> tuple[RegisteredRoom, ...]:
    store = await auth_store.open_store(url)
    try:
        async with store.read() as connection:
            return await room_rows.all_enrolled(connection)
    finally:
        await store.close()
