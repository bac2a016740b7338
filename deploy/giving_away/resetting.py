"""The steps of a factory reset: say what goes, be sure, write the last letters, stop everything, erase."""

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import typer
from rich.console import Console

from deploy.archives import absent
from deploy.folder import home as homes
from deploy.folder import owning, turns
from deploy.giving_away import erasing, household
from deploy.giving_away import letters as last_letters
from deploy.giving_away.household import Household
from deploy.running import still
from shared.words.problem import HomeError

console = Console(emoji=False)


def reset(var: Path, name: str | None, *, letters: bool) -> None:
    """Erase the home in `var`; `name` is the hub's, from whoever was not asked. One that was begun is finished unasked.

    Raises HomeError: not-found (no home), invalid-value (not meant, or it runs), no-proof (no letter could be sent).
    """
    installed = still.is_of_systemd(var)
    if installed and os.geteuid() != 0:
        raise HomeError("invalid-value", "This stops services and erases their files: run it with sudo.")
    if not erasing.begun(var):
        _ask(var, name, letters=letters, stopped=not installed)
    with turns.alone(var, "homesystem factory-reset"):  # what another command writes meanwhile would stay
        if installed:
            # All of it, and for good: what is enabled would look for a home at every start of this machine.
            subprocess.run([homes.ROOT / "deploy" / "dismiss.sh"], check=True)  # noqa: S603
            var.with_name(f"{var.name}.enabled").unlink(missing_ok=True)
        gone = erasing.erase(var)
    _tell([f"Erased: {', '.join(map(str, gone))}. `homesystem init` begins a new home."])
    if installed:
        # As a fresh installation leaves it, so that `homesystem init` finds who signs, and whose folders are whose.
        owning.own(var, owning.known())
        subprocess.run(["systemctl", "--quiet", "enable", "--now", "homesystem-signer.service"], check=True)  # noqa: S607


def _ask(var: Path, name: str | None, *, letters: bool, stopped: bool) -> None:
    """`stopped`: it must not run, as nobody here could stop it."""
    if not (var / "home.toml").exists():
        raise HomeError("not-found", f"{var}: there is no home here; set HOMESYSTEM_VAR to its folder.")
    if stopped:
        still.check(var)
    found = household.look(var)
    _tell(_what_goes(var, found))
    _be_sure(found.name, name)
    if not letters or found.demo:
        return
    if not found.masters:
        raise HomeError("not-found", "Nobody is known to write to; --no-letters goes on without. Nothing was erased.")
    with console.status("writing the last letters …"):
        unreached = last_letters.send(var, found)
    if unreached:
        said = "; ".join(f"{email}: {reason}" for email, reason in unreached.items())
        raise HomeError(
            "no-proof", f"No letter could be sent ({said}); --no-letters goes on without. Nothing was erased."
        )
    _tell([f"Told by letter: {', '.join(master.email for master in found.masters)}."])


def _what_goes(var: Path, found: Household) -> Iterable[str]:
    yield f"This erases the home of {found.name} from this machine, for good:"
    yield f"- {found.people} people, their rights, passwords and factors;"
    yield f"- the record, {found.row} rows, with readings and letters that wait;"
    yield f"- rooms {', '.join(found.rooms) or '(none)'}; clients {', '.join(found.clients) or '(none)'};"
    where = ", ".join(map(str, erasing.folders(var)))
    yield f"- settings, logs, certificates and the keys of both authorities, in {where}."
    for what in found.unread:
        yield f"Not readable, and erased all the same: {what}."
    yield (
        "Left, as it is not in there: backups that you took elsewhere; letters in people's mailboxes; this home's "
        "authority in browsers and telephones; what systemd's journal remembers; and each room's Pi, on which "
        "`sudo homesystem factory-reset` is to be run, too."
    )
    if found.demo:
        yield "It is a demo, whose mailbox goes as well: nobody is written to."
    for what, _ in absent.found(var, erasing.folders(var)):
        yield f"Left as well: {what}; remove it there."
    yield "To have the record later, end this (Ctrl-C) and make a backup first: homesystem backup"


def _be_sure(hub: str, said: str | None) -> None:
    if said is None:
        if not sys.stdin.isatty():
            raise HomeError("invalid-value", f"This cannot be taken back. Say that you mean it: --erase {hub}")
        said = typer.prompt(f"Type the hub's name ({hub}) to erase the home", default="", show_default=False)
    if said.strip() != hub:
        raise HomeError("invalid-value", f"{said!r} is not {hub}: nothing was erased.")


def _tell(lines: Iterable[str]) -> None:
    for line in lines:
        console.print(line, soft_wrap=True, highlight=False)
