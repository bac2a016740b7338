"""`homesystem room join ROOM HUB:PORT --ca FILE`: on the Pi, as the hub's line has it; the token by standard input."""

import getopt
import getpass
import os
import sys
from pathlib import Path

from device_agents.joining import board, steps
from shared.running import installed
from shared.words.problem import HomeError

USAGE = """usage: homesystem room join ROOM HUB:PORT --ca FILE [--out FOLDER]

Makes this machine the room ROOM of the home whose hub is at HUB:PORT. `homesystem room add ROOM` on the hub prints a
line that does it all. FILE is the authority by which the hub is believed; the line's token is read from standard input.
--out only writes what a room needs into FOLDER, puts nothing in its place, and starts nothing."""
_TOKEN_MOST = 256


def main(words: list[str]) -> int:
    """The exit code: 0 where the machine is the room, 2 for a wrong call, 1 for anything else, which is told."""
    try:
        named, rest = getopt.gnu_getopt(words, "", ["help", "ca=", "out="])
        options = dict(named)
        if "--help" in options:
            print(USAGE)
            return 0
        if len(rest) != 2 or "--ca" not in options:
            raise getopt.GetoptError("name the room, the hub and --ca")
    except getopt.GetoptError as error:
        print(f"{error}\n{USAGE}", file=sys.stderr)
        return 2
    os.umask(0o077)
    room, place = rest
    out = options.get("--out")
    try:
        if out is None:
            steps.check_root()
        return _join(room, place, Path(options["--ca"]), None if out is None else Path(out))
    except HomeError as error:
        print(f"room join: {error.detail}", file=sys.stderr)
        return 1


def _join(room: str, place: str, anchor: Path, out: Path | None) -> int:
    folder = out if out is not None else steps.WORK / room
    wish = steps.Wish(room=room, place=place, anchor=anchor, token=_token())
    if out is None and steps.is_done(room, folder, steps.HOME, wish.token):
        print(f"This machine is room {room} already; it is as it was.")
        return 0
    with steps.alone(room, folder):
        steps.fetch(wish, folder, board.found)
        if out is not None:
            print(f"What room {room} needs lies in {folder}.")
            return 0
        steps.place(room, folder, installed.CODE / "deploy" / "place-room.sh")
        steps.forget(folder, wish.token)
    print(f"This machine is room {room} now. What hangs on which pin: sudo nano {steps.HOME}/agents/{room}.toml")
    print(f"The file has the pins of this board that are free. Then: sudo systemctl restart homesystem-agent@{room}")
    return 0


def _token() -> str:
    """From the line, or typed where somebody sits."""
    given = getpass.getpass("The line's token: ") if sys.stdin.isatty() else sys.stdin.read(_TOKEN_MOST)
    return given.strip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
