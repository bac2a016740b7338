"""`homesystem upgrade [FILE.deb...]`, and what finishes one that was cut off, when the machine starts again.

`python -m deploy.upgrading PLACE [FILE...]`, where PLACE says whose code it is: the package's name, or `checkout`.
"""

import argparse
import signal
import sys
from pathlib import Path

from deploy.upgrading import course
from deploy.upgrading.journal import Journal, alone
from deploy.upgrading.place import Place, UpgradeError, say

PACKAGED, CHECKOUT = Path("/usr/lib/homesystem"), Path("/opt/homesystem")
_KINDS = {"home-system": "hub", "home-system-agent": "room"}
_FROM_GIT = "checkout"
_OF_A_HUB = Path("/etc/systemd/system/homesystem-gateway.service")
"""What install.sh puts on a hub alone."""


def main(place: Place, *files: Path, finish: bool = False, dumped: bool = False) -> int:
    """Begin one, or finish the one that was cut off; `finish`: nothing else. 1 where the newer version is not there."""
    try:
        with alone(place) as book:
            journal = book.read()
            if journal is not None:
                say(
                    f"The upgrade from {journal.before} to {journal.after} was cut off ({journal.step}): finishing it …"
                )
                _hold_on()
                return _told(course.go_on(place, book, journal, again=True))
            if finish or (journal := course.begin(place, book, files, dumped=dumped)) is None:
                return 0
            _hold_on()
            return _told(course.go_on(place, book, journal))
    except (UpgradeError, OSError) as error:
        print(f"homesystem: {error}", file=sys.stderr)
        if place.closed.exists():
            print("It is not finished: see to that, then: sudo homesystem upgrade", file=sys.stderr)
        return 1


def _hold_on() -> None:
    """From here on it is safer to come to an end than to stop where somebody types Ctrl-C or a connection is lost."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def _told(journal: Journal) -> int:
    if not journal.why:
        say(f"This machine has {journal.after}, and all is well.")
        return 0
    stands = "is as it was before, and runs" if journal.restored else "has its former version: sudo homesystem doctor"
    print(f"homesystem: {journal.after} was not kept: {journal.why}\nThis machine {stands}.", file=sys.stderr)
    return 1


def parsed(words: list[str]) -> tuple[Place, argparse.Namespace]:
    """What the command line asks for."""
    does = "Brings the code up to date. Where the home is not well afterwards, code and home go back by themselves."
    parser = argparse.ArgumentParser(prog="homesystem upgrade", description=does)
    parser.add_argument("place", choices=[*sorted(_KINDS), _FROM_GIT], help=argparse.SUPPRESS)
    told = "the newer package's file, of several the newest for this machine; left out, apt is asked for one"
    parser.add_argument("files", nargs="*", type=Path, metavar="file", help=told)
    parser.add_argument("--finish", action="store_true", help="finish one that was cut off, and begin none")
    parser.add_argument("--dumped", action="store_true", help="databases that are in no copy were dumped just now")
    asked = parser.parse_args(words)
    if asked.place == _FROM_GIT:
        place = Place(kind="hub" if _OF_A_HUB.exists() else "room", package="", code=CHECKOUT)
    else:
        place = Place(kind=_KINDS[asked.place], package=asked.place, code=PACKAGED)
    return place, asked


if __name__ == "__main__":
    where, said = parsed(sys.argv[1:])
    paths = [path.absolute() for path in said.files]
    raise SystemExit(main(where, *paths, finish=said.finish, dumped=said.dumped))
