"""The line that `homesystem room add` prints: a window is opened for the name; the line has hub, hash and token."""

import asyncio
import hashlib
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from auth_service import config as auth_config
from auth_service.hub import windows
from auth_service.joining.windows import Opened
from deploy.folder import home as homes
from deploy.folder import turns
from deploy.live_broker import broker
from shared.running import offered
from shared.running.config import ConfigError
from shared.trust import authority, tls
from shared.words import join_line


class Line(NamedTuple):
    """A line, for which room it is, until when it works, and for which Pis the hub has the agent's package."""

    text: str
    room: str
    until: datetime
    offered: list[str]


def open_for(home: homes.Home, name: str) -> Line:
    """Open a window for a new room.

    Raises HomeError: invalid-value, already-exists, no-proof, broker-unreachable; ConfigError.
    """
    certificate = homes.own_certificate(home) or home.pki / "web.crt"
    host, sha256 = _host(home, certificate), hashlib.sha256(authority.anchor(certificate)).hexdigest()
    with turns.turn(home.var, f"homesystem room add {name}"):
        # Who has nothing at the broker never came in: a name that an interrupted enrolment left is free for this.
        unfinished = not broker.standing(home, name).admitted
        opened = asyncio.run(_open(home, name, unfinished=unfinished))
    text = join_line.line(host=host, port=home.settings.https_port, sha256=sha256, room=name, token=opened.token)
    return Line(text, name, opened.expires_at, offered.targets(offered.folders(home.var)))


def show(line: Line) -> None:
    """The line alone on standard output, so that it can be handed on; what is to be known of it beside that."""
    minutes = round((line.until - datetime.now(UTC)).total_seconds() / 60)
    say = [
        f"Paste this on the Pi of room {line.room}, all of it. It works once, for {minutes} minutes; another",
        f"`homesystem room add {line.room}` prints another line and ends this one.",
    ]
    if line.offered:
        say.append(f"A Pi without the agent gets it from here: {', '.join(line.offered)}.")
    else:
        say.append(
            "This hub offers no package of the agent, so the Pi must have it already; "
            f"{homes.folder() / offered.FOLDER} is where packages belong (docs/packages.md)."
        )
    print("\n".join(say), file=sys.stderr, flush=True)
    print(line.text, flush=True)


def _host(home: homes.Home, certificate: Path) -> str:
    """The name under which the hub is reached; of a certificate of the household's own, one of its names."""
    named = tls.names(certificate)
    if home.settings.name in named:
        return home.settings.name
    first = tls.first_name(certificate)
    if first is None:
        raise ConfigError(f"{certificate}: names no host, so that no line can say where the hub is; use --out")
    return first


async def _open(home: homes.Home, name: str, *, unfinished: bool) -> Opened:
    async with windows.opened(auth_config.read(home.config("auth"))) as book:
        return await book.open(name, unfinished=unfinished)
