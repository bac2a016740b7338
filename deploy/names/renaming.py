"""Gives the hub another name: `home.toml` says so first, and all else follows from it, however often it is tried.

Until the owner says that it is done, browsers are served under the old name as well, each with the authority that it
trusts; the broker keeps the old name until no room is known to need it.
"""

import asyncio
import re
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from auth_service import config as auth_config
from auth_service.hub import accounts
from deploy.authority import web_rotating
from deploy.folder import home as homes
from deploy.folder import naming
from deploy.folder.home import Home
from deploy.founding import checks
from deploy.live_broker import descriptions, taking_up
from deploy.names import editing
from shared.running.config import ConfigError
from shared.words.problem import HomeError

_EDITED = {"alerts": ("letters.host", "smtp.greeting"), "auth": ("smtp.greeting",)}
"""Where the name stands in files that are the owner's, and is changed if it still is the old one."""

_HOST = re.compile(r"[A-Za-z0-9.:-]+")


class Renamed(NamedTuple):
    """The home under its new name; what the owner has to write by hand, a line each."""

    home: Home
    by_hand: list[str]


class Followers(NamedTuple):
    """Who may still know the hub by a former name: rooms, each with what is known of it, and trusted clients."""

    rooms: dict[str, str]
    clients: list[str]


def begin(home: Home, name: str) -> Renamed:
    """Name the hub `name` from now on; repeatable, and killed anywhere it is finished by the next try.

    Raises HomeError("invalid-value") for a name that cannot be, while it is being given another one already, and while
    another web authority is offered; ConfigError where home.toml was given another name by hand.
    """
    settings, name = home.settings, checks.host_name(name)
    naming.check(home.var, settings.name, settings.former_names)
    if settings.demo:
        raise HomeError("invalid-value", "The demo home is for this machine alone: it is localhost.")
    if name == settings.name and not settings.former_names:
        raise HomeError("invalid-value", f"The hub is {name} already.")
    if name not in (settings.name, *settings.former_names):
        if settings.former_names:
            raise HomeError(
                "invalid-value",
                f"The hub is being renamed from {settings.former_names[0]} to {settings.name}: end that first "
                f"(homesystem rename --done), or go back (homesystem rename {settings.former_names[0]}).",
            )
        if web_rotating.look(home).phase is not None:
            raise HomeError(
                "invalid-value",
                "Another web authority is being offered to browsers, under the name that the hub has: end that first "
                "(homesystem authority rotate web --finish).",
            )
        _note(home, name, former=[settings.name], broker_names=[settings.name, *settings.former_broker_names])
    elif name != settings.name:
        others = [settings.name, *(former for former in settings.former_names if former != name)]
        _note(home, name, former=others, broker_names=[*others, *settings.former_broker_names])
    home = homes.find(home.var)
    homes.renew(home)
    taking_up.reload(home)
    return Renamed(home, _edit(home))


def end_for_browsers(home: Home) -> Home:
    """Serve browsers under the new name alone."""
    editing.change(home.var / "home.toml", {"former_names": []})
    home = homes.find(home.var)
    homes.renew(home)
    return home


def end_for_rooms(home: Home, followers: Followers) -> Home:
    """Take the former names from the broker's certificate, if no room may need them any more."""
    if followers.rooms or not home.settings.former_broker_names or home.settings.former_names:
        return home
    editing.change(home.var / "home.toml", {"former_broker_names": []})
    home = homes.find(home.var)
    homes.renew(home)
    taking_up.reload(home)
    return home


async def followers(home: Home) -> Followers:
    """Who may still know the hub by a former name, as rooms tell it of themselves at every connection."""
    async with accounts.opened(auth_config.read(home.config("auth"))) as book:
        standing = [row for row in await book.list_identities() if row.revoked_at is None]
    enrolled = [row.name for row in standing if row.role == "room"]
    rooms = behind(enrolled, _told(home), home.settings.former_broker_names) if enrolled else {}
    return Followers(rooms, [row.name for row in standing if row.role == "client"])


async def passkeys(home: Home) -> tuple[int, int]:
    """How many passkeys end with the hub's former name, and of how many people.

    None where gateway.toml says for which name they are, whatever the hub is called.
    """
    from gateway import config as gateway_config

    if gateway_config.load_config(home.config("gateway")).https.passkey_name:
        return 0, 0
    async with accounts.opened(auth_config.read(home.config("auth"))) as book:
        return await book.count_passkeys()


def behind(enrolled: Iterable[str], told: Mapping[str, str | None], former: Collection[str]) -> dict[str, str]:
    """The rooms that are not known to reach the hub otherwise than by a former name, each with what is known, pure.

    `told` has the name or address by which a room says it reaches the hub, None for one that does not say.
    """
    found = {}
    for room in enrolled:
        if room not in told:
            found[room] = "has not been heard of"
        elif (hub := told[room]) is None:
            found[room] = "does not say by which name: its agent is older"
        elif hub.lower() in former:
            found[room] = f"reaches the hub as {hub.lower()}"
    return found


def _told(home: Home) -> dict[str, str | None]:
    """By which name each room says that it reaches the hub; nothing where no broker runs."""
    # A room's word: only a name is shown, and only as one.
    return {
        room: told.hub if told.hub is not None and _HOST.fullmatch(told.hub) else None
        for room, told in descriptions.read(home).items()
    }


def _note(home: Home, name: str, *, former: list[str], broker_names: list[str]) -> None:
    asyncio.run(_prove(home, name))
    kept = [each for each in dict.fromkeys(broker_names) if each != name]
    editing.change(home.var / "home.toml", {"name": name, "former_names": former, "former_broker_names": kept})


async def _prove(home: Home, name: str) -> None:
    async with accounts.opened(auth_config.read(home.config("auth"))) as book:
        await book.rename_hub(home.settings.name, name)


def _edit(home: Home) -> list[str]:
    """Put the new name into the owner's files; returns what has to be written by hand."""
    by_hand = []
    for service, places in _EDITED.items():
        for place in places:
            for old in home.settings.former_names:
                try:
                    editing.replace(home.config(service), place, old, home.settings.name)
                except ConfigError as error:
                    by_hand.append(str(error))
    return by_hand
