"""The line that `homesystem room add` and `client add` print: hub, hash and token of a window opened for the name."""

import asyncio
import hashlib
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from auth_service import config as auth_config
from auth_service.hub import windows
from auth_service.joining.windows import Opened
from deploy.enrolling.enrol import DeviceRef
from deploy.folder import home as homes
from deploy.folder import turns
from deploy.live_broker import broker, taking_up
from shared.running import offered
from shared.running.config import ConfigError
from shared.trust import authority, tls
from shared.words import join_line
from shared.words.internal_joining import Kind


class Line(NamedTuple):
    """A line, for which room or client it is, and until when it works."""

    text: str
    name: str
    until: datetime


def open_for(home: homes.Home, name: str) -> Line:
    """Open a window for a new room.

    Raises HomeError: invalid-value, already-exists, no-proof, broker-unreachable; ConfigError.
    """
    where = _where(home)
    opened = _open(home, name, "room", ())
    text = join_line.line(host=where.host, port=where.port, sha256=where.sha256, name=name, token=opened.token)
    return Line(text, name, opened.expires_at)


def open_for_client(home: homes.Home, name: str, may: list[DeviceRef]) -> Line:
    """Open a window for a new client, which may command and hear these devices. Raises as `open_for`, and not-found."""
    where = _where(home)
    opened = _open(home, name, "client", tuple(dict.fromkeys("/".join(device) for device in may)))
    text = join_line.client_line(host=where.host, port=where.port, sha256=where.sha256, name=name, token=opened.token)
    return Line(text, name, opened.expires_at)


def open_again(home: homes.Home, name: str, kind: Kind) -> Line:
    """Open a window for a room or client that there is, on another machine. What it has had is refused from now on.

    May be repeated, as after an interruption. Raises HomeError: not-found, no-proof, what signer and broker say;
    ConfigError.
    """
    where = _where(home)

    async def ask() -> Opened:
        async with windows.opened(auth_config.read(home.config("auth"))) as book:
            return await book.open_again(name, kind)

    with turns.turn(home.var, f"homesystem {kind} renew {name}"):
        opened = asyncio.run(ask())
        home.authority().retire(name)
        taking_up.reload(home)
        broker.drop(home, [name])
    made = join_line.line if kind == "room" else join_line.client_line
    text = made(host=where.host, port=where.port, sha256=where.sha256, name=name, token=opened.token)
    return Line(text, name, opened.expires_at)


def show(home: homes.Home, line: Line, command: str = "homesystem room add") -> None:
    """A room's: the line alone on standard output, so that it can be handed on; beside it what is to be known of it."""
    say = [
        f"Paste this on the Pi of room {line.name}, all of it. It works once, for {_minutes(line)} minutes; another",
        f"`{command} {line.name}` prints another line and ends this one.",
    ]
    if targets := offered.targets(offered.folders(home.var)):
        say.append(f"A Pi without the agent gets it from here: {', '.join(targets)}.")
    else:
        say.append(
            "This hub offers no package of the agent, so the Pi must have it already; "
            f"{homes.folder() / offered.FOLDER} is where packages belong (docs/packages.md)."
        )
    _print(say, line)


def show_for_client(line: Line, command: str = "homesystem client add") -> None:
    """As `show`."""
    say = [
        f"Paste this on the machine of {line.name}, all of it, where its files are to lie: it makes the folder",
        f"{line.name} there, or that which you name after to= at its beginning.",
        f"It works once, for {_minutes(line)} minutes; another `{command} {line.name}` prints another",
        "line and ends this one.",
    ]
    _print(say, line)


def _minutes(line: Line) -> int:
    return round((line.until - datetime.now(UTC)).total_seconds() / 60)


def _print(say: list[str], line: Line) -> None:
    print("\n".join(say), file=sys.stderr, flush=True)
    print(line.text, flush=True)


class _Where(NamedTuple):
    """Where the hub is, and the hash of that by which it is believed."""

    host: str
    port: int
    sha256: str


def _where(home: homes.Home) -> _Where:
    certificate = homes.own_certificate(home) or home.pki / "web.crt"
    sha256 = hashlib.sha256(authority.anchor(certificate)).hexdigest()
    return _Where(_host(home, certificate), home.settings.https_port, sha256)


def _host(home: homes.Home, certificate: Path) -> str:
    """The name under which the hub is reached; of a certificate of the household's own, one of its names."""
    named = tls.names(certificate)
    if home.settings.name in named:
        return home.settings.name
    first = tls.first_name(certificate)
    if first is None:
        raise ConfigError(f"{certificate}: names no host, so that no line can say where the hub is; use --out")
    return first


def _open(home: homes.Home, name: str, kind: Kind, devices: tuple[str, ...]) -> Opened:
    async def ask(*, unfinished: bool) -> Opened:
        async with windows.opened(auth_config.read(home.config("auth"))) as book:
            return await book.open(name, kind, devices, unfinished=unfinished)

    with turns.turn(home.var, f"homesystem {kind} add {name}"):
        # Who has nothing at the broker never came in: a name that an interrupted enrolment left is free for this.
        return asyncio.run(ask(unfinished=not broker.standing(home, name).admitted))
