"""`make manual`: writes the manual page homesystem(1), for the Debian packages, from the commands themselves."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer.main

from deploy.__main__ import app

PAGE = Path(__file__).resolve().parents[1] / "deploy" / "debs" / "papers" / "homesystem.1"
BY_THE_WRAPPER = (
    (
        "upgrade [FILE.deb...]",
        "Bring the code up to date, from a file or by apt: copied first, tried, and put back where the home is not "
        "well. Finishes one that was cut off.",
    ),
    ("room place NAME FOLDER", "On a room's Pi: put what `homesystem room add` wrote on the hub in its place."),
    ("room join NAME HUB:PORT", "On a room's Pi: what the line of `homesystem room add` ends in; it becomes the room."),
)
"""What `deploy/homesystem.sh` does itself; on a room's machine it knows these alone."""
_HEAD = r""".TH HOMESYSTEM 1 "" "Home System" "Home System"
.SH NAME
homesystem \- set up a home, run it, and change who may do what in it
.SH SYNOPSIS
.B sudo homesystem
.I COMMAND
.RI [ OPTION " ...] [" ARGUMENT " ...]"
.SH DESCRIPTION
The command of a hub. It works in the home in
.IR /var/lib/homesystem ,
and as the home's own user. What a command takes:
.B homesystem
.I COMMAND
.BR \-\-help .
.SH COMMANDS
"""
_TAIL = r""".SH EXIT STATUS
0 where it went well, 1 where it did not or where something is to be mended; what, and how, is printed.
.SH FILES
.TP
.I /var/lib/homesystem
The home: settings, accounts, keys, the record of who did what.
.TP
.I /var/lib/homesystem\-signer
The keys of the home's two authorities.
.SH SEE ALSO
The pages in
.IR /usr/share/doc/home\-system ;
begin with
.IR setup.md .
"""


def commands(group: Any, before: str = "") -> Iterator[tuple[str, str]]:
    """Every command with its arguments, and the first line of its help."""
    for name, one in group.commands.items():
        if hasattr(one, "commands"):
            if one.invoke_without_command:
                yield f"{before}{name}", (one.help or "").replace("\n", " ")
            yield from commands(one, f"{before}{name} ")
        elif not one.hidden:
            arguments = [str(given.name).upper() for given in one.params if given.param_type_name == "argument"]
            yield " ".join((before + name, *arguments)), (one.help or "").split("\n\n")[0].replace("\n", " ")


def render() -> str:
    """The page in roff."""
    found = sorted([*commands(typer.main.get_command(app)), *BY_THE_WRAPPER])
    return _HEAD + "".join(f".TP\n.B {_plain(name)}\n{_plain(told)}\n" for name, told in found) + _TAIL


def _plain(text: str) -> str:
    """Text as roff takes it: a hyphen that can be typed again, and no line that it would take for an order."""
    return text.replace("\\", "\\e").replace("-", "\\-").replace("\n", " ")


if __name__ == "__main__":
    PAGE.write_text(render())
