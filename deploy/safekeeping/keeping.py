"""`homesystem restore`: a home comes back from a backup, and whoever was revoked since does not."""

import contextlib
import datetime as dt
import os
import signal
import subprocess
import sys
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from deploy.archives import backup as backups
from deploy.archives import plan as plans
from deploy.archives import present
from deploy.archives.plan import INSTALLED
from deploy.folder import home as homes
from deploy.folder import owning, turns
from deploy.running import still
from deploy.safekeeping import beside, opening, settling, telling
from deploy.safekeeping import restore as restoring
from shared.running import installed
from shared.words.problem import HomeError

console = Console(emoji=False)


def restore(
    file: Annotated[Path, typer.Argument(help="The backup, or a folder of them: its newest.")],
    *,
    replace: Annotated[bool, typer.Option("--replace", help="Also where there is a home: it is put aside.")] = False,
    revoked: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A room or client that was revoked, lost or stolen since; repeat for more."),
    ] = None,
    none_revoked: Annotated[bool, typer.Option("--none-revoked", help="There is no such room or client.")] = False,
    key: Annotated[
        Path | None, typer.Option("--key", metavar="FILE", help="The key's file, for a backup that is sealed.")
    ] = None,
) -> None:
    """Bring back the home of a backup, in the folder where it was. What runs is stopped, and started again after it.

    Whoever was revoked since stays so, everyone is signed out, and API tokens are void.
    """
    if revoked and none_revoked:
        raise HomeError("invalid-value", "--revoked and --none-revoked contradict one another.")
    var = homes.folder()
    if var == INSTALLED and not var.exists():
        raise HomeError("invalid-value", f"{var} is not there; run: {installed.again('hub')}")
    plan = telling.plan_of(var)
    if (var / "home.toml").exists() and not replace:
        raise HomeError(
            "already-exists", f"There is a home in {var}. With --replace it is put aside, and nothing is lost."
        )
    if not still.is_of_systemd(var):
        still.check(var)
    file = opening.chosen(file)
    for number in (signal.SIGHUP, signal.SIGTERM):  # a connection that is lost leaves no home stopped
        signal.signal(number, signal.default_int_handler)
    try:
        with opening.opened(file, var, key, plan) as opened:
            restoring.read(opened.archive)
            _restore(file, opened, var, revoked if revoked or not none_revoked else [])
    except (KeyboardInterrupt, typer.Abort):
        raise HomeError("invalid-value", "Left before its end; nothing was changed.") from None


def _restore(file: Path, opened: opening.Opened, var: Path, named: Collection[str] | None) -> None:
    """`named`: who was revoked since, where somebody says it."""
    now = dt.datetime.now(dt.UTC)

    def settle(work: dict[str, Path], label: backups.Label) -> settling.Settled:
        listed = beside.listed(file, opened.key, work, label)
        if listed.fault:
            console.print(f"{listed.fault}.", soft_wrap=True)
        if listed.told is not None:
            console.print(
                f"Beside it stands who was revoked up to {listed.told.at:%Y-%m-%d %H:%M} UTC.", soft_wrap=True
            )

        def ask(standing: Collection[str]) -> Collection[str]:
            return named if named is not None else [] if not standing else _asked(standing, label.at)

        return settling.settle(work, var, label, present.look(var, now), ask, now, listed.told)

    def own(home: Path) -> None:
        if still.is_of_systemd(var):
            owning.own(home, owning.known())

    with _alone(var), _stopped(var):
        aside, settled = restoring.put_back(opened.archive, var, now, settle, own=own, last=_hold_on)
        if var == INSTALLED:
            # A home from before there was a signer holds the authorities' keys itself.
            subprocess.run([homes.ROOT / "deploy" / "move-vault.sh"], check=True)  # noqa: S603
        own(var)
    console.print(f"The home of {file} is back in {var}.", soft_wrap=True)
    for old in aside:
        console.print(f"What was there lies in {old}: delete it once all is well.", soft_wrap=True)
    _tell(settled)
    if plans.read(var).target is None:
        console.print("Backups go nowhere from here yet: homesystem backup target (docs/backup.md)", soft_wrap=True)


def _tell(settled: settling.Settled) -> None:
    """What did not come back, and what is to be done by hand."""
    if settled.revoked:
        console.print(f"Revoked since, and so still: {', '.join(settled.revoked)}.", soft_wrap=True)
    if settled.unknown:
        console.print(
            f"The backup knows no {', '.join(settled.unknown)}: no harm where that was enrolled since. Where it was a "
            "typing error, whoever was meant may still connect: homesystem room revoke NAME, or client revoke NAME.",
            soft_wrap=True,
        )
    if settled.locked_down:
        console.print(
            "The home is locked down, as it was, or as nobody can say that it was not: homesystem lockdown end",
            soft_wrap=True,
        )
    told = (
        "The accounts lie on a server and were left as they are. If you bring back an older copy of them, revoke once "
        "more whoever was revoked since (homesystem room revoke, client revoke), and have homesystem lockdown begin "
        "sign everyone out."
        if settled.elsewhere
        else "Everyone is signed out, and API tokens are void. Accounts, grants, passwords and passkeys are those of "
        "the day of the backup: whoever was disabled or erased since has to be once more."
    )
    console.print(told, soft_wrap=True)


def _asked(standing: Collection[str], made_at: str) -> list[str]:
    """Of whoever the backup lets connect, who may no more; asked where nothing here knows it."""
    if not sys.stdin.isatty():
        raise HomeError(
            "invalid-value",
            f"Nothing here says who was revoked since {made_at}, and a stolen Pi must not be let in again. Name each "
            f"of {', '.join(standing)} that was revoked, lost or stolen since: --revoked NAME; or say --none-revoked.",
        )
    console.print(f"This backup is of {made_at}, and lets connect: {', '.join(standing)}.", soft_wrap=True)
    while True:
        said = typer.prompt(
            "Which of them was revoked, lost or stolen since (names; Enter for none)", default="", show_default=False
        )
        names = str(said).casefold().replace(",", " ").split()
        if not (unknown := [name for name in names if name not in standing]):
            return names
        console.print(
            f"{', '.join(unknown)}: not in this backup. For one that was enrolled since, end this (Ctrl-D) and say "
            "--revoked NAME for each.",
            soft_wrap=True,
        )


def _hold_on() -> None:
    """From here on it is safer to come to an end than to stop where somebody types Ctrl-C or a connection is lost."""
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def _alone(var: Path) -> contextlib.AbstractContextManager[None]:
    """No command revokes anybody in a home that is about to go aside. Where there is no folder yet, there is none."""
    return turns.alone(var, "homesystem restore") if var.is_dir() else contextlib.nullcontext()


@contextlib.contextmanager
def _stopped(var: Path) -> Iterator[None]:
    """Nothing of the home runs meanwhile. Raises HomeError where it runs and cannot be stopped from here."""
    if not still.is_of_systemd(var):
        still.check(var)
        yield
        return
    if os.geteuid() != 0:
        raise HomeError("invalid-value", "This stops and starts services: run it with sudo.")
    list_units = ["list-units", "--plain", "--no-legend", "--state=active,activating", "homesystem*"]
    running = [line.split()[0] for line in _systemctl(*list_units).splitlines()]
    if running:
        _systemctl("stop", *running)
    try:
        yield
    finally:
        if running:
            _systemctl("start", "--no-block", *running)


def _systemctl(*words: str) -> str:
    done = subprocess.run(["systemctl", *words], capture_output=True, text=True, check=False)  # noqa: S603, S607
    if done.returncode != 0:
        raise HomeError("internal", f"systemctl {words[0]}: {done.stderr.strip()}")
    return done.stdout
