"""The `homesystem` command: sets up a home, runs it, and changes who may do what in it.

What needs a database is imported where it is used: `up` must not wait for it.
"""

import asyncio
import os
import sys
from collections.abc import Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console

from deploy.authority import commands as authority
from deploy.enrolling import commands
from deploy.folder import closed, naming, parts
from deploy.folder import home as homes
from deploy.giving_away import command as giving_away
from deploy.household import codes, lockdown, users
from deploy.live_broker import broker, taking_up
from deploy.names import rename
from deploy.record import audit, rule
from deploy.running import up
from deploy.safekeeping import keeping, saving
from shared.keeping import disks
from shared.keeping.lean import without_orm
from shared.running.config import EX_CONFIG, ConfigError
from shared.words.problem import HomeError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Sets up a home, runs it, and changes who may do what in it.",
    epilog="Where it is installed: homesystem upgrade brings the code up to date, homesystem room place and room join "
    "make a Pi a room.",
    pretty_exceptions_enable=False,
)
app.command()(keeping.restore)
app.add_typer(saving.app, name="backup")
app.add_typer(users.app, name="user")
app.add_typer(audit.app, name="audit")
app.add_typer(rule.app, name="rule")
app.add_typer(commands.rooms, name="room")
app.add_typer(commands.clients, name="client")
app.add_typer(lockdown.app, name="lockdown")
app.add_typer(authority.app, name="authority")
app.command("rename")(rename.rename)
app.command("code")(codes.make)
app.command("factory-reset")(giving_away.factory_reset)

console = Console(emoji=False)
T = TypeVar("T")


@app.command()
def init(
    *,
    answers: Annotated[
        Path | None, typer.Option(help="A TOML file with the answers, instead of questions; see docs/init.md.")
    ] = None,
    demo_home: Annotated[bool, typer.Option("--demo", help="The demo home, without questions.")] = False,
) -> None:
    """Set up a home in HOMESYSTEM_VAR (or ./var): certificates, configuration, and the master user."""
    from deploy.founding import command
    from deploy.running import demo

    var = homes.folder()
    if demo_home:
        _run(demo.create(var))
        console.print(f"The home in {var} is set up. [bold]homesystem up[/bold] runs it here.")
    else:
        command.run(var, console, answers)


@app.command("up")
def run_home(
    *,
    demo_home: Annotated[bool, typer.Option("--demo", help="Make the demo home first where there is none.")] = False,
) -> None:
    """Run the whole home on this machine until Ctrl-C."""
    var = homes.folder()
    if demo_home and not (var / "home.toml").exists():
        from deploy.running import demo

        print("making the demo home …", flush=True)
        _run(demo.create(var))
    up.start(homes.find(var))


@app.command()
def renew() -> None:
    """Renew certificates near their end, or not fit for use, and the revocation list; meant for a daily timer.

    Services, rooms and a running broker take them up by themselves.
    """
    from deploy.authority import rotating, web_rotating

    with homes.turn(homes.folder(), "homesystem renew") as found:
        made = homes.renew(found)
        told = taking_up.reload(found)
        home = rename.finish(found)
        ended = rotating.go_on(home)
        web_ended = web_rotating.go_on(home, datetime.now(UTC))
    console.print(f"Renewed: {', '.join(made) or 'nothing was due'}; a fresh revocation list is in place.")
    if told:
        console.print("The broker serves what lies there; services and rooms take theirs up by themselves.")
    else:
        console.print("No broker is running here; it reads its files when it starts.")
    if ended:
        console.print("Everybody has followed: the former device authority has ended, and its key is destroyed.")
    if web_ended:
        authority.say_web_ended(home)
    naming.check(home.var, home.settings.name, home.settings.former_names)


@app.command("doctor")
def examine_home(
    *, as_json: Annotated[bool, typer.Option("--json", help="For programs: docs/doctor.md has the shape.")] = False
) -> None:
    """Look at everything that the home needs, running or not; exit code 1 when something is to be mended."""
    import datetime as dt

    import msgspec

    from deploy.examining import doctor

    home, now = _home(), dt.datetime.now(dt.UTC)
    if as_json:
        found = doctor.report_as_json(home, now)
        print(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
        well = found.well
    else:
        well = doctor.report(home, console, now)
    if not well:
        raise typer.Exit(1)


@app.command("rights")
def refresh_rights() -> None:
    """Bring the hub's own rights at the broker up to date; its unit does so before each start."""
    with homes.turn(homes.folder(), "homesystem rights") as home:
        changed = broker.refresh(home)
    console.print(f"Brought up to date: {_listed(changed)}.")


@app.command()
def repair(
    *,
    accounts: Annotated[
        bool, typer.Option("--accounts", help="Go on with what can be read of torn accounts, locked down.")
    ] = False,
    quick: Annotated[bool, typer.Option("--quick", help="All but the databases, which take long to read.")] = False,
) -> None:
    """Make what is missing and bring what follows this version up to date; an update and the broker's unit do so.

    A record that is torn goes aside, and what can be read of it on.
    """
    from deploy.safekeeping import repairing

    with homes.turn(homes.folder(), "homesystem repair") as home:
        homes.lay_out(home)
        changed = broker.refresh(home)
        taking_up.reload(home)  # a broker that runs still has what was there before
        told = [] if quick else _run(repairing.databases(home, accounts=accounts))
    console.print(f"Folders, certificates and mosquitto.conf are as they should be; rights: {_listed(changed)}.")
    for line in told:
        console.print(line, soft_wrap=True)


@app.command(context_settings={"ignore_unknown_options": True})  # -5 is a temperature
def sim(
    device: Annotated[str, typer.Argument(metavar="ROOM/DEVICE")],
    value: Annotated[
        str,
        typer.Argument(help="open, closed, press, double, long, motion, clear; 21.5, fail; for an output: stuck, free"),
    ],
) -> None:
    """Drive a simulated input of a running home, or break an output: its line no longer follows commands."""
    from deploy.enrolling import enrol
    from device_agents.pins import simulation

    room, name = enrol.device_ref(device)
    simulation.drive(_home().var / "sim", room, name, value)
    console.print(f"{device} is driven: {value}")


@without_orm()
def main() -> None:
    """Run the command; errors are one sentence that names the next step."""
    # Spools, ledgers and logs say who opened what, and when: they are their owner's alone.
    os.umask(0o077)
    try:
        if parts.are_served(homes.folder()) and os.geteuid() != 0:
            os.umask(0o027)  # a service with a user of its own comes into the folders that we make in its own
        closed.check(homes.folder(), sys.argv[1:])
        app(prog_name="homesystem")  # what is typed, however it was started
    except ConfigError as error:
        print(f"homesystem: {error}", file=sys.stderr)
        raise SystemExit(EX_CONFIG) from error
    except HomeError as error:
        print(f"homesystem: {error.detail}", file=sys.stderr)
        raise SystemExit(1) from error
    except PermissionError as error:
        var = homes.folder()
        step = f"run this as the home's user, or give the home back to it: {parts.given_back(var)}"
        print(f"homesystem: {error.filename}: {error.strerror}; {step}", file=sys.stderr)
        raise SystemExit(1) from error
    except OSError as error:
        if (fault := disks.fault(error)) is None:
            raise
        print(f"homesystem: {error.filename or homes.folder()}: {error.strerror}; {fault}", file=sys.stderr)
        raise SystemExit(1) from error


def _home() -> homes.Home:
    return homes.find(homes.folder())


def _run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def _listed(changed: list[str]) -> str:
    return ", ".join(changed) or "nothing was out of date"


if __name__ == "__main__":
    main()
