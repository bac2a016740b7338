"""Whether the code that is installed does what a home is for, on this machine and with this home: asked by an upgrade.

`python -m deploy.examining.fit --seconds N` prints what is wrong as JSON, a sentence by what it is called; `{}` where
all is well within N seconds. Nobody's account is touched, no letter is sent, and no real relay moves.
"""

import argparse
import asyncio
import json
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator

from alert_service import config as alerts_config
from alert_service.record import walk
from alert_service.store import open_store
from deploy.examining import check_running, check_sign_in, short_home
from deploy.examining.finding import Finding, examine
from deploy.folder import home as homes
from deploy.folder.home import Home
from deploy.running import installation
from deploy.running.installation import Installation
from shared.keeping import database

_AGAIN_SECONDS = 2.0
_ROWS = 20_000
"""How much of the record's end is looked at: all of it takes minutes where it is long."""
_LETTERS = "letters"
"""Of whom no letter is taken, no version decides."""


def wrong(home: Home, seconds: float) -> dict[str, str]:
    """What is wrong, by what it is called; what may take a while to come is given `seconds` for it."""
    here = installation.look(home)
    pause, end = threading.Event(), time.monotonic() + seconds
    while (found := _named(_running(home, here))) and time.monotonic() < end:
        pause.wait(_AGAIN_SECONDS)
    return found | _record(home) | _short_life()


def _running(home: Home, here: Installation) -> Iterator[Finding]:
    checks: tuple[tuple[str, Callable[[Home, Installation], Iterable[Finding]]], ...] = (
        ("broker", check_running.broker),
        ("services", check_running.services),
        ("sign-in", check_sign_in.sign_in),
        ("mail", check_running.mail_server),
    )
    for area, check in checks:
        yield from examine(area, lambda check=check: check(home, here))  # type: ignore[misc]


def _named(found: Iterable[Finding]) -> dict[str, str]:
    """Faults by area, those of a sign-in by its parts: a mail server that was away before is no other fault after."""
    faults = {}
    for one in found:
        if one.fine is False and one.area != _LETTERS:
            part = f" {one.text.split(':')[1].strip()}" if one.area == "sign-in" and one.text.count(":") > 1 else ""
            faults[one.area + part] = f"{one.area}: {one.text}"
    return faults


def _record(home: Home) -> dict[str, str]:
    url = alerts_config.read(home.config("alerts")).database
    if database.missing(url) is not None:
        return {}  # nothing was ever recorded
    broken = asyncio.run(_broken(url))
    return {"record": f"the record: row {broken}"} if broken else {}


async def _broken(url: str) -> str:
    store = await open_store(url)
    try:
        async with store.read() as connection:
            extent = await walk.extent(connection)
        begin = max(extent.first, extent.last - _ROWS, 1)
        seen = [verdict.broken async for verdict in walk.walk(store, from_row=begin)]
    finally:
        await store.close()
    return f"{broken.row} {broken.reason}" if seen and (broken := seen[-1]) is not None else ""


def _short_life() -> dict[str, str]:
    try:
        short_home.live()
    except short_home.ShortLifeError as error:
        return {"command": f"a home of its own beside this one: {error}"}
    return {}


def main() -> int:
    """0: it was looked at, whatever was found."""
    parser = argparse.ArgumentParser(prog="python -m deploy.examining.fit", description=__doc__)
    parser.add_argument("--seconds", type=float, default=0.0, help="how long to wait for what has just been started")
    asked = parser.parse_args()
    os.umask(0o077)
    print(json.dumps(wrong(homes.find(homes.folder()), asked.seconds)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
