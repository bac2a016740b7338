"""The line that `homesystem room add` and `client add` print, and what is said beside it."""

import sys
from typing import Literal, NamedTuple

from deploy.enrolling import opening
from deploy.enrolling.opening import DeviceRef, Opening
from deploy.folder import home as homes
from deploy.folder import parts
from shared.running import offered
from shared.words import join_line


class Line(NamedTuple):
    """A line, and the window behind it."""

    text: str
    opening: Opening


def open_for(home: homes.Home, name: str) -> Line:
    """Open a window for a new room. Raises as opening.new."""
    return line(opening.new(home, name, "room", []), "room")


def open_for_client(home: homes.Home, name: str, may: list[DeviceRef]) -> Line:
    """Open a window for a new client, which may command and hear these devices. Raises as opening.new."""
    return line(opening.new(home, name, "client", may), "client")


def line(made: Opening, role: Literal["room", "client"]) -> Line:
    """What is pasted, for a window that is open."""
    write = join_line.line if role == "room" else join_line.client_line
    text = write(host=made.host, port=made.port, sha256=made.sha256, name=made.name, token=made.token)
    return Line(text, made)


def show(home: homes.Home, line: Line, command: str = "homesystem room add") -> None:
    """A room's: the line alone on standard output, so that it can be handed on; beside it what is to be known of it."""
    name, minutes, place = line.opening.name, line.opening.minutes, parts.folder(home.var, "gateway")
    say = [
        f"Paste this on the Pi of room {name}, all of it. It works once, for {minutes} minutes; another",
        f"`{command} {name}` prints another line and ends this one.",
    ]
    if targets := offered.targets(offered.folders(place)):
        say.append(f"A Pi without the agent gets it from here: {', '.join(targets)}.")
    else:
        say.append(
            "This hub offers no package of the agent, so the Pi must have it already; "
            f"{place / offered.FOLDER} is where packages belong (docs/packages.md)."
        )
    _print(say, line)


def show_for_client(line: Line, command: str = "homesystem client add") -> None:
    """As `show`."""
    name, minutes = line.opening.name, line.opening.minutes
    say = [
        f"Paste this on the machine of {name}, all of it, where its files are to lie: it makes the folder",
        f"{name} there, or that which you name after to= at its beginning.",
        f"It works once, for {minutes} minutes; another `{command} {name}` prints another",
        "line and ends this one.",
    ]
    _print(say, line)


def _print(say: list[str], line: Line) -> None:
    print("\n".join(say), file=sys.stderr, flush=True)
    print(line.text, flush=True)
