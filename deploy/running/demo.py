"""The demo home: three simulated rooms, three users with random passwords, a local mailbox."""

import contextlib
import os
import random
import secrets
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from auth_service import config as auth_config
from auth_service.hub import accounts
from deploy.allowing import rights
from deploy.folder import home as homes
from deploy.folder import turns
from deploy.pki.files import write
from deploy.running import up
from deploy.running.ready import DemoUser
from shared.words.internal import Grant
from shared.words.names import Role

ROOMS = ("hall", "kitchen", "garage")
_PEOPLE = (
    ("master@home.example", "Master", Role.MASTER),
    ("member@home.example", "Member", Role.MEMBER),
    ("guest@home.example", "Guest", Role.GUEST),
)
_OUT_OF_THE_WAY = range(20000, 32000)
"""Below the ports that the kernel gives to outgoing connections, which might hold one when its service starts anew."""
_GUEST_MAY = (Grant(room="hall", device="lamp"),)


async def create(var: Path) -> homes.Home:
    """Set up the demo home in `var`: all that a first start needs, so that later ones find it as it was left."""
    with _turn(var):
        return await _create(var)


def _turn(var: Path) -> contextlib.AbstractContextManager[None]:
    var.mkdir(parents=True, exist_ok=True)
    return turns.turn(var, "homesystem init --demo")


async def _create(var: Path) -> homes.Home:
    home = homes.create(var, homes.Settings(demo=True, readings_port=readings_port(os.environ, free=_is_free)))
    for name in ("mail", "sim"):
        (var / name).mkdir(exist_ok=True)
    users = [DemoUser(email, secrets.token_urlsafe(12), role) for email, _, role in _PEOPLE]
    async with accounts.opened(auth_config.read(home.config("auth")), founding=True) as book:
        for (email, name, role), user in zip(_PEOPLE, users, strict=True):
            await book.create_user(
                email=email,
                name=name,
                password=user.password,
                role=role,
                grants=_GUEST_MAY if role is Role.GUEST else (),
            )
        for room in ROOMS:
            await book.enrol_identity(room, "room")
    for room in ROOMS:
        home.authority().ensure_client(room, "room")
        homes.render(home, f"agents/{room}", var / "agents" / f"{room}.toml")
    hub = [rights.hub_role(name) for name in rights.HUB_CLIENTS]
    # Their files lie here, so that nobody need wait for their descriptions.
    homes.write_rights(home, hub + [rights.room_role(room, _devices(var, room)) for room in ROOMS])
    write(var / "demo-users.json", msgspec.json.format(msgspec.json.encode(users), indent=2) + b"\n", 0o600)
    homes.seal(home)
    return home


def readings_port(environment: Mapping[str, str], *, free: Callable[[int], bool]) -> int:
    """The port on which the recorder listens where the environment names none: nobody outside the home ever needs it.

    It is the usual one where no other port is moved and nobody has it; else any that is `free` and not this home's.
    """
    usual = homes.Settings(demo=True)
    given = {name: environment[name] for name in usual.ports if name in environment}
    if "HOMESYSTEM_READINGS_PORT" in given or (not given and free(usual.readings_port)):
        return usual.readings_port
    tried = random.SystemRandom().sample(_OUT_OF_THE_WAY, len(_OUT_OF_THE_WAY))
    return next((port for port in tried if str(port) not in given.values() and free(port)), usual.readings_port)


def _is_free(port: int) -> bool:
    return up.port_is_free(homes.HERE, port)


def _devices(var: Path, room: str) -> list[str]:
    file = tomllib.loads((var / "agents" / f"{room}.toml").read_text())
    return [device["id"] for device in file["devices"]]
